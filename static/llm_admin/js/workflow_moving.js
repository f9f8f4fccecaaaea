/* Moving, switching off, folding, duplicating and removing steps; each can be undone. */
(() => {
  "use strict";

  const { all, cardOf, cardsIn, dataOf, formOf, stepOf, own, one, slotsOf, parentOf, isOff, titleOf, called, capital, focusOn, copy } = llmFlow;

  const placeOf = (card) => ({ slot: card.parentElement, next: card.nextElementSibling });
  const put = (card, { slot, next }) => (next && next.parentElement === slot ? next.before(card) : slot.append(card));

  Object.assign(llmFlow.parts, {
    /* ---- what was done, and back ---- */
    done(news, back) {
      this.news = news;
      if (back) this.undos.push({ back, news });
    },
    undo() {
      const last = this.undos.pop();
      if (!last) return;
      const card = last.back();
      this.changedOrder(`Undone: ${last.news}`);
      if (card) focusOn(card);
    },
    changedOrder(news, back) {
      this.problems = []; // their places are no longer those of the cards
      this.done(news, back);
      this.refresh();
      this.commitNames();
    },

    /* ---- moving ---- */
    move(card, place, news) {
      const before = placeOf(card);
      put(card, place);
      this.changedOrder(news, () => { put(card, before); return card; });
      this.news = `${this.news} It is step ${card.dataset.number} now.`;
    },
    shift(event, by) {
      const card = cardOf(event);
      const tool = event.target.closest("[data-tool]");
      const cards = cardsIn(card.parentElement);
      const other = cards[cards.indexOf(card) + by];
      if (!other) return;
      this.move(card, { slot: card.parentElement, next: by < 0 ? other : other.nextElementSibling }, "Step moved.");
      (tool && !tool.disabled ? tool : one(card, "[data-tool='fold']")).focus();
    },
    moveOut(event) {
      const card = cardOf(event);
      const outer = parentOf(card);
      this.move(card, { slot: outer.parentElement, next: outer.nextElementSibling }, `Moved out of “${titleOf(outer)}”.`);
      one(card, "[data-tool='fold']").focus();
    },
    moveIn(event) {
      const card = cardOf(event);
      const above = card.previousElementSibling;
      this.setFolded(above, false);
      this.move(card, { slot: slotsOf(above)[0], next: null }, `Moved into “${titleOf(above)}”.`);
      one(card, "[data-tool='fold']").focus();
    },
    /* For Alpine's sort: cards go from list to list by their handle. */
    sorting() {
      let before = null;
      return {
        handle: ".llm-flow-handle", draggable: "[data-key]", animation: 150, group: "llm-steps", fallbackOnBody: true, swapThreshold: 0.65,
        onStart: ({ item }) => { before = placeOf(item); document.body.classList.add("llm-sorting"); },
        onEnd: ({ item }) => {
          document.body.classList.remove("llm-sorting");
          if (placeOf(item).slot === before.slot && placeOf(item).next === before.next) return;
          const back = before;
          this.changedOrder("Step moved.", () => { put(item, back); return item; });
        },
      };
    },

    /* ---- on and off ---- */
    switchStep(event) {
      const card = cardOf(event);
      const off = !isOff(card);
      this.setOff(card, off);
      const users = off ? this.usersOf(card) : [];
      const warning = users.length ? ` Its result is used by: ${users.join("; ")}.` : "";
      this.changedOrder(`${capital(called(card))} is switched ${off ? "off" : "on"}.${warning}`, () => this.setOff(card, !off));
    },
    setOff(card, off) {
      off ? (card.dataset.off = "") : delete card.dataset.off;
      card.classList.toggle("llm-flow-off", off);
      one(card, "[data-step-off]").hidden = !off;
      const tool = one(card, "[data-tool='switch']");
      tool.setAttribute("aria-checked", String(!off));
      tool.firstElementChild.textContent = off ? "toggle_off" : "toggle_on";
    },

    /* ---- folding ---- */
    fold(event) {
      const card = cardOf(event);
      this.setFolded(card, !card.classList.contains("llm-flow-folded"));
      this.refresh();
    },
    foldAll() {
      const folded = !this.allFolded;
      all().forEach((card) => this.setFolded(card, folded));
      this.refresh();
    },
    setFolded(card, folded) {
      card.classList.toggle("llm-flow-folded", folded);
      one(card, "[data-tool='fold']").setAttribute("aria-expanded", String(!folded));
      this.allFolded = all().every((other) => other.classList.contains("llm-flow-folded"));
    },

    /* ---- duplicating ---- */
    async duplicate(event) {
      const from = cardOf(event);
      const body = new URLSearchParams({ step: JSON.stringify(stepOf(from)) });
      this.takenNames().forEach((name) => body.append("taken", name));
      const card = await this.fetchCard(this.$root.dataset.copyUrl, { method: "POST", body, headers: { "X-CSRFToken": this.$root.dataset.csrf } }, placeOf(from));
      if (!card) return;
      const pairs = [from, ...own2(from)].map((one, at) => [dataOf(one).id, [card, ...own2(card)][at]]);
      this.holdStill(() => pairs.forEach(([old, made]) => old && pairs.forEach(([, other]) => this.followIn(formOf(other), old, dataOf(made).id, []))));
      this.changedOrder("Step duplicated.", () => { card.remove(); });
      focusOn(card);
    },

    /* ---- removing ---- */
    remove(event) {
      const card = cardOf(event);
      const users = this.usersOf(card);
      if (!users.length) return this.take(card);
      const dialog = document.getElementById("llm-removing");
      const text = `These use its result “${dataOf(card).id}”, and would have to use something else:`;
      this.removing = { card: () => card, title: `Remove ${called(card)}?`, text, users };
      dialog.showModal();
    },
    removeAnyway() {
      document.getElementById("llm-removing").close();
      this.take(this.removing.card());
    },
    take(card) {
      const place = placeOf(card);
      const next = place.next || card.previousElementSibling || parentOf(card);
      card.remove();
      this.changedOrder("Step removed.", () => { put(card, place); return card; });
      const focus = next && next.dataset.key ? one(next, "[data-tool='fold']") : document.querySelector(".llm-add-type");
      if (focus) focus.focus();
    },
    /* Who needs this card's result: in words. */
    usersOf(card) {
      const name = dataOf(card).id;
      if (!name) return [];
      const users = all().filter((other) => other !== card && !card.contains(other) && this.uses(other, name)).map((other) => capital(called(other)));
      const text = JSON.stringify(llmFlow.namedOutputs());
      if (this.several ? mentions(text, name) : this.output === name) users.push("The outcome of the workflow");
      return users;
    },
    uses(card, name) {
      const form = formOf(card);
      let found = this.takesByName(card, name).length > 0;
      visit(form.getSchema(), copy(form.getData()), (schema, value) => {
        const picked = ["variables", "messages", "later_steps"].includes(schema.choicesFrom) && (value === name || value.startsWith(`${name}.`));
        if (picked || (!schema.choices && mentions(value, name))) found = true;
      });
      return found;
    },
  });

  const own2 = (card) => [...card.querySelectorAll("[data-key]")];
  const mentions = (text, name) => new RegExp(`\\{\\{\\s*${name}(\\.\\w+)*\\s*\\}\\}`).test(text);

  function visit(schema, data, call) {
    if (Array.isArray(data)) data.forEach((one) => visit(schema.items || {}, one, call));
    else if (data && typeof data === "object") Object.entries(data).forEach(([name, one]) => visit((schema.properties || {})[name] || {}, one, call));
    else if (typeof data === "string") call(schema, data);
  }
})();
