/* The workflow studio. The step cards are jsonforms (jsonform.js); all of them together are gathered into the one hidden
 * field "spec". The server checks everything again.
 */
document.addEventListener("alpine:init", () => {
  "use strict";

  const DOUBLE_CLICK_MS = 700;
  const list = () => document.getElementById("llm-steps");
  const cards = () => [...list().querySelectorAll(":scope > [data-key]")];
  const areaOf = (card) => document.getElementById(`step-${card.dataset.key}`);
  const formOf = (card) => llmForms.of(areaOf(card));
  const inputsArea = () => document.getElementById("workflow-inputs");
  const cardOf = (event) => event.target.closest("[data-key]");
  const freshKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
  const choice = (name, title) => ({ title: title || name, value: name });

  Alpine.data("llmWorkflow", () => ({
    ...JSON.parse(document.getElementById("llm-workflow-state").textContent),
    outputs: [],
    baseline: "",
    specText: "",
    titlesBefore: "",
    titlesNow: "",
    busy: false,
    adding: false,
    submitted: false,
    removed: null,
    news: "",
    count: 0,
    lastRun: 0,
    shortcutName: /Mac|iP/.test(navigator.platform) ? "⌘ ↵" : "Ctrl ↵",

    init() {
      this.busy = !!document.querySelector("#llm-answer [data-run-open]");
      document.body.addEventListener("llm:ended", () => (this.busy = false));
      window.addEventListener("beforeunload", (event) => this.dirty && !this.submitted && event.preventDefault());
      this.inputsChanged = debounce(() => this.refreshFields(), 350);
      // jsonform makes its forms on DOMContentLoaded, which comes after Alpine.
      document.readyState === "complete" ? this.start() : window.addEventListener("load", () => this.start());
    },
    start() {
      llmForms.ready(inputsArea(), () => { this.refresh(); this.inputsChanged(); });
      cards().forEach((card) => this.adopt(card));
      this.refresh();
      this.baseline = this.unsaved ? "" : this.specText;
      this.titlesNow = this.titles();
      this.titlesBefore = this.unsaved ? "" : this.titlesNow;
      if (this.problems.length) this.showProblems(this.problems);
      this.$root.dataset.ready = "";
    },
    adopt(card) {
      const { prompt, prompt_label: label } = formOf(card).getData();
      card.dataset.reference = JSON.stringify([prompt || "", label || ""]);
      llmForms.ready(areaOf(card), () => { this.calm(card); this.followPrompt(card); this.refresh(); });
      card.addEventListener("focusin", (event) => event.target.matches("textarea") && (card.lastText = event.target));
    },

    /* ---- the spec ---- */
    current() {
      const inputs = llmForms.of(inputsArea()).getData() || [];
      return { schema_version: 1, inputs, steps: cards().map((card) => formOf(card).getData()), output: this.output };
    },
    get dirty() { return !!this.specText && (this.specText !== this.baseline || this.titlesNow !== this.titlesBefore); },
    titles() {
      const form = document.getElementById("workflow_form");
      return form.elements.name.value + "\n" + form.elements.description.value;
    },
    typed() { this.titlesNow = this.titles(); },
    refresh() {
      const spec = this.current();
      const known = spec.inputs.filter((one) => one.name).map((one) => choice(one.name, one.label ? `${one.name} – ${one.label}` : ""));
      const messages = [];
      cards().forEach((card, index) => {
        const step = spec.steps[index];
        this.head(card, step, index);
        llmForms.offer(formOf(card), { variables: [...known], messages: [...messages] });
        this.names(card, known);
        if (!step.id) return;
        known.push(choice(step.id, step.title ? `${step.id} – ${step.title}` : ""));
        if (card.dataset.produces === "messages") messages.push(known.at(-1));
      });
      this.outputs = this.outcomes(spec.steps.filter((step) => step.id));
      this.count = spec.steps.length;
      this.specText = JSON.stringify(this.current());
    },
    head(card, step, index) {
      card.querySelectorAll("[data-step-number]").forEach((node) => (node.textContent = index + 1));
      card.querySelector("[data-step-heading]").textContent = step.title || card.dataset.label;
      card.querySelector("[data-step-result]").textContent = step.id;
      const [up, down] = ["up", "down"].map((tool) => card.querySelector(`[data-tool="${tool}"]`));
      if (up) up.disabled = index === 0;
      if (down) down.disabled = index === cards().length - 1;
    },
    outcomes(steps) {
      const found = [choice("", "The last step’s result"), ...steps.map((step) => choice(step.id, step.title ? `${step.id} – ${step.title}` : ""))];
      if (this.output && !found.some((one) => one.value === this.output)) found.push(choice(this.output, `${this.output} (not there any more)`));
      return found;
    },
    choose(event) { this.output = event.target.value; this.forget(["output"]); this.refresh(); },
    counted() { return this.count === 1 ? "1 step" : `${this.count} steps`; },

    /* ---- names to put into a text ---- */
    names(card, known) {
      const line = card.querySelector(".llm-flow-names");
      const visible = [...card.querySelectorAll(".rjf-form-row textarea")].some((area) => area.offsetParent && !area.disabled);
      line.hidden = !known.length || !visible;
      const wanted = known.map((one) => one.value).join("\n");
      const place = line.querySelector("[data-step-names]");
      if (place.dataset.shown === wanted) return;
      place.dataset.shown = wanted;
      place.replaceChildren(...known.map((one) => this.nameButton(card, one.value)));
    },
    nameButton(card, name) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "llm-chip llm-chip-variable";
      button.textContent = `{{${name}}}`;
      button.addEventListener("click", () => insert(targetOf(card), `{{${name}}}`));
      return button;
    },

    /* ---- the prompt's variables, when another prompt is chosen ---- */
    async followPrompt(card) {
      const data = formOf(card).getData();
      if (!("prompt" in data)) return;
      const reference = JSON.stringify([data.prompt || "", data.prompt_label || ""]);
      if (reference === card.dataset.reference) return;
      card.dataset.reference = reference;
      const names = data.prompt ? await this.variablesOf(data) : [];
      if (card.dataset.reference === reference && card.isConnected) this.remap(card, names);
    },
    async variablesOf({ prompt, prompt_label: label }) {
      const url = new URL(this.$root.dataset.variablesUrl, location.href);
      url.searchParams.set("prompt", prompt);
      url.searchParams.set("label", label || "");
      const response = await fetch(url);
      return response.ok ? (await response.json()).variables : [];
    },
    remap(card, names) {
      const form = formOf(card);
      const schema = JSON.parse(JSON.stringify(form.getSchema()));
      const data = JSON.parse(JSON.stringify(form.getData()));
      const kept = Object.entries(data.inputs || {}).filter(([, value]) => value);
      const all = [...new Set([...names, ...kept.map(([name]) => name)])];
      schema.properties.inputs.properties = Object.fromEntries(
        all.map((name) => [name, { type: "string", widget: "textarea", title: name, placeholder: `{{${name}}}` }]),
      );
      data.inputs = { ...Object.fromEntries(all.map((name) => [name, ""])), ...Object.fromEntries(kept) };
      form.update({ schema, data });
    },

    /* ---- cards ---- */
    async add(type, copied) {
      this.adding = true;
      const url = new URL(this.$root.dataset.cardUrl, location.href);
      url.searchParams.set("type", type);
      cards().forEach((card) => url.searchParams.append("taken", formOf(card).getData().id));
      (llmForms.of(inputsArea()).getData() || []).forEach((one) => url.searchParams.append("taken", one.name));
      await htmx.ajax("GET", url.pathname + url.search, { target: list(), swap: "beforeend" });
      this.adding = false;
      const card = cards().at(-1);
      if (!card || card.dataset.adopted) return null;
      await new Promise(requestAnimationFrame);
      this.adopt(card);
      card.dataset.adopted = "true";
      if (!copied) { this.changedOrder(`Step ${cards().length} added.`); focusOn(card); }
      return card;
    },
    async duplicate(event) {
      const from = cardOf(event);
      const data = JSON.parse(JSON.stringify(formOf(from).getData()));
      const card = await this.add(from.dataset.type, true);
      if (!card) return;
      data.id = formOf(card).getData().id;
      card.dataset.reference = from.dataset.reference;
      formOf(card).update({ schema: JSON.parse(JSON.stringify(formOf(from).getSchema())), data });
      from.after(card);
      this.changedOrder("Step duplicated.");
      focusOn(card);
    },
    shift(event, by) {
      const card = cardOf(event);
      const tool = event.target.closest("[data-tool]");
      const other = by < 0 ? card.previousElementSibling : card.nextElementSibling;
      if (!other) return;
      by < 0 ? other.before(card) : other.after(card);
      this.changedOrder(`Moved to place ${cards().indexOf(card) + 1}.`);
      (tool && !tool.disabled ? tool : card.querySelector("[data-tool='fold']")).focus();
    },
    moved() { this.changedOrder("Step moved."); },
    remove(event) {
      const card = cardOf(event);
      const next = card.nextElementSibling;
      this.removed = { card, next };
      card.remove();
      this.changedOrder("Step removed.");
      (next ? next.querySelector("[data-tool='fold']") : document.querySelector(".llm-add-type")).focus();
    },
    undo() {
      const { card, next } = this.removed;
      next && next.isConnected ? next.before(card) : list().append(card);
      this.changedOrder("The step is back.");
      focusOn(card);
    },
    changedOrder(news) {
      if (news !== "Step removed.") this.removed = null;
      this.problems = []; // their places are no longer those of the cards
      this.news = news;
      this.refresh();
    },
    fold(event) {
      const card = cardOf(event);
      this.setFolded(card, !card.classList.contains("llm-flow-folded"));
    },
    setFolded(card, folded) {
      card.classList.toggle("llm-flow-folded", folded);
      card.querySelector("[data-tool='fold']").setAttribute("aria-expanded", String(!folded));
      this.names(card, [...card.querySelectorAll("[data-step-names] button")].map((b) => choice(b.textContent.slice(2, -2))));
    },

    /* ---- problems, at their places ---- */
    showProblems(problems) {
      this.problems = problems;
      const at = (first, index) => problems.filter(({ location: [a, b] }) => a === first && b === index);
      cards().forEach((card, index) => this.showCard(card, at("steps", index)));
      const rows = problems.filter(({ location: [a, b] }) => a === "inputs" && typeof b === "number");
      llmForms.showErrors(llmForms.of(inputsArea()), gather(rows, 1));
      for (const field of document.querySelectorAll("#llm-run-form [data-input]")) this.showInput(field, at("inputs", field.dataset.input));
      requestAnimationFrame(() => requestAnimationFrame(() => {
        const wrong = document.querySelector("#llm-workflow [aria-invalid='true'], [data-step-problem]:not([hidden])");
        if (wrong) { wrong.scrollIntoView({ block: "center" }); if (wrong.focus) wrong.focus({ preventScroll: true }); }
      }));
    },
    showCard(card, problems) {
      const whole = problems.filter(({ location }) => location.length === 2).map((p) => p.message);
      const place = card.querySelector("[data-step-problem]");
      place.textContent = whole.join(" ");
      place.hidden = !whole.length;
      llmForms.showErrors(formOf(card), gather(problems.filter(({ location }) => location.length > 2), 2));
      card.classList.toggle("llm-flow-wrong", problems.length > 0);
      if (problems.length) this.setFolded(card, false);
    },
    showInput(field, problems) {
      problems.length ? field.setAttribute("aria-invalid", "true") : field.removeAttribute("aria-invalid");
      field.closest(".llm-field").querySelector("[data-input-problem]").textContent = problems.map((p) => p.message).join(" ");
    },
    /* What was said of the whole card may be settled by any change of it. */
    calm(card) {
      card.querySelector("[data-step-problem]").hidden = true;
      card.classList.toggle("llm-flow-wrong", Object.keys(formOf(card).errorMap || {}).length > 0);
    },
    problemAt(place) {
      const found = this.problems.filter((p) => p.location.length === place.length && place.every((part, i) => p.location[i] === part));
      return found.map((p) => p.message).join(" ");
    },
    forget(place) { this.problems = this.problems.filter((p) => !place.every((part, i) => p.location[i] === part)); },

    /* ---- running ---- */
    refreshFields() {
      const place = document.getElementById("llm-run-fields");
      if (!place) return;
      const values = { inputs: JSON.stringify(llmForms.of(inputsArea()).getData() || []) };
      for (const field of place.querySelectorAll("[data-input]")) values[field.name] = field.value;
      const headers = JSON.parse(place.closest("form").getAttribute("hx-headers"));
      htmx.ajax("POST", this.$root.dataset.fieldsUrl, { target: place, swap: "innerHTML", source: place, values, headers });
    },
    shortcut(event) {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) return;
      const form = document.getElementById("llm-run-form");
      if (!form || this.busy) return;
      event.preventDefault();
      form.requestSubmit();
    },
    guard(event) {
      if (event.target.id !== "llm-run-form") return;
      const now = Date.now();
      if (this.busy || now - this.lastRun < DOUBLE_CLICK_MS) return event.preventDefault();
      this.lastRun = now;
      this.busy = true;
      this.showProblems([]);
    },
    fillIn({ target, detail: { parameters } }) {
      if (target.id !== "llm-run-form") return;
      const spec = this.current();
      const names = new Set(spec.inputs.map((one) => `input-${one.name}`)); // the run form may lag behind a new name
      Object.keys(parameters).filter((key) => key.startsWith("input-") && !names.has(key)).forEach((key) => delete parameters[key]);
      parameters.spec = JSON.stringify(spec);
      parameters.client_key = this.clientKey;
      if (target.dataset.workflow) parameters.workflow = target.dataset.workflow;
      if (this.version) parameters.version = this.version;
    },
    answered({ target, detail }) {
      if (target.id !== "llm-run-form") return;
      const panel = document.querySelector("#llm-answer [data-run-id]");
      this.busy = !!document.querySelector("#llm-answer [data-run-open]");
      if (!detail.successful || !panel) return failed(detail.xhr);
      this.clientKey = freshKey();
      const address = new URL(location.href);
      address.searchParams.set("run", panel.dataset.runId);
      history.replaceState(history.state, "", address);
      document.body.dispatchEvent(new CustomEvent("llm:started", { detail: { id: panel.dataset.runId } }));
    },
    submitting() {
      this.$refs.spec.value = JSON.stringify(this.current());
      this.submitted = true;
    },
  }));

  function gather(problems, from) {
    const errors = {};
    for (const { location, message } of problems) (errors[location.slice(from).join(llmForms.separator)] ||= []).push(message);
    return errors;
  }

  function focusOn(card) {
    const field = [...card.querySelectorAll(".rjf-form-row :is(select, input:not([type=hidden]), textarea)")].find((one) => one.offsetParent);
    if (field) field.focus();
  }

  function targetOf(card) {
    if (card.lastText && card.lastText.isConnected && card.lastText.offsetParent) return card.lastText;
    return [...card.querySelectorAll(".rjf-form-row textarea")].find((area) => area.offsetParent);
  }

  /* As if typed, so that React notices. */
  function insert(area, text) {
    if (!area) return;
    area.focus();
    const { selectionStart: start, selectionEnd: end, value } = area;
    const setter = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;
    setter.call(area, value.slice(0, start) + text + value.slice(end));
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.setSelectionRange(start + text.length, start + text.length);
  }

  function debounce(call, ms) {
    let timer = 0;
    return () => { clearTimeout(timer); timer = setTimeout(call, ms); };
  }

  function failed(xhr) {
    if (xhr.responseText.includes('class="llm-problems"')) return;
    const box = document.createElement("div");
    box.className = "llm-problems";
    box.setAttribute("role", "alert");
    box.textContent = xhr.status
      ? "The server could not start this run. Your steps are still here; try again, and tell an operator if it stays so."
      : "The server cannot be reached. Your steps are still here; check your connection and try again.";
    document.getElementById("llm-answer").replaceChildren(box);
  }
});
