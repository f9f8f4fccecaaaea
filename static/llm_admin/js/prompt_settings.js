/* The settings that a version of a prompt keeps: as fields of a form (texts), and as the spec has them. */
window.llmSettings = (() => {
  "use strict";

  const NUMBERS = ["temperature", "top_p", "max_tokens", "presence_penalty", "frequency_penalty", "seed"];
  const WORDS = { temperature: "temperature", top_p: "top p", max_tokens: "at most", presence_penalty: "presence penalty", frequency_penalty: "frequency penalty", seed: "seed" };
  const TYPES = {
    text: { type: "string" }, number: { type: "number" }, whole_number: { type: "integer" }, yes_no: { type: "boolean" },
    list: { type: "array", items: { type: "string" } }, object: { type: "object" },
  };
  let lastUid = 0;

  const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
  const number = (text) => {
    const written = String(text).trim().replace(",", ".");
    if (!written) return null;
    return Number.isFinite(Number(written)) ? Number(written) : written; // what is no number, the server refuses at its place
  };
  const shown = (value) => (value === null || value === undefined ? "" : String(value));
  const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

  /* A stop sequence may hold line breaks, yet each stands in a line of its own. */
  const escaped = (stop) => stop.replace(/\\/g, "\\\\").replace(/\n/g, "\\n").replace(/\t/g, "\\t");
  const unescaped = (line) => line.replace(/\\([\\nt])/g, (all, letter) => ({ "\\": "\\", n: "\n", t: "\t" })[letter]);

  const json = (text) => {
    try { return { value: JSON.parse(text), problem: "" }; } catch (error) { return { value: text, problem: `This is not JSON yet: ${error.message}.` }; }
  };
  const jsonObject = (text) => {
    const found = json(text);
    const fits = found.value && typeof found.value === "object" && !Array.isArray(found.value);
    return found.problem || fits ? found : { ...found, problem: 'This must begin with "{" and end with "}".' };
  };

  const field = ({ name = "", type = "text", description = "", choices = [], required = true } = {}) =>
    ({ uid: ++lastUid, name, type, description, choices: choices.join("\n"), required });
  const writtenField = ({ name, type, description, choices, required }) =>
    ({ name: name.trim(), type, description, choices: type === "text" ? lines(choices) : [], required });

  const read = ({ model, cache, parameters = {}, output = {} } = {}) => ({
    model: model || "",
    cache: cache || "",
    ...Object.fromEntries(NUMBERS.map((name) => [name, shown(parameters[name])])),
    stop: (parameters.stop || []).map(escaped).join("\n"),
    extra: parameters.extra && Object.keys(parameters.extra).length ? pretty(parameters.extra) : "",
    format: output.format || "text",
    fields: (output.fields || []).map(field),
    own: output.json_schema !== null && output.json_schema !== undefined,
    schema: output.json_schema ? pretty(output.json_schema) : "",
  });

  const write = (form) => ({
    model: form.model || null,
    cache: form.cache,
    parameters: {
      ...Object.fromEntries(NUMBERS.map((name) => [name, number(form[name])])),
      stop: form.stop.split("\n").filter((line) => line !== "").map(unescaped),
      extra: form.extra.trim() ? jsonObject(form.extra).value : {},
    },
    output: form.format === "text" ? { format: "text", fields: [], json_schema: null } : {
      format: form.format,
      fields: form.own ? [] : form.fields.map(writtenField),
      json_schema: form.own && form.schema.trim() ? jsonObject(form.schema).value : null,
    },
  });

  const schemaOf = (fields) => {
    const written = fields.map(writtenField).filter(({ name }) => name);
    const property = ({ type, description, choices }) => ({
      ...TYPES[type], ...(description && { description }), ...(choices.length && { enum: choices }),
    });
    return {
      type: "object",
      properties: Object.fromEntries(written.map((one) => [one.name, property(one)])),
      required: written.filter(({ required }) => required).map(({ name }) => name),
      additionalProperties: false,
    };
  };

  /* Whether an answer that was given before may be given again; `mode` is what the workspace says, "" where nothing is kept. */
  const mayBeCached = (form, mode) => {
    const said = form.cache || mode;
    return !!mode && (said === "always" || (said === "deterministic" && number(form.temperature) === 0));
  };

  const summary = (form, modelName) => {
    const set = NUMBERS.filter((name) => shown(form[name]).trim());
    const told = set.map((name) => `${WORDS[name]} ${form[name]}${name === "max_tokens" ? " tokens" : ""}`);
    const further = [form.stop.trim() && "stop sequences", form.extra.trim() && "further settings"].filter(Boolean);
    return [modelName, ...told, ...further, form.format === "json" ? "JSON" : "Text"].join(" · ");
  };

  return { read, write, field, schemaOf, summary, mayBeCached, lines, number, shown, json, jsonObject };
})();
