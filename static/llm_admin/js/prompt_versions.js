"use strict";

/* Saving a prompt or a workflow: first a look at what changes, in a dialog. Without this script the buttons save at once. */
(() => {
  const SAVES = ".llm-save[data-review] [name=_draft], .llm-save[data-review] [name=_publish]";
  const PROBLEM = "The server cannot be reached. Your text is still here; check your connection and try again.";
  let opener = null;

  const dialog = () => document.getElementById("llm-review");
  const box = () => document.querySelector(".llm-save");

  /** What the dialog says when it cannot show the differences. */
  function sorry(text) {
    const place = document.createElement("div");
    place.className = "llm-review";
    const words = document.createElement("p");
    words.className = "llm-problems";
    words.setAttribute("role", "alert");
    words.id = "llm-review-title";
    words.textContent = text;
    const close = document.createElement("button");
    Object.assign(close, { type: "button", className: "llm-button", textContent: "Keep editing", autofocus: true });
    close.dataset.keepEditing = "";
    place.append(words, close);
    dialog().replaceChildren(place);
    open();
  }

  function open() {
    if (!dialog().open) dialog().showModal();
    dialog().querySelector("[autofocus]")?.focus();
  }

  function save(button) {
    button.dataset.reviewed = "yes";
    button.click();
    delete button.dataset.reviewed;
  }

  async function review(button) {
    const form = button.form;
    opener = button;
    const studio = window.Alpine && Alpine.$data(form);
    if (studio?.current) form.elements.spec.value = JSON.stringify(studio.current());
    const body = new FormData(form);
    body.set("intent", button.name);
    button.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(box().dataset.review, { method: "POST", body, headers: { "HX-Request": "true" } });
      const html = await answer.text();
      if (answer.status === 422) return save(button); // the page itself shows each problem at its place
      if (!answer.ok) return sorry("This cannot be saved now. Your text is still here. Reload the page in another tab to see why.");
      dialog().innerHTML = html;
      open();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // fetch tells a lost connection by a TypeError
      sorry(PROBLEM);
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  /** `_check` saves a draft, and goes on to the card for publishing. */
  function confirm(which, note) {
    const button = box().querySelector(which === "_publish" ? "[name=_publish]" : "[name=_draft]");
    const form = button.form;
    form.elements.note.value = note;
    form.querySelector("[name=_check]")?.remove();
    if (which === "_check") {
      const check = document.createElement("input");
      Object.assign(check, { type: "hidden", name: "_check", value: "1" });
      form.append(check);
    }
    dialog().close();
    save(button);
  }

  document.addEventListener("click", (event) => {
    const target = event.target.closest?.("button");
    if (!target) return;
    if (target.matches("[data-unfold]")) {
      const text = target.nextElementSibling;
      text.hidden = false;
      text.tabIndex = -1;
      target.remove();
      text.focus();
    } else if (target.matches("[data-keep-editing]")) {
      dialog().close();
    } else if (dialog() && target.matches(SAVES) && !target.dataset.reviewed) {
      event.preventDefault();
      if (!target.hasAttribute("aria-busy")) review(target);
    }
  });

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-review-form]")) return;
    event.preventDefault();
    const usual = event.target.querySelector("[data-default]"); // for Enter in the note
    const pressed = event.submitter?.matches(":focus") || !usual ? event.submitter : usual;
    if (pressed) confirm(pressed.value, event.target.elements.note?.value || "");
  });

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    const button = box()?.querySelector("[name=_draft], [name=_publish]");
    if (!button) return;
    event.preventDefault();
    if (!dialog()?.open && !event.repeat) button.click();
  });

  document.addEventListener("close", (event) => event.target === dialog() && opener?.focus(), true);

  // The note is asked for in the dialog.
  document.addEventListener("DOMContentLoaded", () => {
    if (dialog()) document.querySelector(".llm-save[data-review] .llm-save-note")?.setAttribute("hidden", "");
  });

  // The card has its own list of the test inputs, which follows the runs that were started; only a refusal is shown as it is.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target.id !== "llm-publish-run" || event.detail.xhr.status !== 200) return;
    event.detail.serverResponse = "";
    document.body.dispatchEvent(new CustomEvent("llm:tests"));
  });

  // A test that failed meanwhile changes what publishing is called.
  document.addEventListener("htmx:afterSettle", (event) => {
    const button = document.getElementById("llm-publish-button");
    if (event.target.id !== "llm-publish-tests" || !button) return;
    const failed = Number(event.target.querySelector("[data-failed]")?.dataset.failed || 0);
    if (failed && !button.textContent.includes("anyway")) button.textContent = `${button.textContent.replace(/ (to )?v\d+$/, "")} anyway`;
  });
})();
