/* Adding a step: at the end of the workflow, or anywhere through a chooser of types. */
(() => {
  "use strict";

  const { list, all, cardsIn, dataOf, cardOf, formOf, called, focusOn } = llmFlow;
  const chooser = () => document.getElementById("llm-chooser");
  const TYPES = ".llm-add-type";

  Object.assign(llmFlow.parts, {
    /* A + between two cards, or the button at the end of a list within a step. */
    choosePlace(event) {
      const button = event.target.closest("button");
      const slot = button.closest("ol[data-slot], .llm-slot");
      const before = button.matches(".llm-insert") ? cardOf(event) : null;
      const into = before ? before.parentElement : slot.querySelector("ol[data-slot]");
      this.place = () => ({ slot: into, next: before });
      const card = before || cardOf(event);
      this.placeTitle = before ? `Insert a step before ${called(card)}` : `Add a step to “${into.getAttribute("aria-label")}” of ${called(card)}`;
      chooser().showModal();
      chooser().querySelector(TYPES).focus();
    },
    walkTypes(event) {
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const types = [...chooser().querySelectorAll(TYPES)];
      event.preventDefault();
      types[(types.indexOf(document.activeElement) + step + types.length) % types.length].focus();
    },
    addHere(type) {
      chooser().close();
      return this.add(type, this.place());
    },
    addAtEnd(type) { return this.add(type, { slot: list(), next: null }); },
    async add(type, place) {
      if (this.adding) return;
      const url = new URL(this.$root.dataset.cardUrl, location.href);
      url.searchParams.set("type", type);
      this.takenNames().forEach((name) => url.searchParams.append("taken", name));
      const focused = document.activeElement;
      const card = await this.fetchCard(url, {}, place);
      if (!card) return;
      this.changedOrder("Step added.", () => { card.remove(); });
      this.news = `Step ${card.dataset.number} added.`;
      /* Whoever went on to another field meanwhile stays there. */
      if (document.activeElement !== focused && document.activeElement !== document.body) return;
      focusOn(card);
      card.scrollIntoView({ block: "nearest" });
    },
    takenNames() {
      const entries = all().flatMap((card) => [dataOf(card).id, card.dataset.gives ? dataOf(card)[card.dataset.gives] : ""]);
      return [...entries, ...llmFlow.inputs().map((input) => input.name)].filter(Boolean);
    },
    /* The card in its place, with its form made; null (and said so) if the server did not give one. */
    async fetchCard(url, options, { slot, next }) {
      this.adding = true;
      const response = await fetch(url, { ...options, headers: { "HX-Request": "true", ...options.headers } }).catch(() => null);
      this.adding = false;
      if (!response || !response.ok) {
        this.news = response && response.status === 403 ? "Your role may not change this workflow." : "The step could not be added: the server did not answer. Try again.";
        return null;
      }
      const made = document.createElement("template");
      made.innerHTML = await response.text();
      const card = made.content.querySelector("[data-key]");
      next && next.parentElement === slot ? next.before(card) : slot.append(card);
      await formsMade(card);
      [card, ...card.querySelectorAll("[data-key]")].forEach((one) => this.adopt(one));
      return card;
    },
  });

  async function formsMade(card) {
    const cards = [card, ...card.querySelectorAll("[data-key]")];
    while (!cards.every((one) => formOf(one))) await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
  }
})();
