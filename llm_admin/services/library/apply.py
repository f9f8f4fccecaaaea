"""Carries a plan out, through the services of prompts and workflows, in one transaction."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from llm_admin.exceptions import Conflict
from llm_admin.models import LIVE
from llm_admin.services import documents, prompt_tests, shelf
from llm_admin.services.actors import Actor
from llm_admin.services.library.entries import EntryVersion
from llm_admin.services.library.items import Action, Counts, Item, Plan
from llm_admin.tenancy import workspace_scope


def apply(plan: Plan, *, actor: Actor, confirmed: str = "") -> Counts:
    """Raises InvalidInput when the plan has problems, Conflict when somebody was faster; nothing is saved then.

    `confirmed`: the fingerprint of the plan that a person saw.
    """
    actor.require("import_prompt")
    plan.check()
    if confirmed and confirmed != plan.fingerprint:
        raise Conflict("The prompts changed since you saw this preview. Import the file again to see a new one.")
    origin = f"Imported from {plan.filename}" if plan.filename else "Imported"
    with transaction.atomic():
        for item in plan.items:
            if item.action == Action.NEW:
                _create(item, actor=actor, origin=origin)
            elif item.action == Action.NEW_VERSION:
                _add(item, actor=actor, origin=origin)
    return plan.counts


def _create(item: Item, *, actor: Actor, origin: str) -> None:
    first, *others = item.versions
    item.document = documents.create(
        item.entry.family,
        actor=actor,
        name=item.name,
        spec=first.spec,
        note=first.note or origin,
        description=item.entry.description,
        slug=item.slug,
    )
    entry = item.entry
    if entry.folder or entry.tags:
        shelf.put_away(item.document, actor=actor, folder=entry.folder, tags=entry.tags)
    _add_tests(item, actor=actor)
    numbers = {first.number: 1}
    for version in others:
        numbers[version.number] = _save(item.document, version, actor=actor, origin=origin).number
    for label, number in item.entry.labels.items():
        if (label, numbers[number]) != (LIVE, 1):
            documents.move_label(item.document, actor=actor, label=label, number=numbers[number], reason=origin)


def _add(item: Item, *, actor: Actor, origin: str) -> None:
    """Live does not move: what code and workflows get changes only when a person publishes."""
    number = item.document.last_number
    for version in item.versions:
        number = _save(item.document, version, actor=actor, origin=origin, based_on=number).number
    _add_tests(item, actor=actor)


def _add_tests(item: Item, *, actor: Actor) -> None:
    """Those whose names are not there yet; what somebody has changed here stays."""
    if not item.entry.tests:
        return
    with workspace_scope(actor.workspace):
        there = set(item.document.tests.values_list("name", flat=True))
    for test in item.entry.tests:
        if test.name not in there:
            prompt_tests.save(item.document, actor=actor, data=test.model_dump(mode="json"))


def _save(document: Any, version: EntryVersion, *, actor: Actor, origin: str, **details: Any) -> Any:
    return documents.save_version(document, actor=actor, spec=version.spec, note=version.note or origin, **details)
