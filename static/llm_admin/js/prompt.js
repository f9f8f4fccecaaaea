/* The prompt studio: its state, from which the hidden field "spec" is made. The server checks everything again.
 * For the other parts of the page: window.llmStudio() is the component; it dispatches "llm:edited" and hears "llm:load-spec".
 */
document.addEventListener("alpine:init", () => {
  "use strict";

  const ROLES = { system: "System", user: "User", assistant: "Assistant", placeholder: "List of messages" };
  const HINTS = {
    system: "Who the model is, and the rules for all its answers",
    user: "What you ask. {{name}} is filled in each time.",
    assistant: "An answer to imitate, or the beginning of one",
  };
  const EDITED_MS = 800;
  let lastUid = 0;

  const card = ({ role = "user", text = "", name = "" } = {}) => ({ uid: ++lastUid, role, text, name });
  const debounce = (work, ms) => { let timer = 0; return () => { clearTimeout(timer); timer = setTimeout(work, ms); }; };
  const isText = (message) => message.role !== "placeholder";

  Alpine.data("llmStudio", () => ({
    ...JSON.parse(document.getElementById("llm-studio-state").textContent),
    ...llmOffers,
    ...llmValues,
    ...llmImported,
    ...llmTrying,
    kind: "chat",
    messages: [],
    known: Object.create(null), // name -> details, also of variables that a text no longer names: they come back as they were
    settings: llmSettings.read(),
    name: "",
    description: "",
    model: "",
    busy: false,
    submitted: false,
    chatBefore: null,
    shortcutName: /Mac|iP/.test(navigator.platform) ? "⌘ ↵" : "Ctrl ↵",

    init() {
      this.take(this.spec || {});
      this.remember(this.stored());
      this.baseline = this.canonical(this.saved);
      for (const what of ["values", "lists", "model"]) this.$watch(what, () => this.store());
      this.busy = !!document.querySelector("#llm-answer [data-run-open]");
      document.body.addEventListener("llm:ended", () => (this.busy = false));
      this.listen();
      // The attribute "autofocus" comes too early: unfold shows its page only now.
      this.$nextTick(() => !this.prompt && document.activeElement === document.body && document.getElementById("llm-name").focus());
      window.addEventListener("beforeunload", (event) => this.dirty && !this.submitted && this.maySave && event.preventDefault());
    },

    /* ---- what other parts of the page use ---- */
    listen() {
      window.llmStudio = () => this;
      const edited = debounce(() => this.tell(), EDITED_MS);
      const asked = debounce(() => this.askNames(), 400);
      for (const field of ["name", "description"]) {
        const input = document.getElementById(`llm-${field}`);
        this[field] = input.value;
        input.addEventListener("input", () => { this[field] = input.value; edited(); });
      }
      this.$watch("specText", () => { edited(); if (this.syntax !== "console") asked(); });
      window.addEventListener("llm:load-spec", (event) => this.load(event.detail));
    },
    tell() {
      const { dirty, name, description } = this;
      window.dispatchEvent(new CustomEvent("llm:edited", { detail: { spec: this.current(), dirty, name, description } }));
    },
    load({ spec, basedOn, name, description }) {
      this.take(spec);
      this.chatBefore = null;
      this.changed();
      if (basedOn !== undefined) document.querySelector("#prompt_form [name=based_on]").value = basedOn;
      for (const [field, text] of Object.entries({ name, description })) {
        if (text !== undefined) this[field] = document.getElementById(`llm-${field}`).value = text;
      }
    },
    take(spec) {
      this.spec = spec;
      this.kind = spec.kind || "chat";
      this.messages = (spec.messages || []).map(card);
      for (const variable of spec.variables || []) this.known[variable.name] = llmFields.read(variable);
      this.told = { names: (spec.variables || []).map((variable) => variable.name), problems: [] };
      this.settings = llmSettings.read(spec);
    },

    /* ---- what was filled in survives a reload and a refused save (in this tab only) ---- */
    storageKey() { return `llm-try-${this.prompt || "new"}`; },
    stored() {
      try { return JSON.parse(sessionStorage.getItem(this.storageKey())) || {}; } catch { return {}; }
    },
    store() {
      try {
        sessionStorage.setItem(this.storageKey(), JSON.stringify({ values: this.values, lists: this.lists, model: this.model }));
      } catch { /* too large: then it lives as long as the page */ }
    },
    remember({ values = {}, lists = {}, model = "" }) {
      this.values = Object.assign(Object.create(null), this.values, values); // a variable may be called "constructor"
      this.lists = Object.assign(Object.create(null), this.lists, lists);
      this.model = model;
    },

    /* ---- the spec ---- */
    get syntax() { return this.spec.syntax || "console"; },
    get variables() {
      const names = this.syntax === "console" ? this.messages.filter(isText).flatMap((m) => llmWords.names(m.text)) : this.told.names;
      return llmWords.unique(names).map((name) => (this.known[name] ||= llmFields.read({ name })));
    },
    get placeholders() {
      const found = llmWords.unique(this.messages.filter((m) => !isText(m) && m.name).map((m) => m.name));
      found.forEach((name) => (this.lists[name] ||= []));
      return found;
    },
    get specText() { return JSON.stringify(this.current()); },
    current() {
      const messages = this.messages.map(({ role, text, name }) => (role === "placeholder" ? { role, name } : { role, text }));
      const variables = this.variables.map(llmFields.write);
      return { ...this.spec, kind: this.kind, messages, variables, ...llmSettings.write(this.settings) };
    },
    canonical(spec) {
      const messages = spec.messages.map((m) => [m.role, m.role === "placeholder" ? m.name : m.text]);
      const variables = (spec.variables || []).map((variable) => llmFields.write(llmFields.read(variable)));
      return JSON.stringify([spec.kind, spec.syntax || "console", messages, variables, llmSettings.write(llmSettings.read(spec))]);
    },
    get changedText() { return this.canonical(this.current()) !== this.baseline; },
    get dirty() { return this.changedText || this.name !== this.savedName || this.description !== this.savedDescription; },

    /* ---- cards ---- */
    add(role) {
      const made = card({ role, name: role === "placeholder" ? "history" : "" });
      role === "system" ? this.messages.unshift(made) : this.messages.push(made);
      this.changed();
      this.focusOn(made.uid);
    },
    dropped(uid, position) {
      const from = this.messages.findIndex((message) => message.uid === uid);
      const [moved] = this.messages.splice(from, 1);
      this.messages.splice(position, 0, moved);
      // Cards under new keys are made anew, in order: the old ones stand where the mouse left them.
      this.messages = this.messages.map(card);
      this.changed();
    },
    move(index, by, event) {
      const to = index + by;
      if (!this.maySave || this.kind === "text" || to < 0 || to >= this.messages.length) return;
      const tool = event.currentTarget.dataset.tool;
      const [moved] = this.messages.splice(index, 1);
      this.messages.splice(to, 0, moved);
      this.changed();
      this.focusOn(moved.uid, tool);
    },
    duplicate(index) {
      if (!this.maySave || this.kind === "text") return;
      const copy = card(this.messages[index]);
      this.messages.splice(index + 1, 0, copy);
      this.changed();
      this.focusOn(copy.uid);
    },
    remove(index) {
      this.messages.splice(index, 1);
      this.changed();
      this.focusOn(this.messages[Math.min(index, this.messages.length - 1)].uid);
    },
    focusOn(uid, tool) {
      this.$nextTick(() => {
        const box = document.getElementById(`llm-message-${uid}`);
        const button = tool && box.querySelector(`[data-tool="${tool}"]`);
        const target = button && !button.disabled ? button : [...box.querySelectorAll("textarea, input")].find((f) => f.offsetParent);
        if (target) target.focus();
      });
    },
    setKind(kind) {
      if (kind === this.kind) return;
      if (kind === "text") {
        const text = this.messages.filter((m) => m.role !== "placeholder").map((m) => m.text.trim()).filter(Boolean).join("\n\n");
        this.chatBefore = { messages: this.messages, text };
        this.messages = [card({ text })];
      } else if (this.chatBefore?.text === this.messages[0].text) {
        this.messages = this.chatBefore.messages; // else the one text was changed, and stays
      }
      this.kind = kind;
      this.changed();
    },
    changed() { this.problems = []; }, // their places are no longer those of the cards

    /* Enter in a field would press the first button that saves; after the name comes the text. */
    goOn(event) {
      if (!event.target.matches("input:not([type=checkbox], [type=radio])") || event.target.closest(".llm-save, dialog")) return;
      event.preventDefault();
      if (event.target.id !== "llm-name" || event.ctrlKey || event.metaKey) return;
      [...document.querySelectorAll(".llm-message textarea")].find((area) => area.offsetParent)?.focus();
    },
    cardLabel(index) { return this.kind === "text" ? "Text" : `Message ${index + 1}: ${ROLES[this.messages[index]?.role]}`; },
    hintFor(role) { return this.kind === "text" ? HINTS.user : HINTS[role] || ""; },
    counted: llmWords.counted,

    /* ---- variables ---- */
    reference: llmWords.reference,
    titleOf: llmFields.titleOf,
    fits: llmFields.fits,
    parts(text) { return llmWords.parts(text, this.syntax); },
    lookalikes(message) { return isText(message) && this.syntax === "console" ? llmWords.lookalikes(message.text) : []; },
    misnamed(message) { return isText(message) && this.syntax === "console" ? llmWords.misnamed(message.text) : []; },
    makeVariable(message, name) { message.text = llmWords.asVariable(message.text, name); },
    rename(message, name) { message.text = llmWords.renamed(message.text, name); },
    described(variable) { return llmFields.described(variable, this.kinds); },
    choicesOf: ({ choices }) => llmSettings.lines(choices),
    nothingChosen: (variable) => (variable.default ? `${variable.default} (default)` : variable.required ? "Choose…" : "Nothing"),
    hintOf: ({ type }) => ({ list: "One entry in a line", json: '{"key": "value"}', file: "… or paste its text here" })[type] || "",
    clashes(name) { return this.placeholders.includes(name) && this.variables.some((variable) => variable.name === name); },

    /* ---- settings ---- */
    get modelName() { return this.models[this.settings.model] || this.settings.model; },
    get usualModel() {
      if (this.settings.model) return `${this.modelName} (this prompt’s)`;
      return this.defaultModel ? `${this.defaultModel} (default)` : "Choose a model";
    },
    get mayBeCached() { return llmSettings.mayBeCached(this.settings, this.cacheMode); },
    get settingsSummary() { return llmSettings.summary(this.settings, this.modelName || "Default model"); },
    get extraProblem() { return this.settings.extra.trim() ? llmSettings.jsonObject(this.settings.extra).problem : ""; },
    get schemaProblem() { return this.settings.own && this.settings.schema.trim() ? llmSettings.jsonObject(this.settings.schema).problem : ""; },
    addKey() {
      this.settings.fields.push(llmSettings.field());
      this.$nextTick(() => [...document.querySelectorAll(".llm-key-name")].pop()?.focus());
    },
    removeKey(index) {
      this.settings.fields.splice(index, 1);
      this.$nextTick(() => document.getElementById("llm-add-key")?.focus());
    },
    toSchema() {
      this.settings.schema = JSON.stringify(llmSettings.schemaOf(this.settings.fields), null, 2);
      this.settings.own = true;
      this.$nextTick(() => document.getElementById("llm-schema")?.focus());
    },

    /* ---- problems, at their places ---- */
    showProblems(problems) {
      this.problems = problems;
      this.$nextTick(() => document.querySelector(".llm-studio [aria-invalid='true']")?.focus());
    },
    problemAt(place) {
      const found = this.problems.filter((p) => place.every((part, at) => p.location[at] === part));
      return found.map((p) => p.message).join(" ");
    },
    messageProblem(index) {
      const { role, name } = this.messages[index] || {}; // of a card that is just going away
      const clash = role === "placeholder" && this.clashes(name) ? `“${name}” is also a variable of the texts: give one of them another name.` : "";
      const told = this.told.problems.filter((p) => p.location[1] === index).map((p) => p.message).join(" ");
      return this.problemAt(["messages", index]) || clash || (this.syntax === "console" ? "" : told);
    },
    variableProblem(index, field) {
      if (field) return this.problemAt(["variables", index, field]);
      const whole = this.problems.filter(({ location }) => location[0] === "variables" && location[1] === index && location.length === 2);
      return whole.map((p) => p.message).join(" ");
    },
    get outputProblem() { return this.problems.filter((p) => p.location[0] === "output" && p.location[1] !== "fields").map((p) => p.message).join(" "); },
    get inSettings() { return this.problems.some(({ location }) => ["model", "parameters", "output"].includes(location[0])); },
    forget(name, part = "inputs") { this.problems = this.problems.filter(({ location }) => location[0] !== part || location[1] !== name); },
    inputProblem(name) { return this.problemAt(["inputs", name]); },

    submitting() { this.submitted = true; },
  }));
});
