/* The prompt studio: its state, from which the hidden field "spec" is made. The server checks everything again.
 * The patterns are those of llm_admin/schemas/template.py.
 */
document.addEventListener("alpine:init", () => {
  "use strict";

  const START = "\\p{L}\\p{Nl}\\p{No}_";
  const PART = "\\p{L}\\p{N}_";
  const REFERENCE = new RegExp(`\\{\\{\\s*([${START}][${PART}]*)\\s*\\}\\}`, "gu");
  const SINGLE = new RegExp(`(?<!\\{)\\{\\s*([${START}][${PART}]*(?: [${PART}]+){0,3})\\s*\\}(?!\\})`, "gu");
  const DOUBLE = /\{\{([^{}\n]{1,60})\}\}/g;
  const ROLES = { system: "System", user: "User", assistant: "Assistant", placeholder: "List of messages" };
  const HINTS = {
    system: "Who the model is, and the rules for all its answers",
    user: "What you ask. {{name}} is filled in each time.",
    assistant: "An answer to imitate, or the beginning of one",
  };
  const DOUBLE_CLICK_MS = 700;
  let lastUid = 0;

  const unique = (names) => [...new Set(names)];
  const names = (text) => unique([...text.matchAll(REFERENCE)].map((match) => match[1]));
  const identifier = (name) => name.trim().replace(new RegExp(`[^${PART}]+`, "gu"), "_").replace(/^(\p{Nd})/u, "_$1") || "_";
  const card = ({ role = "user", text = "", name = "" } = {}) => ({ uid: ++lastUid, role, text, name });
  const freshKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

  Alpine.data("llmStudio", () => ({
    ...JSON.parse(document.getElementById("llm-studio-state").textContent),
    kind: "chat",
    messages: [],
    known: Object.create(null), // name -> details, also of variables that a text no longer names: they come back as they were
    lists: Object.create(null),
    model: "",
    busy: false,
    submitted: false,
    chatBefore: null,
    lastRun: 0,
    shortcutName: /Mac|iP/.test(navigator.platform) ? "⌘ ↵" : "Ctrl ↵",

    init() {
      const spec = this.spec || {};
      this.kind = spec.kind || "chat";
      this.messages = (spec.messages || []).map(card);
      for (const variable of spec.variables || []) this.known[variable.name] = { ...variable };
      this.remember(this.stored());
      this.baseline = this.canonical(this.saved);
      this.$watch("values", () => this.store());
      this.$watch("lists", () => this.store());
      this.$watch("model", () => this.store());
      this.busy = !!document.querySelector("#llm-answer [data-run-open]");
      document.body.addEventListener("llm:ended", () => (this.busy = false));
      window.addEventListener("beforeunload", (event) => this.dirty && !this.submitted && this.maySave && event.preventDefault());
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
      const given = this.values;
      this.values = Object.create(null); // a variable may be called "constructor"
      for (const [name, value] of Object.entries(given)) Array.isArray(value) ? (this.lists[name] = value) : (this.values[name] = value);
      Object.assign(this.values, values);
      Object.assign(this.lists, lists);
      this.model = model;
    },

    /* ---- the spec ---- */
    get variables() {
      const texts = this.messages.filter((m) => m.role !== "placeholder").map((m) => m.text);
      return unique(texts.flatMap(names)).map((name) => this.details(name));
    },
    details(name) {
      if (!this.known[name]) {
        this.known[name] = { name, type: "long_text", label: "", help: "", default: "", required: true };
      }
      return this.known[name];
    },
    get placeholders() {
      const found = unique(this.messages.filter((m) => m.role === "placeholder" && m.name).map((m) => m.name));
      found.forEach((name) => (this.lists[name] ||= []));
      return found;
    },
    get specText() { return JSON.stringify(this.current()); },
    current() {
      const messages = this.messages.map(({ role, text, name }) => (role === "placeholder" ? { role, name } : { role, text }));
      return { ...this.spec, kind: this.kind, messages, variables: this.variables };
    },
    canonical(spec) {
      const parts = [spec.kind, spec.messages.map((m) => [m.role, m.role === "placeholder" ? m.name : m.text])];
      const details = spec.variables.map((v) => [v.name, v.type, v.label, v.help, v.default, v.required]);
      return JSON.stringify([...parts, details]);
    },
    get dirty() { return this.canonical(this.current()) !== this.baseline; },

    /* ---- cards ---- */
    add(role) {
      const made = card({ role, name: role === "placeholder" ? "history" : "" });
      role === "system" ? this.messages.unshift(made) : this.messages.push(made);
      this.changed();
      this.focusOn(made.uid);
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
        this.chatBefore = this.messages;
        const texts = this.messages.filter((m) => m.role !== "placeholder").map((m) => m.text.trim()).filter(Boolean);
        this.messages = [card({ text: texts.join("\n\n") })];
      } else if (this.chatBefore) {
        this.messages = this.chatBefore;
      }
      this.kind = kind;
      this.changed();
    },
    changed() { this.problems = []; }, // their places are no longer those of the cards

    cardLabel(index) { return this.kind === "text" ? "Text" : `Message ${index + 1}: ${ROLES[this.messages[index].role]}`; },
    hintFor(role) { return this.kind === "text" ? HINTS.user : HINTS[role] || ""; },
    counted(text) {
      if (!text) return "";
      const tokens = Math.max(1, Math.round(text.length / 4));
      return `${text.length.toLocaleString("en")} characters, about ${tokens.toLocaleString("en")} ${tokens === 1 ? "token" : "tokens"}`;
    },

    /* ---- variables ---- */
    reference(name) { return `{{${identifier(name)}}}`; },
    parts(text) {
      const found = [];
      let at = 0;
      for (const match of text.matchAll(REFERENCE)) {
        found.push({ text: text.slice(at, match.index), kind: "" }, { text: match[0], kind: "llm-mark" });
        at = match.index + match[0].length;
      }
      found.push({ text: `${text.slice(at)}\n`, kind: "" });
      return found;
    },
    lookalikes(message) {
      return message.role === "placeholder" ? [] : unique([...message.text.matchAll(SINGLE)].map((m) => m[1])).slice(0, 5);
    },
    misnamed(message) {
      if (message.role === "placeholder") return [];
      const written = [...message.text.matchAll(DOUBLE)].filter((m) => !names(m[0]).length && m[1].trim());
      return unique(written.map((m) => m[1])).slice(0, 5);
    },
    makeVariable(message, name) {
      message.text = message.text.replace(SINGLE, (all, found) => (found === name ? this.reference(name) : all));
    },
    rename(message, name) { message.text = message.text.split(`{{${name}}}`).join(this.reference(name)); },
    titleOf({ name, label }) {
      const words = name.replaceAll("_", " ");
      return label || words.charAt(0).toUpperCase() + words.slice(1).toLowerCase();
    },
    described(variable) {
      const kind = variable.type === "text" ? "short text" : "long text";
      return [kind, variable.required ? "required" : "optional", variable.default && "has a default"].filter(Boolean).join(", ");
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
    messageProblem(index) { return this.problemAt(["messages", index]); },
    variableProblem(index) { return this.problemAt(["variables", index]); },
    inputProblem(name) { return this.problemAt(["inputs", name]); },

    /* ---- running ---- */
    shortcut(event) {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) return;
      const form = document.getElementById("llm-try-form");
      if (!form || this.busy) return;
      event.preventDefault();
      form.requestSubmit();
    },
    addPast(name) { this.lists[name].push({ role: "user", text: "" }); },
    guard(event) {
      const now = Date.now();
      if (this.busy || now - this.lastRun < DOUBLE_CLICK_MS) return event.preventDefault();
      this.lastRun = now;
      this.busy = true;
      this.problems = [];
    },
    fillIn({ detail: { parameters } }) {
      parameters.spec = this.specText;
      parameters.client_key = this.clientKey;
      if (this.prompt) parameters.prompt = this.prompt;
      if (this.prompt && !this.dirty) parameters.version = this.version;
      for (const name of this.placeholders) {
        const filled = this.lists[name].filter((past) => past.text.trim());
        if (filled.length) parameters[`list-${name}`] = JSON.stringify(filled);
      }
    },
    answered({ detail }) {
      const panel = document.querySelector("#llm-answer [data-run-id]");
      this.busy = !!document.querySelector("#llm-answer [data-run-open]");
      if (!detail.successful || !panel) return this.failed(detail);
      this.clientKey = freshKey();
      document.getElementById("llm-answer").scrollIntoView({ block: "nearest" });
      const address = new URL(location.href);
      address.searchParams.set("run", panel.dataset.runId);
      history.replaceState(history.state, "", address);
      document.body.dispatchEvent(new CustomEvent("llm:started", { detail: { id: panel.dataset.runId } }));
    },
    failed({ xhr }) {
      if (xhr.responseText.includes('class="llm-problems"')) return;
      const place = document.getElementById("llm-answer");
      const box = document.createElement("div");
      box.className = "llm-problems";
      box.setAttribute("role", "alert");
      box.textContent = xhr.status
        ? "The server could not start this run. Your text is still here; try again, and tell an operator if it stays so."
        : "The server cannot be reached. Your text is still here; check your connection and try again.";
      place.replaceChildren(box);
    },
    submitting() { this.submitted = true; },
  }));
});
