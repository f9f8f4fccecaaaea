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
    let waiting = 0;
    const dressSoon = () => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => dress(textarea, form));
    };
    form.addEventListener("change", ({ data, prevData }) => {
      if (JSON.stringify(data) === JSON.stringify(prevData)) return;
      forget(form, prevData, data);
      changed(form);
      dressSoon();
      textarea.dispatchEvent(new Event("input", { bubbles: true })); // jsonform's own buttons tell nobody
    });
    new MutationObserver(dressSoon).observe(box(textarea), { childList: true, subtree: true });
    dress(textarea, form);
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
    const asked = JSON.stringify([lists, form.getData()]);
    if (form.llmOffered === asked) return; // a schema can be large, and this is asked at every key
    form.llmOffered = asked;
    const schema = copy(form.getSchema());
    refill(schema, [form.getData()], lists);
    if (JSON.stringify(schema) !== JSON.stringify(form.getSchema())) form.update({ schema });
  }

  /* `values`: all that stand at this place, one for each entry of the lists around it. */
  function refill(schema, values, lists) {
    if (schema.type === "object") {
      for (const [name, one] of Object.entries(schema.properties || {})) refill(one, values.map((value) => value && value[name]), lists);
    } else if (schema.type === "array") {
      refill(schema.items, values.flatMap((value) => value || []), lists);
    } else if (lists[schema.choicesFrom]) {
      const empty = schema.choices.filter((choice) => choice.value === "");
      const found = [...empty, ...lists[schema.choicesFrom]];
      for (const value of values) {
        if (!value || found.some((choice) => choice.value === value)) continue;
        const why = schema.choicesFrom === "later_steps" ? "not after this step" : "not before this step";
        found.push({ title: `${value} (${why})`, value });
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
    unfoldErrors(root);
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
    hideIn(root.querySelector(".rjf-form-group"), form.getSchema(), form.getData(), "rjf");
  }

  function hideIn(group, schema, data, path) {
    const inner = group && group.querySelector(":scope > .rjf-form-group-inner > .rjf-form-group-children");
    if (!inner) return;
    const children = [...inner.children];
    if (schema.type === "array") {
      if (schema.items.type === "object") (data || []).forEach((one, at) => children[at] && hideIn(groupOf(children[at]), schema.items, one, `${path}${SEPARATOR}${at}`));
      return;
    }
    for (const [name, one] of Object.entries(schema.properties || {})) {
      const here = `${path}${SEPARATOR}${name}`;
      const isGroup = one.properties || one.type === "array";
      const node = children.find((child) => (isGroup ? groupTitle(groupOf(child)) === one.title : child.querySelector(`[name="${CSS.escape(here)}"]`)));
      if (!node) continue;
      if (isGroup) hideIn(groupOf(node), one, data && data[name], here);
      if (RULES.some((rule) => one[rule])) node.classList.toggle("llm-form-hidden", !matters(one, name, data || {}) && !node.querySelector(".rjf-error-text"));
    }
  }

  const RULES = ["shown_with", "shown_without", "shown_when", "hidden_when"];
  const groupOf = (node) => (node.matches(".rjf-form-group") ? node : node.querySelector(".rjf-form-group"));
  const isOne = ([field, wanted], data) => [].concat(wanted).includes(data[field]);

  function matters(schema, name, data) {
    if (schema.shown_when && !isOne(schema.shown_when, data)) return false;
    if (schema.hidden_when && isOne(schema.hidden_when, data)) return false;
    const alone = (schema.shown_with || []).every((other) => isFilled(data[other])) && !(schema.shown_without || []).some((other) => isFilled(data[other]));
    return alone || isFilled(data[name]);
  }

  /* A group of settings that nobody has set begins folded; one with an error opens. */
  function fold(textarea, form) {
    const schema = form.getSchema();
    for (const [name, one] of Object.entries(schema.properties || {})) {
      if (one.collapsed && !isSet(one, form.getData()[name])) toggle(box(textarea), one.title);
    }
  }

  function toggle(root, title) {
    const groups = [...root.querySelectorAll(".rjf-form-group")];
    const button = groups.find((group) => groupTitle(group) === title)?.querySelector(".rjf-collapse-button");
    if (button) button.click();
  }

  function unfoldErrors(root) {
    for (const folded of root.querySelectorAll(".rjf-form-group-children.rjf-collapsed")) {
      const button = folded.closest(".rjf-form-group").querySelector(".rjf-collapse-button");
      if (button && folded.querySelector(".rjf-error-text")) button.click();
    }
  }

  function isSet(schema, value) {
    if (schema.properties) return Object.entries(schema.properties).some(([name, one]) => isSet(one, value && value[name]));
    return isFilled(value) && value !== schema.default;
  }

  function isFilled(value) {
    if (value && typeof value === "object") return Object.values(value).some(isFilled);
    return value !== null && value !== undefined && value !== "" && String(value).trim() !== "";
  }

  return { of, ready, offer, showErrors, separator: SEPARATOR };
})();
