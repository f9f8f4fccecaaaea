/* Running what stands in the editor, saved or not. Part of the component in prompt.js. */
window.llmTrying = (() => {
  "use strict";

  const DOUBLE_CLICK_MS = 700;
  const freshKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

  return {
    lastRun: 0,

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
      if (this.prompt && !this.changedText) parameters.version = this.version;
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
      this.lastRun = 0; // nothing ran: the next try is no double click
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
  };
})();
