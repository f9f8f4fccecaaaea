/* A result, an input or a loop's entry gets another name: whatever used it follows, in one go, when its field is left. */
(() => {
  "use strict";

  const { all, formOf, dataOf, copy, parentOf } = llmFlow;
  const IDENTIFIER = /^[\p{L}_][\p{L}\p{N}_]*$/u;
  const PICKED = ["variables", "messages", "later_steps"];
  const KEPT = new Set(["id", "type", "title"]);

  Object.assign(llmFlow.parts, {
    /* What things are called now is what a later name is compared with. */
    commitNames() {
      all().forEach((card) => {
        const data = dataOf(card);
        if (IDENTIFIER.test(data.id)) card.dataset.name = data.id;
        if (card.dataset.gives) card.dataset.entry = data[card.dataset.gives];
      });
      this.inputNames = llmFlow.inputs().map((input) => input.name);
    },
    /* A row of the inputs was added, removed or moved: that is no renaming. */
    commitMoved() {
      const now = llmFlow.inputs().map((input) => input.name);
      const same = now.length === this.inputNames.length && [...now].sort().join() !== [...this.inputNames].sort().join();
      if (!same) this.inputNames = now;
    },
    settleNames() {
      for (const card of all()) {
        const data = dataOf(card);
        const entry = card.dataset.gives && data[card.dataset.gives];
        const around = parentOf(card);
        if (card.dataset.name && data.id !== card.dataset.name && this.isFree(data.id, card)) this.rename(card.dataset.name, data.id, { except: card, around });
        if (card.dataset.entry && entry !== card.dataset.entry && IDENTIFIER.test(entry)) this.rename(card.dataset.entry, entry, { within: card });
      }
      this.settleInputs();
      this.commitNames();
    },
    settleInputs() {
      const now = llmFlow.inputs().map((input) => input.name);
      const before = this.inputNames;
      const changed = now.length === before.length ? now.map((_, at) => at).filter((at) => now[at] !== before[at]) : [];
      if (changed.length !== 1) return;
      const [old, name] = [before[changed[0]], now[changed[0]]];
      const twice = now.filter((other) => other === name).length > 1;
      if (old && IDENTIFIER.test(name) && !twice && !now.includes(old) && !all().some((card) => dataOf(card).id === name)) this.rename(old, name, { input: changed[0] });
    },
    isFree(name, card) {
      return IDENTIFIER.test(name) && !llmFlow.inputs().some((input) => input.name === name) && !all().some((other) => other !== card && dataOf(other).id === name);
    },
    rename(old, name, where) {
      const places = this.holdStill(() => this.follow(old, name, where));
      if (!places) return;
      const back = () => this.holdStill(() => { this.callIt(name, old, where); this.follow(name, old, where); });
      this.done(`“${old}” is called “${name}” now, ${places === 1 ? "in the one place" : `in the ${places} places`} that used it too.`, back);
    },
    /* The name in its own field. */
    callIt(from, to, { except, within, input }) {
      if (input !== undefined) {
        const form = llmForms.of(llmFlow.inputsArea());
        const data = copy(form.getData());
        const row = data.find((one) => one.name === from);
        if (row) row.name = to;
        return form.update({ data });
      }
      const card = except || within;
      const field = except ? "id" : card.dataset.gives;
      formOf(card).update({ data: { ...copy(dataOf(card)), [field]: to } });
    },
    /* How many fields used it. */
    follow(old, name, { except, within }) {
      let places = 0;
      for (const card of all()) {
        if (card === except || card === within || (within && !within.contains(card)) || this.shadowed(card, old, within)) continue;
        places += this.followIn(formOf(card), old, name, this.takesByName(card, old));
      }
      if (within) return places;
      places += this.followIn(llmForms.of(llmFlow.outputsArea()), old, name, []);
      if (this.output !== old) return places;
      this.output = name;
      return places + 1;
    },
    /* A loop between gives its entry the same name: then that is meant. */
    shadowed(card, old, within) {
      for (let around = parentOf(card); around && around !== within; around = parentOf(around)) {
        if (around.dataset.gives && around.dataset.entry === old) return true;
      }
      return false;
    },
    /* A variable of a prompt that takes the value of the same name, because nothing else is said. */
    takesByName(card, old) {
      const { inputs } = formOf(card).getSchema().properties;
      const mapped = inputs && inputs.type === "object" && dataOf(card).inputs;
      return mapped && old in mapped && !mapped[old] && this.knownAt(card).has(old) ? [old] : [];
    },
    followIn(form, old, name, byName) {
      const schema = copy(form.getSchema());
      const state = { old, name, places: 0, text: new RegExp(`(\\{\\{\\s*)${old}((?:\\.\\w+)*\\s*\\}\\})`, "g") };
      const data = replaced(schema, copy(form.getData()), state, "");
      for (const variable of byName) { data.inputs[variable] = `{{${name}}}`; state.places += 1; }
      if (state.places) form.update({ schema, data });
      return state.places;
    },
  });

  function replaced(schema, data, state, key) {
    if (Array.isArray(data)) return data.map((one) => replaced(schema.items || {}, one, state, ""));
    if (data && typeof data === "object") {
      const fields = schema.properties || {};
      return Object.fromEntries(Object.entries(data).map(([name, one]) => [name, replaced(fields[name] || {}, one, state, name)]));
    }
    if (typeof data !== "string" || KEPT.has(key)) return data;
    if (PICKED.includes(schema.choicesFrom)) return picked(schema, data, state);
    if (schema.choices) return data;
    const text = data.replace(state.text, `$1${state.name}$2`);
    if (text !== data) state.places += 1;
    return text;
  }

  /* jsonform empties a select whose value is not among its choices. */
  function picked(schema, data, state) {
    if (data !== state.old && !data.startsWith(`${state.old}.`)) return data;
    const value = state.name + data.slice(state.old.length);
    state.places += 1;
    if (!schema.choices.some((choice) => choice.value === value)) schema.choices.push({ title: value, value });
    return value;
  }
})();
