// The list of logs and the page of a call: folds that close by themselves, buttons that copy.
(() => {
  const menus = () => document.querySelectorAll("details[data-llm-menu][open]");

  document.addEventListener("click", (event) => {
    menus().forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    const button = event.target.closest("[data-llm-copy]");
    if (button) copy(button);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menus().forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });

  async function copy(button) {
    const source = button.closest(".llm-bubble").querySelector("[data-llm-copied]");
    const text = source.content ? source.content.textContent : source.textContent;
    const before = button.innerHTML;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select and copy it yourself";
    }
    setTimeout(() => (button.innerHTML = before), 2000);
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (navigator.clipboard) document.querySelectorAll("[data-llm-copy]").forEach((button) => (button.hidden = false));
    // Without what was left empty, addresses stay readable.
    const form = document.querySelector(".model-interactionlog #filter-form");
    form?.addEventListener("submit", () => {
      form.querySelectorAll("input, select").forEach((field) => (field.disabled = field.value === ""));
    });
  });
})();
