/* Small things of a run's page and of an approval: copy the link, one run for a double click, "are you sure?", was the text edited? */
(() => {
  "use strict";

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-llm-copy]");
    if (!button) return;
    const said = button.closest(".llm-run-todo").querySelector("[data-llm-copied]");
    try {
      await navigator.clipboard.writeText(button.dataset.llmCopy);
      said.textContent = "The link is copied.";
    } catch {
      said.textContent = button.dataset.llmCopy; // not allowed here: at least it can be copied by hand
    }
  });

  /* The button stays enabled: the key makes a second press the same run, and a disabled one would not send its value. */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-llm-once]")) return;
    if (form.dataset.sent) return event.preventDefault();
    if (form.dataset.llmSure && !window.confirm(form.dataset.llmSure)) return event.preventDefault();
    form.dataset.sent = "1";
  });

  /* Back from the cache of the browser's history: what is pressed now is meant anew. */
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("[data-llm-once]")) {
      delete form.dataset.sent;
      const key = form.elements.client_key;
      if (key) key.value = Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");
    }
  });

  document.addEventListener("input", (event) => {
    const text = event.target;
    if (!text.matches("[data-llm-proposed]")) return;
    const edited = text.value !== text.defaultValue;
    document.querySelector("[data-llm-edited]").textContent = edited ? "Edited: your text is what goes on." : "";
  });

  /* Ctrl or ⌘ and Enter approves, from either field. */
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    const form = event.target.closest(".llm-approval-form");
    if (!form) return;
    event.preventDefault();
    form.requestSubmit(form.querySelector("[value=approve]"));
  });
})();
