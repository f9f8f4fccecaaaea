"""From what somebody wants to run to the unsaved row of a run: inputs checked, prompts resolved, texts masked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from llm_admin.choices import RunSource
from llm_admin.exceptions import InvalidInput, NotFound, Problem
from llm_admin.models import LanguageModel, Prompt, PromptTest, PromptVersion, Run, Workflow, WorkflowVersion, Workspace
from llm_admin.schemas.plans import PromptPlan, RunPlan
from llm_admin.schemas.prompts import PromptSpec, check_inputs
from llm_admin.schemas.variables import check_values
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import catalogue, documents
from llm_admin.services.actors import Actor
from llm_admin.services.families import PROMPTS, family_of
from llm_admin.services.secrets import redactor

if TYPE_CHECKING:
    from llm_admin.runtime.redaction import Redactor


@dataclass(frozen=True)
class Facts:
    """What planning a run needs to know of its workspace, as it is now."""

    workspace: Workspace
    default_alias: str | None
    aliases: frozenset[str]
    redactor: Redactor


def facts(workspace: Workspace) -> Facts:
    return catalogue.cached(("facts", workspace.pk), lambda: _gather(workspace))


def known_facts(workspace: Workspace) -> Facts | None:
    """Without touching the database: None when they must be read first."""
    return catalogue.peek(("facts", workspace.pk))


def _gather(workspace: Workspace) -> Facts:
    fresh = Workspace.objects.select_related("default_model").get(pk=workspace.pk)
    rows = LanguageModel._base_manager.filter(workspace=fresh, enabled=True)
    default = fresh.default_model.alias if fresh.default_model else None
    return Facts(fresh, default, frozenset(rows.values_list("alias", flat=True)), redactor())


def plan_prompt(
    *,
    actor: Actor,
    prompt: Prompt | None,
    spec: PromptSpec,
    inputs: Mapping[str, Any],
    version: PromptVersion | None = None,
    model: str | None = None,
    source: RunSource,
    client_key: str | None = None,
    test: PromptTest | None = None,
    known: Facts | None = None,
    cache: bool = True,
) -> Run:
    """The unsaved row of a run, everything checked. With `known` and a version it reads nothing. `cache` False: no
    answer is given again."""
    actor.require("run_prompt")
    refuse_archived(prompt)
    known = known or facts(actor.workspace)
    values = check_inputs(spec, inputs)
    _check_fills_in(spec, values)
    _check_models(known, [model or spec.model or known.default_alias])
    return _row(
        actor,
        known,
        _stored_plan(known, prompt, version, spec, model, cache=cache),
        values,
        source,
        client_key,
        title=_title(prompt, version, "New prompt"),
        prompt=prompt,
        prompt_version=version,
        test=test,
    )


def _stored_plan(
    known: Facts,
    prompt: Prompt | None,
    version: PromptVersion | None,
    spec: PromptSpec,
    model: str | None,
    *,
    cache: bool,
) -> dict[str, Any]:
    """A version never changes, so neither does its plan; whatever else is in it makes the catalogue forget."""

    def plan() -> dict[str, Any]:
        planned = RunPlan(
            kind="prompt",
            prompt=_prompt_plan(prompt, version, spec),
            model=model or None,
            default_model=known.default_alias,
            cache=cache,
        )
        return known.redactor.value(planned.model_dump(mode="json"))

    if version is None:
        return plan()
    return catalogue.cached(("plan", version.pk, model, known.default_alias, cache), plan)


def _check_fills_in(spec: PromptSpec, values: dict[str, Any]) -> None:
    """An imported syntax may need other values than these: told now, before there is a run. Ours always fits."""
    if spec.syntax != "console":
        from llm_admin.runtime.prompts import fill_in

        fill_in(spec, values)


def refuse_archived(document: Prompt | Workflow | None) -> None:
    if document is not None and document.archived_at:
        noun = family_of(document).noun
        raise InvalidInput(f"The {noun} “{document}” is archived, so it does not run. Restore it first.")


def plan_workflow(
    *,
    actor: Actor,
    workflow: Workflow | None,
    spec: WorkflowSpec,
    inputs: Mapping[str, Any],
    version: WorkflowVersion | None = None,
    model: str | None = None,
    source: RunSource,
    client_key: str | None = None,
    known: Facts | None = None,
    cache: bool = True,
) -> Run:
    actor.require("run_workflow")
    refuse_archived(workflow)
    known = known or facts(actor.workspace)
    values = check_values(spec.inputs, inputs)
    prompts = resolve_prompts(actor, spec)
    plan = RunPlan(
        kind="workflow",
        workflow_id=workflow.pk if workflow else None,
        workflow_version_id=version.pk if version else None,
        workflow_number=version.number if version else None,
        workflow=spec,
        prompts=prompts,
        model=model or None,
        default_model=known.default_alias,
        cache=cache,
    )
    steps = [step for step in spec.all_steps() if not step.disabled]
    own = [getattr(step, "model", None) for step in steps] + [p.spec.model for p in prompts.values()]
    if any(step.calls_model for step in steps):
        _check_models(known, [model, *own, known.default_alias])
    return _row(
        actor,
        known,
        known.redactor.value(plan.model_dump(mode="json")),
        values,
        source,
        client_key,
        title=_title(workflow, version, "New workflow"),
        workflow=workflow,
        workflow_version=version,
    )


def resolve_prompts(actor: Actor, spec: WorkflowSpec) -> dict[str, PromptPlan]:
    """Step id -> the prompt version that it names. Raises InvalidInput at the step that names none."""
    problems, plans = [], {}
    for found in spec.walk():
        step, reference = found.step, found.step.prompt_reference()
        if reference is None or step.disabled:
            continue
        try:
            prompt = documents.get(PROMPTS, actor=actor, slug=reference.slug)
            refuse_archived(prompt)
            version = documents.version_of(prompt, number=reference.number, label=reference.label)
        except (NotFound, InvalidInput) as error:
            problems.append(Problem((*found.location, "prompt"), str(error)))
            continue
        plans[step.id] = _prompt_plan(prompt, version, documents.spec_of(version))
    if problems:
        raise InvalidInput(problems)
    return plans


def _prompt_plan(prompt: Prompt | None, version: PromptVersion | None, spec: PromptSpec) -> PromptPlan:
    return PromptPlan(
        prompt_id=prompt.pk if prompt else None,
        version_id=version.pk if version else None,
        slug=prompt.slug if prompt else "",
        number=version.number if version else None,
        spec=spec,
    )


def _check_models(known: Facts, aliases: list[str | None]) -> None:
    wanted = {alias for alias in aliases if alias}
    if not wanted:
        raise InvalidInput("No model is chosen, and the workspace has no default model. Choose one under “Model”.")
    if missing := wanted - known.aliases:
        offered = ", ".join(sorted(known.aliases)) or "none"
        raise InvalidInput(f"There is no model “{min(missing)}”, or it is switched off. Known models: {offered}.")


def _title(document: Prompt | Workflow | None, version: Any, fallback: str) -> str:
    if document is None:
        return f"{fallback} (not saved)"
    return f"{document.name} v{version.number}" if version else f"{document.name} (unsaved changes)"


def _row(
    actor: Actor,
    known: Facts,
    plan: dict[str, Any],
    values: dict[str, Any],
    source: RunSource,
    client_key: str | None,
    **details: Any,
) -> Run:
    return Run(
        workspace=known.workspace,
        kind=plan["kind"],
        spec=plan,
        inputs=known.redactor.value(values),
        source=source,
        owner=actor.user,
        client_key=client_key or None,
        created_at=timezone.now(),
        **details,
    )
