// Batches: a dropped file, the parts of the progress bar, and what is said and shown anew while rows run.
(() => {
  "use strict";

  document.addEventListener("alpine:init", () => {
    Alpine.data("llmBatchFile", () => ({
      over: false,
      sent: false,
      init() { window.addEventListener("pageshow", () => { this.sent = false; }); },
      drop(event) {
        this.over = false;
        if (event.dataTransfer.files.length) this.$refs.file.files = event.dataTransfer.files;
      },
    }));
  });

  const widths = (root) => root.querySelectorAll(".llm-batch-part").forEach((part) => {
    part.style.width = `${(Number(part.dataset.count) / Math.max(Number(part.dataset.total), 1)) * 100}%`;
  });

  // Only what has changed, and not every row: data-said changes with each tenth.
  const say = (progress) => {
    const place = document.getElementById("llm-batch-said");
    if (place && place.textContent !== progress.dataset.said) place.textContent = progress.dataset.said;
  };

  // Nobody's reading is disturbed: not while something in the table is open, focused or selected.
  const disturbs = (rows) => {
    if (rows.querySelector("details[open]") || rows.contains(document.activeElement)) return true;
    const selection = document.getSelection();
    return selection && !selection.isCollapsed && rows.contains(selection.anchorNode);
  };

  let done = null;
  let later = 0;
  const moved = (progress) => {
    const now = `${progress.dataset.status} ${progress.dataset.done}`;
    if (done !== null && now !== done) {
      const rows = document.getElementById("llm-batch-rows");
      if (!rows) return;
      if (disturbs(rows)) {
        clearTimeout(later);
        later = setTimeout(shown, 3000);
        return;
      }
      htmx.trigger(document.body, "llm:batch-moved");
    }
    done = now;
  };

  const shown = () => {
    const progress = document.getElementById("llm-batch-progress");
    if (!progress) return;
    widths(progress);
    say(progress);
    moved(progress);
  };
  document.addEventListener("DOMContentLoaded", shown);
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "llm-batch-progress") shown();
  });
})();
