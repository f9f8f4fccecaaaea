/* Somebody saved in between: choose part by part, put together, look, save. Each step can be undone. */
(() => {
  "use strict";

  let before = null; // what stood in the editor, for "Undo"

  const place = () => document.getElementById("llm-merge");
  const choice = () => document.getElementById("llm-merge-form");
  const tell = (text) => { const state = document.querySelector("[data-llm-merge-state]"); if (state) state.textContent = text; };

  async function ask(fields) {
    try {
      return await llmDrafts.post(llmDrafts.urls().merge, fields);
    } catch {
      tell("The server cannot be reached. Nothing is lost; try again.");
      return null;
    }
  }

  const mine = () => JSON.stringify(llmStudio().current());

  async function show() {
    place().hidden = false;
    const response = await ask({ base: llmDrafts.basedOn(), spec: mine() });
    if (response) choose(await response.text());
  }

  function choose(html) {
    place().innerHTML = html;
    place().scrollIntoView({ block: "start" });
    (place().querySelector("[data-missing] input") || document.getElementById("llm-merge-title"))?.focus();
  }

  async function put() {
    const response = await ask({ ...Object.fromEntries(new FormData(choice())), spec: mine(), action: "put" });
    if (!response) return;
    if (!(response.headers.get("content-type") || "").includes("json")) return choose(await response.text());
    const answer = await response.json();
    load(answer, answer.spec, `Both are put together. Look at the text below, then save it: it becomes v${answer.basedOn + 1}.`);
  }

  async function theirs() {
    const response = await ask({ action: "theirs" });
    if (!response) return;
    if (!response.ok) return choose(await response.text());
    const answer = await response.json();
    load(answer, answer.spec, `The text of v${answer.basedOn} is in the editor now; yours is dropped.`, true);
  }

  /* Names that this person did not change follow the other's. */
  function load(answer, spec, text, all = false) {
    const editor = llmStudio();
    const { name, description, baseline, saved, savedName, savedDescription, version } = editor;
    before = { spec: editor.current(), name, description, basedOn: llmDrafts.basedOn(), rest: { baseline, saved, savedName, savedDescription, version } };
    const named = {
      name: all || name === savedName ? answer.name : name,
      description: all || description === savedDescription ? answer.description : description,
    };
    Object.assign(editor, {
      saved: answer.theirs,
      baseline: editor.canonical(answer.theirs),
      savedName: answer.name,
      savedDescription: answer.description,
      version: answer.basedOn,
    });
    window.dispatchEvent(new CustomEvent("llm:load-spec", { detail: { spec, basedOn: answer.basedOn, ...named } }));
    done(text, answer.basedOn);
  }

  function done(text, number) {
    place().hidden = true;
    document.querySelectorAll("[data-llm-conflict]").forEach((notice) => (notice.hidden = true));
    const note = document.getElementById("llm-merge-done");
    note.hidden = false;
    note.firstElementChild.textContent = text;
    note.scrollIntoView({ block: "center" });
    note.focus();
    const next = document.querySelector(".llm-title-state strong");
    if (next) next.textContent = `v${number + 1}`;
    window.dispatchEvent(new CustomEvent("llm:edited", { detail: { spec: llmStudio().current(), dirty: llmStudio().dirty } }));
    window.dispatchEvent(new CustomEvent("llm:merged"));
  }

  function undo() {
    const { spec, name, description, basedOn, rest } = before;
    Object.assign(llmStudio(), rest);
    window.dispatchEvent(new CustomEvent("llm:load-spec", { detail: { spec, name, description, basedOn } }));
    document.getElementById("llm-merge-done").hidden = true;
    document.querySelectorAll("[data-llm-conflict]").forEach((notice) => (notice.hidden = false));
    place().hidden = false;
    document.getElementById("llm-merge-title")?.focus();
    window.dispatchEvent(new CustomEvent("llm:edited", { detail: { spec: llmStudio().current(), dirty: llmStudio().dirty } }));
  }

  /* Without https a browser gives no clipboard: then by the old way. */
  async function copy() {
    const text = llmStudio().messages.map((message) => message.text || `(${message.name})`).join("\n\n");
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const box = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(box);
      box.select();
      const copied = document.execCommand("copy");
      box.remove();
      if (!copied) return tell("This browser does not allow copying; select the text below.");
    }
    tell("Your text is copied.");
  }

  const ACTIONS = { show, put, theirs, undo, copy };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-llm-merge]");
    if (button) ACTIONS[button.dataset.llmMerge]();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "llm-merge-form") return;
    event.preventDefault();
    put();
  });
  window.addEventListener("llm:merge", show);
  window.addEventListener("load", () => choice() && document.getElementById("llm-merge-title").focus());
})();
