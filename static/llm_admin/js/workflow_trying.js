/* "Try this step": one step alone, with values that can be edited, in a dialog that shows the run as it goes. */
(() => {
  "use strict";

  const { cardOf, locationOf, called, capital } = llmFlow;
  const dialog = () => document.getElementById("llm-trying");
  const place = () => document.getElementById("llm-trying-form");
  const answer = () => document.getElementById("llm-trying-answer");

  Object.assign(llmFlow.parts, {
    async openTrying(event) {
      const card = cardOf(event);
      this.settleNames();
      this.trying = { title: `Try ${called(card)}`, card: () => card, key: llmFlow.freshKey() };
      place().replaceChildren();
      answer().replaceChildren();
      dialog().showModal();
      await this.send(this.$root.dataset.tryFieldsUrl, new URLSearchParams(), place());
      const field = place().querySelector("[data-input]") || place().querySelector("button");
      if (field) field.focus();
    },
    async tryStep() {
      const button = place().querySelector("[data-try-run]");
      if (!button || button.disabled) return;
      const fields = new URLSearchParams(new FormData(button.form));
      fields.set("client_key", this.trying.key);
      button.disabled = true;
      const response = await this.send(this.$root.dataset.tryUrl, fields, answer());
      button.disabled = false;
      if (response && response.ok) this.trying.key = llmFlow.freshKey();
      this.showTryProblems(response);
    },
    showTryProblems(response) {
      const told = response && response.headers.get("HX-Trigger");
      const problems = told ? JSON.parse(told)["llm:problems"].problems : [];
      for (const field of place().querySelectorAll("[data-input]")) {
        this.showInput(field, problems.filter(({ location: [a, b] }) => a === "values" && b === field.dataset.input));
      }
      const wrong = place().querySelector("[aria-invalid='true']");
      if (wrong) wrong.focus();
    },
    async send(url, fields, target) {
      fields.set("spec", JSON.stringify(this.current()));
      fields.set("location", JSON.stringify(locationOf(this.trying.card())));
      fields.set("workflow", this.$root.dataset.document);
      fields.set("model", document.querySelector("#llm-run-form [name=model]")?.value || "");
      fields.set("run", document.querySelector("#llm-answer [data-run-id]")?.dataset.runId || "");
      const headers = { "X-CSRFToken": this.$root.dataset.csrf, "HX-Request": "true" };
      const response = await fetch(url, { method: "POST", body: fields, headers }).catch(() => null);
      if (response && (response.ok || response.status === 422)) target.innerHTML = await response.text();
      else target.replaceChildren(unanswered());
      htmx.process(target);
      llmRuns.scan();
      return response;
    },
    /* The texts that came with the form, after they were edited. */
    tryingClick(event) {
      if (!event.target.closest("[data-try-last]")) return;
      for (const field of place().querySelectorAll("[data-last]")) field.value = field.dataset.last;
      this.news = capital("the last run’s values are filled in.");
    },
    closedTrying() {
      const card = this.trying.card && this.trying.card();
      const tool = card && llmFlow.one(card, "[data-tool='try']");
      if (tool) tool.focus();
      answer().replaceChildren();
      llmRuns.scan();
    },
  });

  function unanswered() {
    const box = document.createElement("div");
    box.className = "llm-problems";
    box.setAttribute("role", "alert");
    box.textContent = "The server could not do this. Your steps are still here; try again, and tell an operator if it stays so.";
    return box;
  }
})();
