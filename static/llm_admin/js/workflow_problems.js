/* What is wrong, at its place: a field of a step, a list of steps, an input, a part of the outcome, the run form. */
(() => {
  "use strict";

  const { all, formOf, one, own, slotsOf, locationOf, inputsArea, outputsArea } = llmFlow;
  const begins = (place, start) => start.every((part, at) => place[at] === part);

  Object.assign(llmFlow.parts, {
    showProblems(problems) {
      this.problems = problems;
      all().forEach((card) => this.showCard(card, problems));
      this.showRows("inputs", inputsArea(), problems);
      this.showRows("outputs", outputsArea(), problems);
      if (problems.some(({ location: [first] }) => first === "outputs")) this.several = true;
      for (const field of document.querySelectorAll("#llm-run-form [data-input]")) {
        this.showInput(field, problems.filter(({ location: [a, b] }) => a === "inputs" && b === field.dataset.input));
      }
      if (problems.length) this.focusProblem();
    },
    focusProblem() {
      requestAnimationFrame(() => requestAnimationFrame(() => {
        const wrong = document.querySelector("#llm-workflow [aria-invalid='true'], #llm-workflow :is([data-step-problem], [data-slot-problem]):not([hidden])");
        if (!wrong) return;
        wrong.scrollIntoView({ block: "center" });
        if (wrong.focus) wrong.focus({ preventScroll: true });
      }));
    },
    showRows(name, area, problems) {
      const rows = problems.filter(({ location: [a, b] }) => a === name && typeof b === "number");
      llmForms.showErrors(llmForms.of(area), gather(rows, 1));
    },
    showCard(card, problems) {
      const place = locationOf(card);
      const slots = slotsOf(card);
      const here = problems.filter(({ location }) => begins(location, place));
      const inner = here.filter(({ location }) => slots.some((slot) => slot.dataset.slot === location[place.length]) && location.length > place.length + 1);
      const mine = here.filter((problem) => !inner.includes(problem));
      const ofSlot = (slot) => mine.filter(({ location }) => location[place.length] === slot.dataset.slot && location.length === place.length + 1);
      say(one(card, "[data-step-problem]"), mine.filter(({ location }) => location.length === place.length));
      slots.forEach((slot) => say(slot.parentElement.querySelector(":scope > [data-slot-problem]"), ofSlot(slot)));
      llmForms.showErrors(formOf(card), gather(mine.filter(({ location }) => location.length > place.length), place.length));
      card.classList.toggle("llm-flow-wrong", mine.length > 0);
      if (here.length) this.setFolded(card, false);
    },
    showInput(field, problems) {
      problems.length ? field.setAttribute("aria-invalid", "true") : field.removeAttribute("aria-invalid");
      field.closest(".llm-field").querySelector("[data-input-problem]").textContent = problems.map((p) => p.message).join(" ");
    },
    /* What was said of the whole card may be settled by any change of it. */
    calm(card) {
      own(card, "[data-step-problem], [data-slot-problem]").forEach((place) => (place.hidden = true));
      card.classList.toggle("llm-flow-wrong", Object.keys(formOf(card).errorMap || {}).length > 0);
    },
    problemAt(place) {
      const found = this.problems.filter((p) => p.location.length === place.length && begins(p.location, place));
      return found.map((p) => p.message).join(" ");
    },
    forget(place) { this.problems = this.problems.filter((p) => !begins(p.location, place)); },
  });

  function say(place, problems) {
    place.textContent = problems.map((p) => p.message).join(" ");
    place.hidden = !problems.length;
  }

  function gather(problems, from) {
    const errors = {};
    for (const { location, message } of problems) (errors[location.slice(from).join(llmForms.separator)] ||= []).push(message);
    return errors;
  }
})();
