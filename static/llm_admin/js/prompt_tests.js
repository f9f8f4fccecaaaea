/* Test inputs in the studio, the estimate before a run, and what a log brings into the studio.
 *
 * Requests marked with data-test-send get what stands in the editor: "spec", "values" (Try it), "version", "model",
 * "key" (a double click is one run).
 */
(() => {
  "use strict";

  const studio = () => (window.llmStudio ? window.llmStudio() : null);
  const freshKey = () => [...crypto.getRandomValues(new Uint8Array(8))].map((b) => b.toString(16).padStart(2, "0")).join("");
  const CLICK_MS = 1500;
  let lastKey = { key: "", at: 0, path: "" };

  /* ---- what requests carry ---- */

  function filledIn(page) {
    const values = {};
    for (const variable of page.variables) if (page.values[variable.name] !== undefined) values[variable.name] = page.values[variable.name];
    for (const name of page.placeholders) values[name] = (page.lists[name] || []).filter((past) => past.text.trim());
    return values;
  }

  function keyFor(path) {
    const now = Date.now();
    if (lastKey.path !== path || now - lastKey.at > CLICK_MS) lastKey = { key: freshKey(), at: now, path };
    return lastKey.key;
  }

  const senders = {
    spec: (page, sent) => (sent.spec = JSON.stringify(page.current())),
    values: (page, sent) => (sent.values = JSON.stringify(filledIn(page))),
    version: (page, sent) => (sent.version = page.version || ""),
    model: (page, sent) => (sent.model = page.model || ""),
    key: (page, sent, path) => (sent.client_key = keyFor(path + (sent.test || ""))),
  };

  document.addEventListener("htmx:configRequest", ({ detail }) => {
    const page = studio();
    const wanted = detail.elt.dataset.testSend;
    if (page && wanted) for (const name of wanted.split(" ")) senders[name](page, detail.parameters, detail.path);
    if (page && detail.elt.hasAttribute("data-llm-estimate")) {
      if (!page.dirty && page.version) detail.parameters.version = page.version;
      if (page.model) detail.parameters.model = page.model;
      else if (page.current().model) detail.parameters.own = page.current().model;
    }
    if (detail.elt.matches("[data-test-form], [data-compare-form]")) gatherLists(detail.elt, detail.parameters);
  });

  /* A refused form (422) is shown in its own place, and a refused run as a sentence: the list stays. */
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const { elt } = detail.requestConfig;
    if (!elt.closest("[data-llm-tests]") || detail.xhr.status < 400) return;
    const isForm = elt.matches("[data-test-form]") && detail.xhr.status === 422;
    detail.shouldSwap = true;
    detail.isError = false;
    detail.target = document.getElementById(isForm ? "llm-test-form" : "llm-test-problem");
    detail.swapOverride = "innerHTML";
  });

  document.addEventListener("htmx:afterSwap", ({ target, detail }) => {
    if (target.id === "llm-test-form") {
      (target.querySelector("[aria-invalid=true]") || target.querySelector("#llm-test-name"))?.focus();
      target.scrollIntoView({ block: "nearest" });
    }
    if (detail.requestConfig?.elt.matches("[data-test-send]") && detail.xhr.status < 400) {
      document.getElementById("llm-test-problem")?.replaceChildren();
      if (target.id === "llm-tests-card") document.querySelector("#llm-tests-card [data-test-send]")?.focus();
      const started = target.querySelector?.("[data-run-open]") || document.querySelector("#llm-tests-list [data-run-open]");
      if (started) document.body.dispatchEvent(new CustomEvent("llm:started", { detail: { id: started.dataset.runId } }));
    }
  });

  /* ---- rows of checks and of past messages ---- */

  function gatherLists(form, parameters) {
    for (const box of form.querySelectorAll("[data-past-list]")) {
      const past = [...box.querySelectorAll("[data-past]")].map((row) => ({ role: row.querySelector("select").value, text: row.querySelector("textarea").value }));
      parameters[box.querySelector("input[type=hidden]").name] = JSON.stringify(past.filter((one) => one.text.trim()));
    }
  }

  function addFrom(template) {
    const row = template.content.firstElementChild.cloneNode(true);
    template.before(row);
    row.querySelector("select").focus();
  }

  function remove(row) {
    const add = row.parentElement.querySelector("[data-check-add], [data-past-add]");
    row.remove();
    add.focus();
  }

  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("button, a");
    if (!button) return;
    if (button.matches("[data-check-add], [data-past-add]")) addFrom(button.parentElement.querySelector("template"));
    if (button.matches("[data-check-remove], [data-past-remove]")) remove(button.closest("[data-check], [data-past]"));
    if (button.matches("[data-test-cancel]")) {
      document.getElementById("llm-test-form").replaceChildren();
      document.querySelector("#llm-tests-card [data-test-send]")?.focus();
    }
  });

  document.addEventListener("change", ({ target }) => {
    if (target.name === "check-kind") target.closest("[data-check]").dataset.kind = target.value;
  });

  /* ---- the estimate follows the text and the model ---- */

  const estimate = () => document.querySelectorAll("[data-llm-estimate]").forEach((place) => htmx.trigger(place, "llm:estimate"));
  window.addEventListener("llm:edited", estimate);
  document.addEventListener("change", ({ target }) => target.matches("#llm-try-form [name=model]") && estimate());

  /* ---- from a log: what it was called with wins over what was typed here before ---- */

  document.addEventListener("alpine:initialized", () => {
    const page = studio();
    const given = page && page.fromLog;
    if (!given) return;
    for (const [name, value] of Object.entries(given.values)) page.values[name] = value;
    for (const [name, value] of Object.entries(given.lists)) page.lists[name] = value;
    page.model = given.model;
  });
})();
