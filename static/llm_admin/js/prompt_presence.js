/* Who else has this prompt open, and what they have saved in the meantime. */
(() => {
  "use strict";

  const BEAT_MS = 15_000;
  const HIDDEN_MS = 120_000; // a tab in the background stays "here" for so long
  let timer = 0;
  let hiddenSince = 0;
  let shown = null;

  async function beat() {
    clearTimeout(timer);
    if (hiddenSince && Date.now() - hiddenSince > HIDDEN_MS) return leave();
    timer = setTimeout(beat, BEAT_MS);
    try {
      const response = await llmDrafts.post(llmDrafts.urls().here, { based_on: llmDrafts.basedOn() });
      if (response.ok) show(await response.text());
    } catch { /* offline, or logged out: the line about the draft says so */ }
  }

  /* The same news again would be read out again; the age of a version changes without being news. */
  function show(html) {
    const fresh = document.createElement("div");
    fresh.innerHTML = html;
    const news = [...fresh.querySelectorAll(".llm-here")].map((one) => one.dataset.llmSaved || one.textContent.trim()).join();
    const place = document.getElementById("llm-presence");
    if (news === shown || place.contains(document.activeElement)) return;
    shown = news;
    place.innerHTML = html;
  }

  const leave = () => llmDrafts.post(llmDrafts.urls().here, { leave: "1" }, { keepalive: true }).catch(() => {});

  document.addEventListener("alpine:initialized", () => {
    if (!llmDrafts.urls() || !llmDrafts.urls().here) return;
    beat();
    window.addEventListener("pagehide", leave);
    window.addEventListener("pageshow", (event) => event.persisted && beat());
    window.addEventListener("llm:merged", () => { shown = null; beat(); });
    document.addEventListener("visibilitychange", () => {
      const wasAway = hiddenSince && Date.now() - hiddenSince > BEAT_MS;
      hiddenSince = document.hidden ? Date.now() : 0;
      if (wasAway && !document.hidden) beat();
    });
  });
})();
