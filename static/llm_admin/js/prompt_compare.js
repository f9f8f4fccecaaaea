/* Compare: choosing columns, filling in values, and what happens as answers end. Unsaved text comes from the studio
 * through this tab's storage, and "Keep this one" goes back the same way.
 */
(() => {
  "use strict";

  const MOST_COLUMNS = 4;
  const MOST_RUNS = 100;
  const handed = (prompt) => `llm-compare-${prompt}`;
  const kept = (prompt) => `llm-keep-${prompt}`;

  const read = (key) => {
    try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; }
  };
  const write = (key, value) => {
    try { sessionStorage.setItem(key, JSON.stringify(value)); return true; } catch { return false; }
  };
  const freshKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

  /* ---- the studio's side ---- */

  const basedOn = () => document.querySelector("#prompt_form [name=based_on]");

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-llm-compare]");
    const page = link && window.llmStudio && window.llmStudio();
    if (!page) return;
    if (page.dirty) write(handed(link.dataset.llmCompare), page.current());
    else sessionStorage.removeItem(handed(link.dataset.llmCompare));
    page.submitted = true; // what is unsaved comes along: no question whether to leave
    setTimeout(() => (page.submitted = false), 1000);
    if (page.dirty) write(kept(link.dataset.llmCompare), { spec: page.current(), basedOn: basedOn().value });
  });

  document.addEventListener("alpine:initialized", () => {
    const page = window.llmStudio && window.llmStudio();
    const back = page && page.prompt && read(kept(page.prompt));
    if (!back) return;
    sessionStorage.removeItem(kept(page.prompt));
    // Somebody saved in the meantime: what was unsaved is still based on what it was, and has to be put together with it.
    const outdated = back.basedOn && Number(back.basedOn) < Number(basedOn().value);
    window.dispatchEvent(new CustomEvent("llm:load-spec", { detail: { spec: back.spec, ...(outdated && { basedOn: back.basedOn }) } }));
    if (outdated) setTimeout(() => window.dispatchEvent(new CustomEvent("llm:merge")));
  });

  /* ---- the compare page ---- */

  document.addEventListener("DOMContentLoaded", () => {
    const page = document.querySelector("[data-compare-page]");
    if (page) start(page);
  });

  function start(page) {
    const { prompt } = page.dataset;
    const form = page.querySelector("[data-compare-form]");
    const grid = page.querySelector("#llm-compare-grid");
    if (form) choosing(page, form, read(handed(prompt)) || storedDraft());

    grid.addEventListener("change", ({ target }) => {
      if (target.matches("[data-compare-marks]")) target.closest("[data-compare]").classList.toggle("llm-compare-marked", target.checked);
    });
    grid.addEventListener("click", ({ target }) => {
      const button = target.closest("[data-compare-keep]");
      if (!button) return;
      const spec = JSON.parse(grid.querySelector(`[data-compare-spec="${button.dataset.compareKeep}"] script`).textContent);
      if (write(kept(prompt), { spec })) location.href = page.dataset.studio;
      else complain("This text is too large to be handed to the studio. Open its version there instead.");
    });
    document.body.addEventListener("llm:ended", ({ target }) => rowEnded(target));
  }

  const storedDraft = () => {
    const element = document.getElementById("llm-compare-stored");
    return element ? JSON.parse(element.textContent) : null;
  };

  function complain(sentence) {
    const box = document.createElement("div");
    box.className = "llm-problems";
    box.setAttribute("role", "alert");
    box.textContent = sentence;
    document.getElementById("llm-compare-problem").replaceChildren(box);
  }

  /* When nothing of a row is open any more, it is fetched whole: with its differences and its spread. */
  function rowEnded(element) {
    const row = element.closest?.("[data-compare-row]");
    if (row && !row.querySelector("[data-run-open]")) htmx.ajax("GET", row.dataset.compareRow, { source: row, target: row, swap: "outerHTML" });
    const stop = document.querySelector("[data-compare-stop]");
    if (stop && !document.querySelector("#llm-compare-grid [data-run-open]")) stop.hidden = true;
  }

  /* ---- the form ---- */

  function choosing(page, form, draft) {
    const picks = () => [...form.querySelectorAll("[data-pick]")];
    const values = form.querySelector("[data-compare-values]");
    form.elements.draft.value = draft ? JSON.stringify(draft) : "";
    if (!draft) form.querySelectorAll("[data-draft]").forEach((option) => option.remove());
    if (!draft) form.querySelector("[data-pick-template]").content.querySelector("[data-draft]").remove();
    if (draft && !new URL(location.href).searchParams.has("c")) picks().at(-1).querySelector("select").value = "draft";

    const refresh = () => {
      picks().forEach((pick, at) => {
        pick.querySelector("[data-pick-title]").textContent = `Column ${at + 1}`;
        pick.querySelector("[data-pick-remove]").disabled = picks().length < 3;
        pick.querySelectorAll("select").forEach((select) => select.setAttribute("aria-label", `${select.name === "column-what" ? "Version" : "Model"} of column ${at + 1}`));
      });
      form.querySelector("[data-pick-add]").hidden = picks().length >= MOST_COLUMNS;
      recount();
    };
    const byTests = () => form.elements.by.value === "tests";
    const rows = () => (byTests() ? Number(form.querySelector("[data-tests]").dataset.tests) : 1);
    const recount = () => {
      const each = rows() * Math.max(1, Number(form.elements.times.value) || 1);
      const total = each * picks().length;
      values.hidden = byTests();
      form.querySelector("[data-compare-count]").textContent = total > MOST_RUNS ? `${total} runs: at most ${MOST_RUNS} can run at once` : `${total} runs`;
      form.querySelectorAll("[data-llm-estimate]").forEach((place) => {
        place.dataset.count = each;
        htmx.trigger(place, "llm:estimate");
      });
    };

    form.addEventListener("click", ({ target }) => {
      if (target.closest("[data-pick-add]")) {
        const template = form.querySelector("[data-pick-template]");
        const made = template.content.firstElementChild.cloneNode(true);
        template.before(made);
        htmx.process(made);
        made.querySelector("select").focus();
        refresh();
      }
      if (target.closest("[data-pick-remove]")) {
        target.closest("[data-pick]").remove();
        refresh();
        form.querySelector("[data-pick-add]").focus();
      }
    });
    form.addEventListener("change", ({ target }) => {
      if (target.name === "column-what") htmx.trigger(values, "llm:columns");
      if (target.closest("[data-pick]") || target.name === "by") recount();
    });
    // While typing: on leaving the field, the text would grow and move the button away from under the click.
    form.addEventListener("input", ({ target }) => target.name === "times" && recount());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.repeat) form.requestSubmit();
    });
    document.addEventListener("htmx:configRequest", ({ detail }) => {
      const pick = detail.elt.matches("[data-llm-estimate]") && detail.elt.closest("[data-pick]");
      if (!pick) return;
      const [what, model] = [...pick.querySelectorAll("select")].map((select) => select.value);
      Object.assign(detail.parameters, { count: detail.elt.dataset.count || 1, model });
      if (what === "draft") detail.parameters.own = (draft && draft.model) || "";
      else detail.parameters.version = what;
    });
    document.addEventListener("htmx:beforeSwap", ({ detail }) => {
      if (detail.xhr.status < 400 || !detail.requestConfig.elt.closest("[data-compare-page]")) return;
      detail.shouldSwap = !detail.requestConfig.elt.matches("[data-llm-estimate], [data-compare-row]");
      detail.isError = false;
      detail.target = document.getElementById("llm-compare-problem");
      detail.swapOverride = "innerHTML";
    });
    form.addEventListener("htmx:afterRequest", ({ detail, target }) => {
      if (target !== form || detail.xhr.status >= 400 || !detail.xhr.status) return;
      form.elements.client_key.value = freshKey();
      document.getElementById("llm-compare-problem").replaceChildren();
      document.getElementById("llm-compare-grid").scrollIntoView({ block: "start", behavior: "smooth" });
    });

    /* The fields come anew when the columns change; what was typed while they were on their way stays. */
    let typed = new Map();
    let focused = "";
    values.addEventListener("htmx:beforeSwap", ({ target }) => {
      if (target !== values) return;
      typed = new Map([...values.querySelectorAll("[name]")].map((field) => [field.name, field.value]));
      focused = values.contains(document.activeElement) ? document.activeElement.name : "";
    });
    values.addEventListener("htmx:afterSwap", ({ target }) => {
      if (target !== values) return;
      for (const field of values.querySelectorAll("[name]")) if (typed.get(field.name)) field.value = typed.get(field.name);
      if (focused && form.elements[focused]?.focus) form.elements[focused].focus();
    });

    fillFrom(read(`llm-try-${page.dataset.prompt}`));
    refresh();
    if (draft) htmx.trigger(values, "llm:columns");

    /* What was filled in under "Try it" stands here, too. */
    function fillFrom(tried) {
      for (const [name, value] of Object.entries((tried && tried.values) || {})) {
        const field = form.elements[`input-${name}`];
        if (field && !field.value && typeof value === "string") field.value = value;
      }
    }
  }
})();
