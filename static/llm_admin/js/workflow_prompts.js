/* The card of a step that names a saved prompt: its variables are filled in one by one, its answer's keys are known. */
(() => {
  "use strict";

  const { formOf, dataOf, copy } = llmFlow;

  Object.assign(llmFlow.parts, {
    async followPrompt(card) {
      const data = dataOf(card);
      if (!("prompt" in data)) return;
      const reference = JSON.stringify([data.prompt || "", data.prompt_label || ""]);
      if (reference === card.dataset.reference) return;
      card.dataset.reference = reference;
      const { variables, keys } = data.prompt ? await this.factsOf(data) : { variables: [], keys: [] };
      if (card.dataset.reference !== reference || !card.isConnected) return;
      card.dataset.keys = keys.join("\n");
      remap(card, variables);
      this.refresh();
    },
    async factsOf({ prompt, prompt_label: label }) {
      const url = new URL(this.$root.dataset.variablesUrl, location.href);
      url.searchParams.set("prompt", prompt);
      url.searchParams.set("label", label || "");
      const response = await fetch(url);
      return response.ok ? response.json() : { variables: [], keys: [] };
    },
  });

  function remap(card, names) {
    const form = formOf(card);
    const schema = copy(form.getSchema());
    const data = copy(form.getData());
    const kept = Object.entries(data.inputs || {}).filter(([, value]) => value);
    const all = [...new Set([...names, ...kept.map(([name]) => name)])];
    schema.properties.inputs.properties = Object.fromEntries(
      all.map((name) => [name, { type: "string", widget: "textarea", title: name, placeholder: `{{${name}}}` }]),
    );
    data.inputs = { ...Object.fromEntries(all.map((name) => [name, ""])), ...Object.fromEntries(kept) };
    form.update({ schema, data });
  }
})();
