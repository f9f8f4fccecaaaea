// Names for what unfold leaves nameless. Before SimpleBar starts, which reads them from the elements.
document.addEventListener("DOMContentLoaded", () => {
  const menu = document.getElementById("nav-sidebar-apps");
  if (menu) menu.dataset.simplebarAriaLabel = "Menu";
  document.querySelectorAll("thead th").forEach((header) => {
    if (header.textContent.trim() || header.querySelector("input")) return;
    const name = document.createElement("span");
    name.className = "llm-p-hidden";
    name.textContent = "Remove";
    header.append(name);
  });
});
