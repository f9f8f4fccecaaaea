"""Which field of the host's table fills which input, and which outcome is proposed for which field."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from llm_admin.exceptions import Problem
from llm_admin.models import RowMapping, Workflow
from llm_admin.schemas.variables import VariableSpec
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import host_fields
from llm_admin.services.actors import Actor
from llm_admin.services.host_fields import FIXED, LABEL
from llm_admin.services.hosts import Host
from llm_admin.tenancy import workspace_scope

WHOLE = ""  # the one result, or all of it


@dataclass(frozen=True)
class Outcome:
    name: str
    title: str


@dataclass
class FieldMap:
    """`inputs`: input -> a field's name, with LABEL what a choice is called, or FIXED and a text; nothing: its default.
    `outputs`: field -> the outcome that is proposed for it."""

    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)


def outcomes(spec: WorkflowSpec) -> list[Outcome]:
    """Its named outputs; else the keys that its JSON result is known to have, and the result itself."""
    if spec.outputs:
        return [Outcome(one.name, _title(one.name)) for one in spec.outputs]
    step = next((step for step in spec.all_steps() if step.id == spec.output_name), None)
    keys = list(step.keys_known()) if step else []
    schema = getattr(step, "schema_by_hand", None) or {}
    keys += [key for key in schema.get("properties", {}) if key not in keys]
    return [*(Outcome(key, _title(key)) for key in keys), Outcome(WHOLE, "The whole result" if keys else "The result")]


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def mapping_for(host: Host, workflow: Workflow, spec: WorkflowSpec, *, actor: Actor) -> FieldMap:
    """As this person last had it, as far as it still fits; what is new is guessed by its name."""
    guessed = guess(host, spec)
    with workspace_scope(actor.workspace):
        last = RowMapping.objects.filter(workflow=workflow, user=actor.user, content_type=host.content_type).first()
    if last is None:
        return guessed
    names = {variable.name for variable in spec.inputs}
    inputs = {name: key for name, key in last.inputs.items() if name in names and _readable(host, key)}
    known, allowed = {one.name for one in outcomes(spec)}, {f.name for f in host.targets()}
    outputs = {name: out for name, out in last.outputs.items() if name in allowed and out in known}
    return FieldMap({**guessed.inputs, **inputs}, outputs or guessed.outputs)


def _readable(host: Host, key: str) -> bool:
    if not key or key.startswith(FIXED):
        return True
    return key in {source.key for source in host_fields.sources(host.model, host.readable())}


def guess(host: Host, spec: WorkflowSpec) -> FieldMap:
    """Equal names first, then a name within the other."""
    sources = host_fields.sources(host.model, host.readable())
    by_name = [(_words(source.key.removesuffix(LABEL)), source.key) for source in sources]
    by_title = [(_words(source.title), source.key) for source in sources]
    inputs = {v.name: _best([_words(v.name), _words(v.label)], [*by_name, *by_title]) for v in spec.inputs}
    fields = [(_words(f.name), f.name) for f in host.targets()]
    fields += [(_words(host_fields.title_of(f)), f.name) for f in host.targets()]
    outputs: dict[str, str] = {}
    for one in outcomes(spec):
        name = _best([_words(one.name)], fields)
        if name:
            outputs.setdefault(name, one.name)
    return FieldMap({name: key for name, key in inputs.items() if key}, outputs)


def _words(text: str) -> str:
    return " ".join(text.replace("_", " ").casefold().split())


def _best(wanted: Sequence[str], offered: Sequence[tuple[str, str]]) -> str:
    wanted = [words for words in wanted if words]
    for words in wanted:
        if found := next((key for name, key in offered if name == words), ""):
            return found
    for words in wanted:
        if found := next((key for name, key in offered if set(name.split()) < set(words.split())), ""):
            return found
    return ""


def check_mapping(host: Host, spec: WorkflowSpec, mapping: FieldMap) -> list[Problem]:
    """Locations ("inputs", name) and ("outputs", outcome)."""
    readable = {source.key for source in host_fields.sources(host.model, host.readable())}
    problems = [_input_problem(variable, mapping.inputs.get(variable.name, ""), readable) for variable in spec.inputs]
    allowed, known = {f.name for f in host.targets()}, {one.name for one in outcomes(spec)}
    for name, out in mapping.outputs.items():
        if name not in allowed or out not in known:
            problems.append(Problem(("outputs", out), f"You may not change the field “{name}” here. Choose another."))
    if not mapping.outputs:
        problems.append(Problem(("outputs",), "Say which field gets a result: choose at least one."))
    return [problem for problem in problems if problem]


def _input_problem(variable: VariableSpec, key: str, readable: Collection[str]) -> Problem | None:
    place, wrong = ("inputs", variable.name), ""
    if key.startswith(FIXED) and key != FIXED:
        wrong = variable.problem(key.removeprefix(FIXED))
    elif key in ("", FIXED):
        wrong = "is needed: choose a field or a value" if variable.required and not variable.default else ""
    elif key not in readable:
        wrong = "cannot be read from there. Choose another field"
    return Problem(place, f"“{variable.title}” {wrong}.") if wrong else None


def remember(host: Host, workflow: Workflow, mapping: FieldMap, *, actor: Actor) -> None:
    with workspace_scope(actor.workspace):
        RowMapping.objects.update_or_create(
            workflow=workflow,
            content_type=host.content_type,
            user=actor.user,
            defaults={"workspace": actor.workspace, "inputs": mapping.inputs, "outputs": mapping.outputs},
        )


def last_used(host: Host, *, actor: Actor) -> int:
    """The workflow that this person ran on this table last; 0 when none."""
    with workspace_scope(actor.workspace):
        rows = RowMapping.objects.filter(user=actor.user, content_type=host.content_type).order_by("-used_at")
        return rows.values_list("workflow", flat=True).first() or 0
