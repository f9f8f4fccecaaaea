/* Variables as the studio's forms have them (texts), their values, and text files read in the browser. */
window.llmFields = (() => {
  "use strict";

  const LIMITED = { choice: ["choices"], number: ["range"], list: ["range"], text: ["length"], long_text: ["length"], file: ["length"] };
  const fits = (kind, detail) => (LIMITED[kind] || []).includes(detail);

  const read = (variable) => {
    const { shown } = llmSettings;
    return {
      name: variable.name, type: variable.type || "long_text", label: variable.label || "", help: variable.help || "",
      default: variable.default || "", required: variable.required ?? true, choices: (variable.choices || []).join("\n"),
      minimum: shown(variable.minimum), maximum: shown(variable.maximum), max_length: shown(variable.max_length),
    };
  };
  const write = (form) => {
    const { number, lines } = llmSettings;
    const { name, type, label, help, required } = form;
    const range = fits(type, "range");
    return {
      name, type, label, help, default: form.default, required,
      choices: fits(type, "choices") ? lines(form.choices) : [],
      minimum: range ? number(form.minimum) : null,
      maximum: range ? number(form.maximum) : null,
      max_length: fits(type, "length") ? number(form.max_length) : null,
    };
  };

  const titleOf = ({ name, label }) => {
    const words = name.replaceAll("_", " ");
    return label || words.charAt(0).toUpperCase() + words.slice(1).toLowerCase();
  };
  const described = (variable, kinds) => {
    const kind = (kinds[variable.type] || variable.type);
    return [kind, variable.required ? "required" : "optional", variable.default && "has a default"].filter(Boolean).join(", ");
  };

  /* A value as a form's text, and back: what cannot be read as its kind stays text, and the server says what is wrong. */
  const text = (value, type) => {
    if (type === "json" && value !== "") return JSON.stringify(value, null, 2);
    if (typeof value === "string") return value;
    if (typeof value === "boolean") return value ? "yes" : "no";
    if (Array.isArray(value) && value.every((one) => typeof one === "string" && one.trim() === one && one && !one.includes("\n"))
      && !/^\[[^]*\]$/.test(value.join("\n"))) return value.join("\n");
    return value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value, null, 2) : String(value);
  };
  const typed = (written, type) => {
    const trimmed = (written || "").trim();
    if (type === "number" && trimmed && Number.isFinite(Number(trimmed))) return Number(trimmed);
    if (type === "boolean" && ["yes", "no"].includes(trimmed)) return trimmed === "yes";
    if (type === "json" && trimmed) return llmSettings.json(trimmed).value;
    if (type !== "list") return written || "";
    const whole = /^\[[^]*\]$/.test(trimmed) ? llmSettings.json(trimmed).value : null;
    return Array.isArray(whole) ? whole : llmSettings.lines(written || "");
  };

  /* ---- a text file fills its field ---- */
  async function contentOf(file, most) {
    const tooLong = `“${file.name}” is longer than ${most.toLocaleString("en")} characters.`;
    if (file.size > most * 4) throw new RangeError(tooLong);
    const content = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    if (content.includes("\0")) throw new TypeError();
    if (content.length > most) throw new RangeError(tooLong);
    return content;
  }
  async function readFile(input) {
    const [file] = input.files;
    const box = document.getElementById(input.dataset.llmFile);
    const note = input.closest(".llm-field").querySelector("[data-file-note]");
    if (!file || !box) return;
    const tell = (words, wrong) => { note.textContent = words; note.className = wrong ? "llm-problem" : "llm-subtle"; };
    try {
      box.value = await contentOf(file, Number(input.dataset.most) || Infinity);
      box.dispatchEvent(new Event("input", { bubbles: true }));
      tell(`${file.name}: ${llmWords.counted(box.value) || "empty"}`, false);
    } catch (error) {
      const words = `“${file.name}” is not a text file in UTF-8. Save it as text, or paste its text below.`;
      tell(error instanceof RangeError ? error.message : words, true);
    }
    input.value = "";
  }
  // Before unfold hears of it: its own listener expects the admin's upload widget around every file field.
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.("input[data-llm-file]")) return;
    event.stopPropagation();
    readFile(event.target);
  }, true);

  return { read, write, fits, titleOf, described, text, typed };
})();
