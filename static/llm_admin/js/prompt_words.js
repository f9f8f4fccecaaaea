/* What stands in a prompt's texts: variables, their marks, what was perhaps meant as one.
 * The patterns of our own syntax are those of llm_admin/schemas/template.py. Those of imported syntaxes only mark; which
 * variables such a text has, the server tells.
 */
window.llmWords = (() => {
  "use strict";

  const START = "\\p{L}\\p{Nl}\\p{No}_";
  const PART = "\\p{L}\\p{N}_";
  const REFERENCE = new RegExp(`\\{\\{\\s*([${START}][${PART}]*)\\s*\\}\\}`, "gu");
  const SINGLE = new RegExp(`(?<!\\{)\\{\\s*([${START}][${PART}]*(?: [${PART}]+){0,3})\\s*\\}(?!\\})`, "gu");
  const DOUBLE = /\{\{([^{}\n]{1,60})\}\}/g;
  const SYNTAXES = {
    console: { marks: REFERENCE, open: new RegExp(`\\{\\{\\s*([${PART}]*)$`, "u"), close: /^\s*\}\}/, write: (name) => `{{${name}}}` },
    "f-string": { marks: /\{\{|\}\}|\{[^{}\n]+\}/g, open: new RegExp(`(?<!\\{)\\{([${PART}]*)$`, "u"), close: /^\}/, write: (name) => `{${name}}` },
    jinja2: { marks: /\{\{[^]*?\}\}|\{%[^]*?%\}|\{#[^]*?#\}/g, open: new RegExp(`\\{\\{\\s*([${PART}]*)$`, "u"), close: /^\s*\}\}/, write: (name) => `{{ ${name} }}` },
  };
  const KEPT = 60;
  const LOOKED_BACK = 100; // a name has at most 60 letters

  /* The same texts are asked about several times for each key that is pressed. */
  const remembered = (work) => {
    const answers = new Map();
    return (text) => {
      if (!answers.has(text)) {
        if (answers.size >= KEPT) answers.clear();
        answers.set(text, work(text));
      }
      return answers.get(text);
    };
  };

  const unique = (names) => [...new Set(names)];
  const names = remembered((text) => unique([...text.matchAll(REFERENCE)].map((match) => match[1])));
  const lookalikes = remembered((text) => unique([...text.matchAll(SINGLE)].map((match) => match[1])).slice(0, 5));
  const misnamed = remembered((text) => {
    const written = [...text.matchAll(DOUBLE)].filter((match) => !names(match[0]).length && match[1].trim());
    return unique(written.map((match) => match[1])).slice(0, 5);
  });
  const identifier = (name) => name.trim().replace(new RegExp(`[^${PART}]+`, "gu"), "_").replace(/^(\p{Nd})/u, "_$1") || "_";
  const reference = (name) => `{{${identifier(name)}}}`;

  const markers = Object.fromEntries(Object.entries(SYNTAXES).map(([syntax, { marks }]) => [syntax, remembered((text) => {
    const found = [];
    let at = 0;
    for (const match of text.matchAll(marks)) {
      const kind = match[0] === "{{" || match[0] === "}}" ? "" : "llm-mark";
      found.push({ text: text.slice(at, match.index), kind: "" }, { text: match[0], kind });
      at = match.index + match[0].length;
    }
    found.push({ text: `${text.slice(at)}\n`, kind: "" });
    return found;
  })]));

  /* What is being typed before the caret, after the braces: {from, typed}, or null. */
  const opened = (text, caret, syntax) => {
    const before = text.slice(Math.max(0, caret - LOOKED_BACK), caret);
    const match = SYNTAXES[syntax].open.exec(before);
    return match && { from: caret - match[0].length, typed: match[1] };
  };

  const counted = (text) => {
    if (!text) return "";
    const tokens = Math.max(1, Math.round(text.length / 4));
    return `${text.length.toLocaleString("en")} characters, about ${tokens.toLocaleString("en")} ${tokens === 1 ? "token" : "tokens"}`;
  };

  return {
    unique, names, lookalikes, misnamed, reference, opened, counted,
    parts: (text, syntax) => markers[syntax](text),
    written: (name, syntax) => SYNTAXES[syntax].write(name),
    closing: (text, caret, syntax) => (SYNTAXES[syntax].close.exec(text.slice(caret, caret + LOOKED_BACK)) || [""])[0].length,
    asVariable: (text, name) => text.replace(SINGLE, (all, found) => (found === name ? reference(name) : all)),
    renamed: (text, name) => text.split(`{{${name}}}`).join(reference(name)),
  };
})();
