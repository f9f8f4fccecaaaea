/* The workflow studio: what its parts (workflow_*.js) have in common, saving, and running. The step cards are jsonforms
 * (jsonform.js); all of them together are gathered into the one hidden field "spec". The server checks everything again.
 */
llmFlow.freshKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

document.addEventListener("alpine:init", () => {
  "use strict";

  const DOUBLE_CLICK_MS = 700;
  const { all, areaOf, dataOf, inputsArea, outputsArea, debounce, freshKey } = llmFlow;
  const stateNode = document.getElementById("llm-workflow-state");
  if (!stateNode) return;

  Alpine.data("llmWorkflow", () => ({
    ...llmFlow.parts,
    ...JSON.parse(stateNode.textContent),
    outputs: [],
    baseline: "",
    specText: "",
    titlesBefore: "",
    titlesNow: "",
    busy: false,
    adding: false,
    submitted: false,
    undos: [],
    news: "",
    count: 0,
    allFolded: false,
    placeTitle: "",
    removing: { title: "", text: "", users: [] },
    trying: { title: "" },
    inputNames: [],
    lastRun: 0,
    shortcutName: /Mac|iP/.test(navigator.platform) ? "⌘ ↵" : "Ctrl ↵",

    init() {
      this.busy = !!document.querySelector("#llm-answer [data-run-open]");
      document.body.addEventListener("llm:ended", ({ target }) => target.closest("#llm-answer") && (this.busy = false));
      window.addEventListener("beforeunload", (event) => this.dirty && !this.submitted && event.preventDefault());
      this.inputsChanged = debounce(() => this.refreshFields(), 350);
      // jsonform makes its forms on DOMContentLoaded, which comes after Alpine.
      document.readyState === "complete" ? this.start() : window.addEventListener("load", () => this.start());
    },
    start() {
      llmForms.ready(inputsArea(), () => { this.commitMoved(); this.refresh(); this.inputsChanged(); });
      llmForms.ready(outputsArea(), () => this.refresh());
      inputsArea().parentElement.addEventListener("focusout", () => this.settleNames());
      all().forEach((card) => this.adopt(card));
      this.startDiagram();
      this.refresh();
      this.commitNames();
      this.baseline = this.unsaved ? "" : this.specText;
      this.titlesNow = this.titles();
      this.titlesBefore = this.unsaved ? "" : this.titlesNow;
      if (this.problems.length) this.showProblems(this.problems);
      this.$root.dataset.ready = "";
    },
    adopt(card) {
      const { prompt, prompt_label: label } = dataOf(card);
      card.dataset.reference = JSON.stringify([prompt || "", label || ""]);
      llmForms.ready(areaOf(card), () => { this.calm(card); this.followPrompt(card); this.refresh(); });
      document.getElementById(`${areaOf(card).id}_jsonform`).addEventListener("focusout", () => this.settleNames());
    },

    /* ---- the spec ---- */
    current() {
      const several = this.several ? llmFlow.namedOutputs() : [];
      return { schema_version: 1, inputs: llmFlow.inputs(), steps: llmFlow.steps(), output: this.several ? "" : this.output, outputs: several };
    },
    get dirty() { return !!this.specText && (this.specText !== this.baseline || this.titlesNow !== this.titlesBefore); },
    titles() {
      const form = document.getElementById("workflow_form");
      return form.elements.name.value + "\n" + form.elements.description.value;
    },
    typed() { this.titlesNow = this.titles(); },
    refresh() {
      if (this.holding) return;
      this.names();
      this.drawDiagram();
      this.specText = JSON.stringify(this.current());
    },
    /* Many forms change at once: looked at when all of them have. */
    holdStill(change) {
      this.holding = true;
      const result = change();
      this.holding = false;
      this.refresh();
      return result;
    },
    choose(event) { this.output = event.target.value; this.forget(["output"]); this.refresh(); },
    giveSeveral(several) { this.several = several; this.$nextTick(() => this.refresh()); },
    counted() { return this.count === 1 ? "1 step" : `${this.count} steps`; },

    /* ---- running ---- */
    refreshFields() {
      const place = document.getElementById("llm-run-fields");
      if (!place) return;
      const values = { inputs: JSON.stringify(llmFlow.inputs()) };
      for (const field of place.querySelectorAll("[data-input]")) values[field.name] = field.value;
      const headers = JSON.parse(place.closest("form").getAttribute("hx-headers"));
      htmx.ajax("POST", this.$root.dataset.fieldsUrl, { target: place, swap: "innerHTML", source: place, values, headers });
    },
    shortcut(event) {
      if (event.key === "z" && (event.ctrlKey || event.metaKey) && !event.target.closest("input, textarea, select, dialog")) {
        event.preventDefault();
        return this.undo();
      }
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) return;
      const form = document.getElementById("llm-run-form");
      const trying = document.getElementById("llm-trying")?.open;
      if (document.querySelector("dialog[open]") && !trying) return;
      if (!form || (this.busy && !trying)) return;
      event.preventDefault();
      if (trying) return this.tryStep();
      this.settleNames();
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
      this.settleNames();
      this.$refs.spec.value = JSON.stringify(this.current());
      this.submitted = true;
    },
  }));

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
