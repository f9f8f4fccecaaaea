/* "Run…" in a list: the link is a page of its own; with a script it opens in a dialog over the list. */
(() => {
  "use strict";

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-llm-run]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
      event.preventDefault();
      open(link.href, link);
    }
    if (event.target.closest("[data-llm-close]")) dialog().close();
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.id !== "changelist-form" || !form.elements.action || form.elements.action.value !== "run_selected") return;
    if (form.elements.select_across && form.elements.select_across.value === "1") return;
    const ids = [...form.querySelectorAll("input[name=_selected_action]:checked")].map((box) => box.value);
    const link = document.querySelector("a[data-llm-run]");
    if (!ids.length || ids.length > 20 || !link) return;
    event.preventDefault();
    const url = new URL(link.href);
    url.search = new URLSearchParams(ids.map((id) => ["pk", id])).toString();
    open(url.href, event.submitter);
  });

  document.addEventListener("keydown", (event) => {
    const form = event.target.closest && event.target.closest("[data-llm-run-form]");
    if (!form || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit();
  });

  function dialog() {
    let found = document.getElementById("llm-run-dialog");
    if (!found) {
      found = document.createElement("dialog");
      found.id = "llm-run-dialog";
      found.className = "llm-run-dialog";
      found.setAttribute("aria-labelledby", "llm-run-dialog-title");
      document.body.append(found);
    }
    return found;
  }

  async function open(url, opener) {
    const box = dialog();
    box.replaceChildren();
    const { pathname, search } = new URL(url);
    await htmx.ajax("GET", pathname + search, { target: box, swap: "innerHTML" });
    box.showModal();
    const field = box.querySelector("form input:not([type=hidden]), form textarea, form select");
    if (field) field.focus();
    box.addEventListener("close", () => { box.replaceChildren(); if (opener && opener.isConnected) opener.focus(); }, { once: true });
  }
})();
