/* The flow as a picture: nested lists that read as text, drawn by workflow.css. A node leads to its card. */
(() => {
  "use strict";

  const { list, cardsIn, dataOf, slotsOf, isOff, titleOf, one, focusOn } = llmFlow;
  const NARROW = matchMedia("(max-width: 1100px)");
  const FOLDED = "llm-map-folded";

  Object.assign(llmFlow.parts, {
    startDiagram() {
      const map = document.getElementById("llm-map");
      map.open = localStorage.getItem(FOLDED) === null ? !NARROW.matches : localStorage.getItem(FOLDED) === "0";
      // A click, not "toggle": that also comes of what was set here.
      map.querySelector("summary").addEventListener("click", () => localStorage.setItem(FOLDED, map.open ? "1" : "0"));
      const place = () => document.querySelector(`[data-map-place="${NARROW.matches ? "steps" : "pane"}"]`).append(map);
      NARROW.addEventListener("change", place);
      place();
    },
    drawDiagram() {
      const map = document.getElementById("llm-map");
      map.hidden = !this.count;
      const place = document.getElementById("llm-map-flow");
      const drawn = this.flow(list());
      const wanted = drawn.outerHTML;
      if (place.dataset.drawn === wanted) return;
      place.dataset.drawn = wanted;
      place.replaceChildren(drawn);
    },
    flow(slot) {
      const found = make("ol", "llm-map-list");
      found.append(...cardsIn(slot).map((card) => this.node(card)));
      return found;
    },
    node(card) {
      const slots = slotsOf(card);
      const item = make("li", `llm-map-item llm-map-${card.dataset.type.replace(/\W/g, "")}${isOff(card) ? " llm-map-off" : ""}`);
      item.dataset.group = card.dataset.group;
      item.append(this.button(card));
      if (slots.length) {
        const ways = make("div", slots.length > 1 ? "llm-map-ways" : "llm-map-loop");
        slots.forEach((slot) => {
          const way = make("div", "llm-map-way");
          way.append(make("span", "llm-map-label", slot.getAttribute("aria-label")), cardsIn(slot).length ? this.flow(slot) : make("span", "llm-map-nothing", "nothing"));
          ways.append(way);
        });
        item.append(ways);
      }
      const failure = dataOf(card).failure;
      if (failure && failure.action === "go_to" && failure.go_to) item.append(make("span", "llm-map-note", `if it fails: on to “${failure.go_to}”`));
      return item;
    },
    button(card) {
      const button = make("button", "llm-map-node");
      button.type = "button";
      button.dataset.for = card.dataset.key;
      const icon = make("span", "material-symbols-outlined", card.dataset.type === "approval" ? "pause_circle" : card.dataset.icon);
      icon.setAttribute("aria-hidden", "true");
      button.append(icon, make("span", "llm-map-number", card.dataset.number), make("span", "llm-map-title", titleOf(card)));
      if (isOff(card)) button.append(make("span", "llm-sr", ", switched off"));
      if (card.dataset.type === "approval") button.append(make("span", "llm-sr", ", waits for somebody"));
      button.addEventListener("click", () => this.goTo(card));
      return button;
    },
    goTo(card) {
      for (let around = card; around; around = around.parentElement.closest("[data-key]")) this.setFolded(around, false);
      this.refresh();
      card.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
      const field = one(card, "[data-tool='fold']");
      field ? field.focus({ preventScroll: true }) : focusOn(card);
    },
  });

  function make(tag, name, text) {
    const node = document.createElement(tag);
    node.className = name;
    if (text !== undefined) node.textContent = text;
    return node;
  }
})();
