/* What django-jsonform leaves undone: names for screen readers, an empty choice that can be chosen, fields that hide until
 * they matter, folded groups, choices that change while somebody types, and an event when anything changed.
 * Loaded before the forms are made; `llmForms.ready(textarea)` is called once for each, after it was made.
 */
window.llmForms = (() => {
  "use strict";

  const SEPARATOR = "§";
  const FIELDS = "input:not([type=hidden]), select, textarea";
  let lastId = 0;

  const of = (textarea) => reactJsonForm.getFormInstance(`${textarea.id}_jsonform`);
  const box = (textarea) => document.getElementById(`${textarea.id}_jsonform`);
  const copy = (value) => JSON.parse(JSON.stringify(value));

  function ready(textarea, changed) {
    const form = of(textarea);
    form.addEventListener("change", ({ data, prevData }) => {
      if (JSON.stringify(data) === JSON.stringify(prevData)) return;
      forget(form, prevData, data);
      changed(form);
      textarea.dispatchEvent(new Event("input", { bubbles: true })); // jsonform's own buttons tell nobody
    });
    const dressed = () => dress(textarea, form);
    let waiting = 0;
    new MutationObserver(() => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(dressed);
    }).observe(box(textarea), { childList: true, subtree: true });
    dressed();
    fold(textarea, form);
  }

  /* ---- errors: {"inputs§topic": ["…"]}; each goes when its field changes ---- */

  function showErrors(form, errors) {
    form.update({ errorMap: errors });
  }

  function forget(form, before, after) {
    const errors = form.errorMap || {};
    const left = Object.keys(errors).filter((place) => at(before, place) === at(after, place));
    if (left.length === Object.keys(errors).length) return;
    form.update({ errorMap: Object.fromEntries(left.map((place) => [place, errors[place]])) });
  }

  function at(data, place) {
    const value = place.split(SEPARATOR).reduce((inner, key) => (inner == null ? inner : inner[key]), data);
    return JSON.stringify(value);
  }

  /* ---- choices: {variables: [{title, value}], …}; a value that is gone stays, and says so ---- */

  function offer(form, lists) {
    const schema = copy(form.getSchema());
    refill(schema, form.getData(), lists);
    if (JSON.stringify(schema) !== JSON.stringify(form.getSchema())) form.update({ schema });
  }

  function refill(schema, data, lists) {
    if (schema.type === "object") {
      for (const [name, one] of Object.entries(schema.properties || {})) refill(one, data && data[name], lists);
    } else if (schema.type === "array") {
      refill(schema.items, undefined, lists);
    } else if (lists[schema.choicesFrom]) {
      const empty = schema.choices.filter((choice) => choice.value === "");
      const found = [...empty, ...lists[schema.choicesFrom]];
      if (data && !found.some((choice) => choice.value === data)) {
        found.push({ title: `${data} (not before this step)`, value: data });
      }
      schema.choices = found;
    }
  }

  /* ---- dressing ---- */

  function dress(textarea, form) {
    const root = box(textarea);
    const schema = form.getSchema();
    root.querySelectorAll(".rjf-form-row").forEach(dressRow);
    root.querySelectorAll(".rjf-form-row-controls button, .rjf-collapse-button").forEach((button) => {
      button.setAttribute("aria-label", button.title);
    });
    root.querySelectorAll(".rjf-add-button").forEach((button) => {
      const group = button.closest(".rjf-form-group");
      const wording = addTitle(schema, groupTitle(group));
      if (button.textContent !== wording) button.textContent = wording;
      button.removeAttribute("title");
    });
    nameGroups(root);
    hide(root, form);
  }

  function dressRow(row) {
    // Not part of the page's form: what they hold is gathered, and Enter in one of them must not save the page.
    row.querySelectorAll("[name]").forEach((one) => one.setAttribute("form", "llm-none"));
    const field = row.querySelector(FIELDS);
    if (!field) return;
    field.id ||= `llm-form-${++lastId}`;
    const label = row.querySelector("label");
    if (label && !label.contains(field)) label.htmlFor = field.id;
    if (!label) field.setAttribute("aria-label", groupTitle(row.closest(".rjf-form-group")) || "Value");
    const notes = [...row.querySelectorAll(".rjf-help-text, .rjf-error-text")];
    notes.forEach((note) => (note.id ||= `llm-form-${++lastId}`));
    if (notes.length) field.setAttribute("aria-describedby", notes.map((note) => note.id).join(" "));
    else field.removeAttribute("aria-describedby");
    const wrong = row.querySelector(".rjf-error-text");
    wrong ? field.setAttribute("aria-invalid", "true") : field.removeAttribute("aria-invalid");
    if (field.tagName === "SELECT") nameEmptyChoice(field);
  }

  /* jsonform puts a disabled "Select..." before our own empty choice, and shows it instead. */
  function nameEmptyChoice(select) {
    const [first, ...others] = select.options;
    const empty = others.find((option) => option.value === "");
    if (!first || !first.disabled) return;
    const wording = empty ? empty.textContent : "Choose…";
    if (first.textContent !== wording) first.textContent = wording;
    first.hidden = !!empty;
  }

  function groupTitle(group) {
    const title = group && group.querySelector(":scope > .rjf-form-group-title, :scope > .rjf-form-group-inner > .rjf-form-group-title");
    return title && title.firstChild ? title.firstChild.textContent.trim() : "";
  }

  function addTitle(schema, title) {
    const found = arrays(schema).find((one) => (one.title || "") === title);
    return (found && found.add_title) || "Add";
  }

  function arrays(schema) {
    if (schema.type === "array") return [schema, ...arrays(schema.items)];
    return schema.type === "object" ? Object.values(schema.properties || {}).flatMap(arrays) : [];
  }

  function nameGroups(root) {
    root.querySelectorAll(".rjf-form-group").forEach((group) => {
      const title = groupTitle(group);
      if (!title) return;
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", title);
    });
    root.querySelectorAll(".rjf-collapse-button").forEach((button) => {
      const group = button.closest(".rjf-form-group");
      const open = !group.querySelector(".rjf-form-group-children.rjf-collapsed");
      button.setAttribute("aria-expanded", String(open));
      button.setAttribute("aria-label", `${groupTitle(group)}: show or hide`);
    });
  }

  /* ---- fields that matter only with, or without, others ---- */

  function hide(root, form) {
    const data = form.getData();
    const schema = form.getSchema();
    if (schema.type !== "object") return;
    for (const [name, one] of Object.entries(schema.properties)) {
      const row = rowOf(root, name);
      if (!row || !(one.shown_with || one.shown_without)) continue;
      const filled = (other) => !!String(data[other] || "").trim();
      const matters = (one.shown_with || []).every(filled) && !(one.shown_without || []).some(filled);
      row.classList.toggle("llm-form-hidden", !matters && !filled(name) && !row.querySelector(".rjf-error-text"));
    }
  }

  function rowOf(root, name) {
    const field = root.querySelector(`[name="${CSS.escape(`rjf${SEPARATOR}${name}`)}"]`);
    return field && field.closest(".rjf-form-row");
  }

  /* A group of settings that nobody has set begins folded. */
  function fold(textarea, form) {
    const schema = form.getSchema();
    for (const [name, one] of Object.entries(schema.properties || {})) {
      if (!one.collapsed || isFilled(form.getData()[name])) continue;
      const groups = [...box(textarea).querySelectorAll(".rjf-form-group")];
      const button = groups.find((group) => groupTitle(group) === one.title)?.querySelector(".rjf-collapse-button");
      if (button) button.click();
    }
  }

  function isFilled(value) {
    if (value && typeof value === "object") return Object.values(value).some(isFilled);
    return value !== null && value !== undefined && value !== "";
  }

  return { of, ready, offer, showErrors, rowOf: (textarea, name) => rowOf(box(textarea), name), separator: SEPARATOR };
})();
