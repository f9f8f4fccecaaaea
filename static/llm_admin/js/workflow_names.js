/* Which names each step may use, as the server checks it (schemas/workflow_names.py): inputs, earlier results on the same or
 * an enclosing level, the entry of a loop around it. From them come the pickers, the chips and the steps' numbers.
 */
(() => {
  "use strict";

  const { formOf, dataOf, cardsIn, own, one, slotsOf, isOff, parentOf } = llmFlow;
  const choice = (name, title) => ({ title: title ? `${name} – ${title}` : name, value: name });
  const NOT_TEXTS = /§(id|title|item|name)$/;

  Object.assign(llmFlow.parts, {
    names() {
      const known = llmFlow.inputs().filter((input) => input.name).map((input) => choice(input.name, input.label));
      const scope = { known, messages: [] };
      this.count = this.scanList(llmFlow.list(), scope, "", 0);
      chips(document.querySelector(".llm-gives"), scope.known);
      const results = cardsIn(llmFlow.list()).filter((card) => !isOff(card)).map(dataOf).filter((step) => step.id);
      this.outputs = this.outcomes(results);
    },
    /* How many cards there are, with those within. `before`: how many the same step's other lists hold. */
    scanList(slot, scope, prefix, before) {
      const cards = cardsIn(slot);
      let count = cards.length;
      cards.forEach((card, at) => {
        const step = dataOf(card);
        const later = cards.slice(at + 1).filter((other) => !isOff(other)).map(dataOf).filter((other) => other.id);
        this.number(card, step, prefix + (before + at + 1), at, cards.length);
        const lists = { variables: [...scope.known], messages: [...scope.messages], later_steps: later.map((other) => choice(other.id, other.title)) };
        llmForms.offer(formOf(card), lists);
        chips(card, scope.known);
        count += this.scanSlots(card, step, scope);
        if (step.id && !isOff(card)) learn(scope, card, step);
      });
      return count;
    },
    scanSlots(card, step, scope) {
      const entry = card.dataset.gives && step[card.dataset.gives];
      const inner = entry ? [choice(entry, "the entry")] : [];
      let before = 0, count = 0;
      for (const slot of slotsOf(card)) {
        const within = { known: [...scope.known, ...inner], messages: [...scope.messages] };
        count += this.scanList(slot, within, `${card.dataset.number}.`, before);
        before += cardsIn(slot).length;
      }
      return count;
    },
    number(card, step, number, at, length) {
      own(card, "[data-step-number]").forEach((node) => say(node, number));
      say(one(card, "[data-step-heading]"), step.title || card.dataset.label);
      say(one(card, "[data-step-result]"), step.id);
      const insert = card.querySelector(":scope > .llm-insert");
      if (insert && card.dataset.number !== number) {
        insert.title = `Insert a step before step ${number}`;
        insert.setAttribute("aria-label", insert.title);
      }
      card.dataset.number = number;
      this.tools(card, at, length);
    },
    tools(card, at, length) {
      const tool = (name) => one(card, `[data-tool="${name}"]`);
      if (!tool("up")) return;
      tool("up").disabled = at === 0;
      tool("down").disabled = at === length - 1;
      tool("out").hidden = !parentOf(card);
      const above = card.previousElementSibling;
      tool("in").hidden = !(above && above.dataset.key && slotsOf(above).length);
    },
    outcomes(steps) {
      const found = [{ title: "The last step’s result", value: "" }, ...steps.map((step) => choice(step.id, step.title))];
      if (this.output && !found.some((other) => other.value === this.output)) found.push({ title: `${this.output} (not there any more)`, value: this.output });
      return found;
    },
    /* Before which card a name is known: for questions about one step. */
    knownAt(card) {
      return new Set(own(card, "[data-step-names]").flatMap((place) => (place.dataset.shown || "").split("\n")));
    },
  });

  /* Writing what is there already would make the browser lay out the page again. */
  function say(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function learn(scope, card, step) {
    const found = choice(step.id, step.title);
    scope.known.push(found, ...keysOf(card, step).map((key) => choice(`${step.id}.${key}`)));
    if (card.dataset.produces === "messages") scope.messages.push(found);
  }

  function keysOf(card, step) {
    if (card.dataset.type !== "parser") return card.dataset.keys.split("\n").filter(usable);
    if (step.format !== "json") return [];
    return (step.keys.length ? step.keys.map((key) => key.name) : keysByHand(step.json_schema)).filter(usable);
  }

  const usable = (key) => /^\w+$/.test(key);

  function keysByHand(text) {
    try {
      return Object.keys(JSON.parse(text).properties || {});
    } catch {
      return [];
    }
  }

  /* ---- "Put in:" ---- */

  function chips(card, known) {
    const lines = card.dataset.key ? own(card, ".llm-flow-names") : [card.querySelector(".llm-flow-names")];
    const line = lines[0];
    line.hidden = !known.length || !texts(card).length;
    const wanted = known.map((name) => name.value).join("\n");
    const place = line.querySelector("[data-step-names]");
    if (place.dataset.shown === wanted) return;
    place.dataset.shown = wanted;
    place.replaceChildren(...known.map((name) => chip(card, name.value)));
  }

  function chip(card, name) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "llm-chip llm-chip-variable";
    button.textContent = `{{${name}}}`;
    button.addEventListener("click", () => insert(target(card), button.textContent));
    return button;
  }

  const takes = (field) => (field.tagName === "TEXTAREA" || (field.type === "text" && /§to$/.test(field.name))) && !NOT_TEXTS.test(field.name);
  const mine = (card, selector) => (card.dataset.key ? own(card, selector) : [...card.querySelectorAll(selector)]);
  const texts = (card) => mine(card, ".rjf-form-row :is(textarea, input)").filter((field) => takes(field) && field.offsetParent && !field.disabled);

  document.addEventListener("focusin", ({ target: field }) => {
    const card = field.closest && field.matches("textarea, input") && takes(field) && field.closest("[data-key], .llm-gives");
    if (card) card.llmLastText = field;
  });

  function target(card) {
    const last = card.llmLastText;
    return last && last.isConnected && last.offsetParent ? last : texts(card)[0];
  }

  /* As if typed, so that React notices. */
  function insert(field, text) {
    if (!field) return;
    field.focus();
    const { selectionStart: start, selectionEnd: end, value } = field;
    const owner = field.tagName === "TEXTAREA" ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(owner.prototype, "value").set.call(field, value.slice(0, start) + text + value.slice(end));
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.setSelectionRange(start + text.length, start + text.length);
  }
})();
