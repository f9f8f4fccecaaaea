/* Typing the opening braces offers the variables that the prompt already has. Part of the component in prompt.js. */
window.llmOffers = {
  offers: { uid: 0, items: [], active: 0, from: 0, left: 0, top: 0 },

  offer(event, message) {
    const area = event.target;
    const caret = area.selectionStart;
    const found = caret === area.selectionEnd && this.maySave ? llmWords.opened(area.value, caret, this.syntax) : null;
    const wanted = found ? found.typed.toLowerCase() : "";
    const items = found ? this.offered(wanted) : [];
    if (!items.length) return this.closeOffers();
    this.offers = { ...this.offers, uid: message.uid, items, active: 0, from: found.from };
    this.$nextTick(() => this.placeOffers(area));
  },
  offered(wanted) {
    const known = llmWords.unique([...this.variables.map((variable) => variable.name), ...(this.spec.variables || []).map((variable) => variable.name)]);
    const fitting = known.filter((name) => name.toLowerCase().includes(wanted));
    return fitting.sort((a, b) => b.toLowerCase().startsWith(wanted) - a.toLowerCase().startsWith(wanted)).slice(0, 8);
  },
  /* The mirror behind the text has the same letters at the same places. */
  placeOffers(area) {
    const mirror = area.parentElement.querySelector(".llm-mirror");
    const walker = document.createTreeWalker(mirror, NodeFilter.SHOW_TEXT);
    let rest = this.offers.from;
    while (walker.nextNode() && rest >= walker.currentNode.length) rest -= walker.currentNode.length;
    if (!walker.currentNode || walker.currentNode.nodeType !== Node.TEXT_NODE) return;
    const range = document.createRange();
    range.setStart(walker.currentNode, rest);
    range.setEnd(walker.currentNode, Math.min(rest + 1, walker.currentNode.length));
    const place = range.getBoundingClientRect();
    const box = mirror.getBoundingClientRect();
    this.offers.left = Math.max(0, Math.min(place.left - box.left, box.width - 200));
    this.offers.top = place.bottom - box.top + 4;
  },
  closeOffers() { if (this.offers.uid) this.offers = { ...this.offers, uid: 0, items: [] }; },
  offerKey(event) {
    const { items, active } = this.offers;
    if (!items.length || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.offers.active = (active + step + items.length) % items.length;
    else if (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) this.takeOffer(event.target, items[active]);
    else if (event.key === "Escape") this.closeOffers();
    else return;
    event.preventDefault();
    event.stopPropagation();
  },
  takeOffer(area, name) {
    const caret = area.selectionStart;
    const end = caret + llmWords.closing(area.value, caret, this.syntax);
    const written = llmWords.written(name, this.syntax);
    // Only what is missing, where that is possible: an undo then leaves the caret where the person was typing.
    const typed = area.value.slice(this.offers.from, end);
    const rest = written.startsWith(typed) ? written.slice(typed.length) : written;
    area.focus();
    area.setSelectionRange(rest === written ? this.offers.from : end, end);
    this.closeOffers();
    // The browser's own undo knows of this one only.
    if (!document.execCommand("insertText", false, rest)) {
      area.setRangeText(rest, area.selectionStart, area.selectionEnd, "end");
      area.dispatchEvent(new Event("input", { bubbles: true }));
    }
    this.closeOffers();
  },
  clickOffer(event, name) { this.takeOffer(event.target.closest(".llm-text").querySelector("textarea"), name); },
};
