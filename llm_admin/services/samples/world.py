"""What sample runs can be of, in the actor's workspace: its prompts and workflows, its members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from llm_admin.choices import RunSource
from llm_admin.exceptions import InvalidInput
from llm_admin.models import Membership, Prompt, PromptVersion, Run, Workflow, WorkflowVersion
from llm_admin.runtime.prompts import Chat, fill_in
from llm_admin.schemas import template
from llm_admin.schemas.plans import PromptPlan, RunPlan
from llm_admin.schemas.prompts import PromptSpec, text_spec
from llm_admin.schemas.steps import StepSpec
from llm_admin.schemas.steps.classify import ClassifyStep
from llm_admin.schemas.steps.llm import LLMStep
from llm_admin.schemas.variables import VariableSpec
from llm_admin.schemas.walking import LOOP_SLOT, inner_prefix
from llm_admin.services import documents, planning
from llm_admin.services.actors import Actor
from llm_admin.services.samples import words
from llm_admin.services.samples.models import SampleModel

SUBJECTS = 24  # of each kind: a team does not use all of its two hundred prompts in a month
VARIANTS = 6
ENTRIES = 2  # of every loop

Inputs = dict[str, Any]

UNSAVED = (
    "Write a friendly reply to this message: {{message}}",
    "Sum up in three sentences: {{text}}",
    "Suggest five subject lines for a mail about {{topic}}.",
)


@dataclass(frozen=True)
class Site:
    """A model call in a run. `keys`: what a parser step expects of its answer; None when none reads it.

    `always`: the whole answer, where only one would fit the way that is taken after it.
    """

    path: str
    prompt: PromptPlan | None
    text: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    keys: list[Any] | None = None
    always: str = ""

    def chat(self, inputs: Inputs, rng: Random) -> Chat:
        """With the run's inputs where the names are the same; earlier results are invented."""
        if self.prompt is None:
            text = template.render_paths(
                self.text or "{{text}}", lambda name: inputs.get(name) or words.value(name, rng)
            )
            return [{"role": "user", "content": text}]
        spec = self.prompt.spec
        return fill_in(spec, _values(spec.variables, rng) | {k: v for k, v in inputs.items() if v})


@dataclass(frozen=True)
class Script:
    """One version that can run. `variants`: the inputs, and the messages of each call."""

    run: Run
    plan: RunPlan
    sites: list[Site]
    variants: list[tuple[Inputs, list[Chat]]]

    @property
    def walked(self) -> list[tuple[str, StepSpec]]:
        return walked(self.plan.workflow.steps) if self.plan.workflow else []


def walked(steps: Sequence[StepSpec], prefix: str = "") -> list[tuple[str, StepSpec]]:
    """Paths and steps as they end, one after the other: a branch goes its first way that has steps, a loop has two
    entries. What holds steps ends after them."""
    found: list[tuple[str, StepSpec]] = []
    for position, step in enumerate(steps, start=1):
        path = f"{prefix}{position}"
        if step.disabled:
            continue
        if slot := next((slot for slot in step.slots() if slot.steps), None):
            for entry in range(1, ENTRIES + 1 if slot.name == LOOP_SLOT else 2):
                found += walked(slot.steps, inner_prefix(path, slot, entry))
        found.append((path, step))
    return found


@dataclass(frozen=True)
class Subject:
    """A prompt or workflow with its versions, oldest first."""

    scripts: list[Script]
    tokens: int
    model: SampleModel

    def at(self, age: float) -> Script:
        return self.scripts[min(int(age * len(self.scripts)), len(self.scripts) - 1)]


def subjects_of(actor: Actor, models: list[SampleModel], rng: Random) -> list[Subject]:
    """Prompts and workflows in turn. Without any, as right after `migrate`: texts tried in the studio, unsaved."""
    alias = models[0].alias
    scripts = _prompt_scripts(actor, alias, rng) + _workflow_scripts(actor, rng)
    rng.shuffle(scripts)
    if not scripts:
        scripts = [[_prompt_script(actor, None, text_spec(text), alias, rng)] for text in UNSAVED]
    return [Subject(some, rng.randint(50, 320), rng.choice(models)) for some in scripts]


def _prompt_scripts(actor: Actor, alias: str, rng: Random) -> list[list[Script]]:
    found = []
    for prompt in Prompt.objects.prefetch_related("versions").order_by("id")[:SUBJECTS]:
        versions = sorted(prompt.versions.all(), key=lambda version: version.number)
        found.append([_prompt_script(actor, prompt, documents.spec_of(v), alias, rng, version=v) for v in versions])
    return [scripts for scripts in found if scripts]


def _prompt_script(
    actor: Actor,
    prompt: Prompt | None,
    spec: PromptSpec,
    alias: str,
    rng: Random,
    *,
    version: PromptVersion | None = None,
) -> Script:
    inputs = [_values(spec.variables, rng) for _ in range(VARIANTS)]
    run = planning.plan_prompt(
        actor=actor, prompt=prompt, spec=spec, inputs=inputs[0], version=version, model=alias, source=RunSource.STUDIO
    )
    plan = RunPlan.model_validate(run.spec)
    site = Site("", plan.prompt, parameters=spec.parameters.given())
    return Script(run, plan, [site], [(given, [fill_in(spec, given)]) for given in inputs])


def _values(variables: list[VariableSpec], rng: Random) -> Inputs:
    """The author's own examples more often than invented ones."""
    return {v.name: v.default if v.default and rng.random() < 0.7 else words.value(v.name, rng) for v in variables}


def _workflow_scripts(actor: Actor, rng: Random) -> list[list[Script]]:
    found = []
    for workflow in Workflow.objects.prefetch_related("versions").order_by("id")[:SUBJECTS]:
        versions = sorted(workflow.versions.all(), key=lambda version: version.number)
        found.append([script for v in versions if (script := _workflow_script(actor, workflow, v, rng))])
    return [scripts for scripts in found if scripts]


def _workflow_script(actor: Actor, workflow: Workflow, version: WorkflowVersion, rng: Random) -> Script | None:
    """None for one that asks no model, or that could not run today (a prompt of it is gone)."""
    spec = documents.spec_of(version)
    inputs = [_values(spec.inputs, rng) for _ in range(VARIANTS)]
    try:
        run = planning.plan_workflow(
            actor=actor, workflow=workflow, spec=spec, inputs=inputs[0], version=version, source=RunSource.STUDIO
        )
    except InvalidInput:
        return None
    plan = RunPlan.model_validate(run.spec)
    sites = _sites(plan)
    variants = [(given, [site.chat(given, rng) for site in sites]) for given in inputs]
    return Script(run, plan, sites, variants) if sites else None


def _sites(plan: RunPlan) -> list[Site]:
    order = walked(plan.workflow.steps) if plan.workflow else []
    sites, previous = [], ""
    for at, (path, step) in enumerate(order):
        if isinstance(step, LLMStep):
            prompt = plan.prompts.get(step.id if step.prompt else step.messages_from or previous)
            parameters = (prompt.spec.parameters.given() if prompt else {}) | step.parameters.given()
            sites.append(Site(path, prompt, step.text, parameters, _keys(order[at + 1 : at + 2])))
        elif isinstance(step, ClassifyStep):
            sites.append(Site(path, None, _question(step), {"temperature": 0.0}, always=step.categories[0].name))
        previous = step.id
    return sites


def _question(step: ClassifyStep) -> str:
    return f"Which of these is it: {', '.join(one.name for one in step.categories)}?\n\n{{{{{step.source or 'text'}}}}}"


def _keys(following: list[tuple[str, StepSpec]]) -> list[Any] | None:
    reads = [step for _, step in following if step.type == "parser" and getattr(step, "format", "") == "json"]
    return list(getattr(reads[0], "keys", [])) if reads else None


def people_of() -> list[Any]:
    """Ids of the members' accounts."""
    return list(Membership.objects.order_by("id").values_list("user_id", flat=True))
