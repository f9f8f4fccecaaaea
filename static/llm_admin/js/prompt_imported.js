/* A prompt in an imported syntax: the server tells its variables, and says it in our own. Part of the component in prompt.js. */
window.llmImported = {
  told: { names: [], problems: [] }, // of the texts as they stand
  conversion: { html: "", sentences: [], spec: null },

  async askNames() {
    if (!this.maySave) return;
    const texts = this.messages.map((m) => (m.role === "placeholder" ? null : m.text));
    const answer = await this.post(this.links.names, { syntax: this.syntax, texts: JSON.stringify(texts) });
    if (!answer.ok) return;
    const { names, problems } = answer.data;
    // While a text is half typed its variables cannot be told: the fields stay as they were.
    this.told = { names: problems.length ? llmWords.unique([...names, ...this.told.names]) : names, problems };
  },
  async post(url, fields) {
    const token = document.querySelector("#prompt_form [name=csrfmiddlewaretoken]").value;
    try {
      const answer = await fetch(url, { method: "POST", headers: { "X-CSRFToken": token }, body: new URLSearchParams(fields) });
      return { ok: answer.ok, data: await answer.json() };
    } catch {
      return { ok: false, data: { sentences: ["The server cannot be reached, or could not do this. Nothing has changed; try again."] } };
    }
  },

  async convert() {
    const { ok, data } = await this.post(this.links.convert, { spec: this.specText });
    this.conversion = { html: data.html || "", sentences: data.sentences || [], spec: ok ? data.spec : null };
    document.getElementById("llm-convert").showModal();
  },
  useConverted() {
    const { spec } = this.conversion;
    document.getElementById("llm-convert").close();
    this.load({ spec });
  },
};
