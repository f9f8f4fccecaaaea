"""A prompt's variable gets another name everywhere: planned, shown, then done in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from llm_admin.exceptions import Conflict, InvalidInput, Problem
from llm_admin.models import LIVE, Prompt, PromptTest, label_title
from llm_admin.schemas import renaming
from llm_admin.schemas.base import Spec
from llm_admin.schemas.diffs import Change, changes
from llm_admin.selectors.uses import Use, workflows_using
from llm_admin.services import documents, label_moves
from llm_admin.services.actors import Actor
from llm_admin.services.families import family_of
from llm_admin.tenancy import workspace_scope


@dataclass(frozen=True)
class NewVersion:
    """Of one version: what it will say. `labels` move along to the new one."""

    document: Any
    number: int
    labels: list[str]
    before: Spec
    after: Spec

    @property
    def changes(self) -> list[Change]:
        return changes(self.before, self.after)

    @property
    def titles(self) -> list[str]:
        return [label_title(label) for label in self.labels]


@dataclass(frozen=True)
class RenamePlan:
    prompt: Prompt
    old: str
    new: str
    versions: list[NewVersion] = field(default_factory=list)
    tests: list[PromptTest] = field(default_factory=list)

    @property
    def workflows(self) -> list[Any]:
        return list(dict.fromkeys(one.document for one in self.versions if one.document != self.prompt))

    @property
    def fingerprint(self) -> str:
        """What was shown; applying refuses when it would be something else by now."""
        parts = [f"{family_of(one.document).noun}:{one.document.pk}:{one.number}:{one.labels}" for one in self.versions]
        return "|".join([*parts, *(f"test:{test.pk}" for test in self.tests)])


def plan(prompt: Prompt, *, actor: Actor, old: str, new: str) -> RenamePlan:
    """Reads only. Raises InvalidInput at ("old",) or ("new",)."""
    actor.require("change_prompt")
    old, new = old.strip(), new.strip()
    with workspace_scope(actor.workspace):
        renaming.check_name(documents.spec_of(documents.newest(prompt)), old, new)
        slugs = frozenset([prompt.slug, *filter(None, prompt.aliases.values_list("slug", flat=True))])
        made = RenamePlan(prompt, old, new)
        for version, labels in documents.in_use(prompt):
            before = documents.spec_of(version)
            _add(made, prompt, version.number, labels, before, _in_prompt(version, before, old, new))
        moved = {label for one in made.versions for label in one.labels}
        followed = frozenset(moved | ({""} if LIVE in moved else set()))
        for use in workflows_using(prompt):
            _add_workflow(made, use, slugs, followed)
        made.tests.extend(test for test in prompt.tests.all() if old in test.inputs)
    return made


def _in_prompt(version: Any, before: Any, old: str, new: str) -> Any:
    try:
        return renaming.in_prompt(before, old, new)
    except InvalidInput as error:
        raise InvalidInput([Problem(("new",), f"In {version}: {error.problems[0].message}")]) from None


def _add_workflow(made: RenamePlan, use: Use, slugs: frozenset[str], followed: frozenset[str]) -> None:
    count = len(made.versions)
    for version, labels in documents.in_use(use.workflow):
        before = documents.spec_of(version)
        after = renaming.in_workflow(before, slugs, made.old, made.new, labels=followed)
        if len(made.versions) > count and version.number == use.workflow.last_number:
            made.versions.append(NewVersion(use.workflow, version.number, labels, before, after))  # stays the newest
        else:
            _add(made, use.workflow, version.number, labels, before, after)


def _add(made: RenamePlan, document: Any, number: int, labels: list[str], before: Spec, after: Spec) -> None:
    if before != after:
        made.versions.append(NewVersion(document, number, labels, before, after))


def apply(prompt: Prompt, *, actor: Actor, old: str, new: str, fingerprint: str) -> RenamePlan:
    """All of it or nothing. Raises Conflict when something changed since the plan was shown."""
    with transaction.atomic(), workspace_scope(actor.workspace):
        label_moves.lock(prompt)
        prompt.refresh_from_db(fields=["last_number"])
        made = plan(prompt, actor=actor, old=old, new=new)
        if made.fingerprint != fingerprint:
            raise Conflict("Something changed since you looked. Here is what renaming would do now.")
        note = f"Variable “{made.old}” is “{made.new}” now"
        if made.workflows:
            actor.require("change_workflow")
        for one in made.versions:
            if one.document != prompt:
                label_moves.lock(one.document)
            version = documents.save_version(one.document, actor=actor, spec=one.after, note=note)
            for label in one.labels:
                documents.move_label(one.document, actor=actor, label=label, number=version.number, reason=note)
        for test in made.tests:
            others = {name: value for name, value in test.inputs.items() if name not in (made.old, made.new)}
            test.inputs = others | {made.new: test.inputs[made.old]}
            test.save(update_fields=["inputs", "updated_at"])
    return made
