/* The values of Try it: as JSON, and those that were used before. Part of the component in prompt.js. */
window.llmValues = {
  past: { state: "", entries: [] },
  pasted: { text: "", words: "", wrong: false },

  asJson() {
    const found = {};
    for (const { name, type } of this.variables) {
      const written = this.values[name];
      if (written !== undefined && written !== "") found[name] = llmFields.typed(written, type);
    }
    for (const name of this.placeholders) if (this.lists[name].length) found[name] = this.lists[name].map(({ role, text }) => ({ role, text }));
    return JSON.stringify(found, null, 2);
  },
  async copyValues() {
    const text = this.asJson();
    try {
      await navigator.clipboard.writeText(text);
      this.pasted = { text: this.pasted.text, words: "The values are copied.", wrong: false };
    } catch { // no permission, or no secure connection
      this.pasted = { text, words: "Your browser does not let this page copy: here they are, to copy by hand.", wrong: false };
      this.$nextTick(() => document.getElementById("llm-values-json").select());
    }
  },
  fillFromJson() {
    const { value, problem } = llmSettings.jsonObject(this.pasted.text);
    if (problem) return (this.pasted = { ...this.pasted, words: problem, wrong: true });
    const unknown = this.fillWith(value);
    const filled = Object.keys(value).length - unknown.length;
    const words = [`${filled} ${filled === 1 ? "value is" : "values are"} filled in.`, unknown.length && `Not known here: ${unknown.join(", ")}.`];
    this.pasted = { text: unknown.length ? this.pasted.text : "", words: words.filter(Boolean).join(" "), wrong: unknown.length > 0 };
  },
  /* Returns the names that this prompt does not have. */
  fillWith(found) {
    const types = Object.fromEntries(this.variables.map(({ name, type }) => [name, type]));
    const unknown = [];
    Object.keys(found).forEach((name) => this.forget(name));
    for (const [name, value] of Object.entries(found)) {
      if (Object.hasOwn(types, name)) this.values[name] = llmFields.text(value, types[name]);
      else if (this.placeholders.includes(name) && Array.isArray(value)) this.lists[name] = value.filter((past) => past && typeof past === "object").map(({ role = "user", text = "" }) => ({ role, text: String(text) }));
      else unknown.push(name);
    }
    return unknown;
  },

  async fetchPast() {
    if (!this.links.values) return;
    this.past.state = "Loading…";
    try {
      const answer = await fetch(this.links.values);
      this.past.entries = answer.ok ? (await answer.json()).entries : [];
      this.past.state = answer.ok ? "" : "They could not be loaded.";
    } catch {
      this.past.state = "The server cannot be reached.";
    }
  },
  usePast(entry, menu) {
    this.problems = this.problems.filter(({ location }) => location[0] !== "inputs");
    for (const { name } of this.variables) this.values[name] = entry.values[name] ?? "";
    for (const name of this.placeholders) this.lists[name] = (entry.lists[name] || []).map((past) => ({ ...past }));
    menu.open = false;
    menu.querySelector("summary").focus();
  },
  whenUsed({ when }) { return new Date(when).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }); },
};
