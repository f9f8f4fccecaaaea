/* The workflow studio's cards as a tree, and the spec that they stand for. The page is the only place where the steps are;
 * each concern of the studio is a file that adds its methods to `llmFlow.parts` (workflow.js puts them together).
 */
window.llmFlow = (() => {
  "use strict";

  const parts = {};
  const list = () => document.getElementById("llm-steps");
  const areaOf = (card) => document.getElementById(`step-${card.dataset.key}`);
  const formOf = (card) => llmForms.of(areaOf(card));
  const dataOf = (card) => formOf(card).getData();
  const cardOf = (event) => event.target.closest("[data-key]");
  const isCard = (node) => node.dataset.key && formOf(node);
  const cardsIn = (slot) => [...slot.children].filter(isCard);
  const all = () => [...list().querySelectorAll("[data-key]")].filter(isCard);
  const parentOf = (card) => card.parentElement.closest("[data-key]");
  const copy = (value) => JSON.parse(JSON.stringify(value));

  /* What belongs to this card and not to a step within it. */
  const own = (card, selector) => [...card.querySelectorAll(selector)].filter((node) => node.closest("[data-key]") === card);
  const one = (card, selector) => own(card, selector)[0];
  const slotsOf = (card) => own(card, "ol[data-slot]");
  const isOff = (card) => "off" in card.dataset;

  function stepOf(card) {
    const inner = slotsOf(card).map((slot) => [slot.dataset.slot, cardsIn(slot).map(stepOf)]);
    return { ...dataOf(card), disabled: isOff(card), ...Object.fromEntries(inner) };
  }

  /* ["steps", 2, "yes", 0] */
  function locationOf(card) {
    const outer = parentOf(card);
    const slot = card.parentElement;
    return [...(outer ? locationOf(outer) : []), slot.dataset.slot, cardsIn(slot).indexOf(card)];
  }

  const titleOf = (card) => dataOf(card).title || card.dataset.label;
  const called = (card) => `step ${card.dataset.number} “${titleOf(card)}”`;
  const capital = (text) => text[0].toUpperCase() + text.slice(1);

  function focusOn(card) {
    const field = own(card, ".rjf-form-row :is(select, input:not([type=hidden]), textarea)").find((node) => node.offsetParent);
    if (field) field.focus();
  }

  function debounce(call, ms) {
    let timer = 0;
    return () => { clearTimeout(timer); timer = setTimeout(call, ms); };
  }

  const inputsArea = () => document.getElementById("workflow-inputs");
  const outputsArea = () => document.getElementById("workflow-outputs");
  const inputs = () => llmForms.of(inputsArea()).getData() || [];
  const namedOutputs = () => llmForms.of(outputsArea()).getData() || [];

  return {
    parts, list, areaOf, formOf, dataOf, cardOf, cardsIn, all, parentOf, copy, own, one, slotsOf, isOff, stepOf, locationOf,
    titleOf, called, capital, focusOn, debounce, inputsArea, outputsArea, inputs, namedOutputs,
    steps: () => cardsIn(list()).map(stepOf),
  };
})();
