// Names for what unfold leaves nameless. Before SimpleBar starts, which reads them from the elements.
document.addEventListener("DOMContentLoaded", () => {
  const menu = document.getElementById("nav-sidebar-apps");
  if (menu) menu.dataset.simplebarAriaLabel = "Menu";
  document.querySelectorAll("thead th").forEach((header) => {
    if (!header.textContent.trim() && !header.querySelector("input")) header.setAttribute("aria-label", "Remove");
  });
});
