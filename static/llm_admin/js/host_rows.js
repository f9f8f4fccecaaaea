/* Ticking proposals: all, none, or a row's; the button says how many. Without a script each box stands for itself. */
document.addEventListener("DOMContentLoaded", () => {
  "use strict";

  const form = document.querySelector("[data-llm-host-review]");
  if (!form) return;
  const boxes = () => [...form.querySelectorAll("[data-tick-one]")];
  const button = form.querySelector("[data-apply]");

  form.querySelectorAll("[data-tick], [data-tick-row]").forEach((element) => { element.hidden = false; });

  /* At the end the page is loaded anew if more was answered since; not when somebody has chosen something already. */
  let chosen = false;
  document.body.addEventListener("htmx:afterSettle", () => {
    if (!chosen && document.querySelector("[data-more=all]")) location.reload();
  });

  form.addEventListener("click", (event) => {
    const all = event.target.closest("[data-tick]");
    if (!all) return;
    chosen = true;
    boxes().forEach((box) => { box.checked = all.dataset.tick === "all"; });
    show();
  });

  form.addEventListener("change", (event) => {
    chosen = true;
    if (event.target.matches("[data-tick-row]")) {
      const row = event.target.closest("[data-row]");
      row.querySelectorAll("[data-tick-one]").forEach((box) => { box.checked = event.target.checked; });
    }
    show();
  });

  function show() {
    form.querySelectorAll("[data-row]").forEach((row) => {
      const head = row.querySelector("[data-tick-row]");
      if (!head) return;
      const own = [...row.querySelectorAll("[data-tick-one]")];
      head.checked = own.length > 0 && own.every((box) => box.checked);
      head.indeterminate = !head.checked && own.some((box) => box.checked);
    });
    if (!button) return;
    const count = boxes().filter((box) => box.checked).length;
    button.textContent = count ? `Apply the ${count} ticked` : "Apply the ticked";
    button.disabled = !count;
  }

  show();
});
