// Names for what unfold leaves nameless. Before SimpleBar starts, which reads them from the elements.
document.addEventListener("DOMContentLoaded", () => {
  const menu = document.getElementById("nav-sidebar-apps");
  if (menu) menu.dataset.simplebarAriaLabel = "Menu";
  // On a phone each cell stands behind its column's name, which unfold takes as the code has it.
  document.querySelectorAll("#result_list [data-label], .module [data-label]").forEach((cell) => {
    cell.dataset.label = cell.dataset.label.charAt(0).toUpperCase() + cell.dataset.label.slice(1);
  });
  document.querySelectorAll("thead th").forEach((header) => {
    if (header.textContent.trim() || header.querySelector("input")) return;
    const name = document.createElement("span");
    name.className = "llm-p-hidden";
    name.textContent = "Remove";
    header.append(name);
  });
});
