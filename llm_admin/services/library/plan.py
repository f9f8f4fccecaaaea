"""Compares a file with what is there. One plan for the page, the command and the demo library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.models import name_key
from llm_admin.schemas.prompts import PromptSpec, declare, upgrade
from llm_admin.services.actors import Actor
from llm_admin.services.families import PROMPTS, WORKFLOWS
from llm_admin.services.library.entries import Entry, EntryVersion, Reading
from llm_admin.services.library.items import Action, Item, Plan
from llm_admin.services.library.matching import Match, match
from llm_admin.services.library.notices import about, missing_models, missing_prompts
from llm_admin.services.library.rewiring import with_prompts
from llm_admin.services.library.shelf import Book, Shelf
from llm_admin.services.secrets import refuse_secrets
from llm_admin.tenancy import workspace_scope

MAX_KEY = 400


def make(reading: Reading, *, actor: Actor) -> Plan:
    """Constant in queries. Problems (of the file, and keys within texts) are in the plan: then nothing is applied."""
    actor.require("import_prompt")
    plan = Plan(reading.filename, problems=list(reading.problems), ignored=list(reading.ignored))
    with workspace_scope(actor.workspace):
        slugs: dict[str, str] = {}
        prompts = [entry for entry in reading.entries if entry.family is PROMPTS]
        shelf = Shelf(PROMPTS, prompts)
        plan.items += _items(match(prompts, shelf), shelf, slugs)
        if others := [entry for entry in reading.entries if entry.family is WORKFLOWS]:
            others = [_rewired(entry, slugs) for entry in others]
            workflows = Shelf(WORKFLOWS, others)
            plan.items += _items(match(others, workflows), workflows, {})
            missing_prompts(plan.items, shelf.slugs)
        missing_models(plan.items)
    plan.problems += _refused(plan.items, actor)
    return plan


def _items(matches: Iterable[Match], shelf: Shelf, slugs: dict[str, str]) -> Iterator[Item]:
    """Fills `slugs`: what the file calls a document -> what it is called here."""
    for one in matches:
        entry = one.entry
        if one.known:
            document = one.book.document if one.book else None
            item = Item(entry, Action.UNCHANGED, one.name, document=document, notices=one.notices)
            slug = document.slug if document else ""
        elif one.book:
            item = _new_version(one, one.book)
            slug = item.document.slug
        else:
            slug = shelf.free_slug(entry.slug, one.name)
            item = Item(entry, Action.NEW, one.name, slug, versions=entry.versions, notices=one.notices)
        item.renamed = one.renamed
        item.notices += about(item)
        if slug:
            slugs.setdefault(entry.slug, slug)
        yield item


def _new_version(one: Match, book: Book) -> Item:
    entry, document = one.entry, book.document
    versions = [v for v in entry.versions if book.number_of(v.fingerprint(bare=entry.bare), bare=entry.bare) is None]
    return Item(
        entry,
        Action.NEW_VERSION,
        document.name,
        document=document,
        versions=tuple(_dressed(version, book) for version in versions) if entry.bare else tuple(versions),
        before=book.newest.spec,
        notices=one.notices,
    )


def _dressed(version: EntryVersion, book: Book) -> EntryVersion:
    """A new text in what the newest version says besides: its variables' details, model, settings and answer."""
    stored = upgrade(book.newest.spec)
    kept = {key: stored[key] for key in ("model", "parameters", "output", "variables") if key in stored}
    return version.saying(declare(PromptSpec.model_validate(version.spec.model_dump() | kept)))


def _rewired(entry: Entry, slugs: dict[str, str]) -> Entry:
    """A workflow's steps name prompts; here they may have other short names."""
    return entry.with_versions([version.saying(with_prompts(version.spec, slugs)) for version in entry.versions])


def _refused(items: list[Item], actor: Actor) -> list[Problem]:
    problems = []
    for item in items:
        if item.action == Action.NEW and len(name_key(item.name)) > MAX_KEY:
            problems.append(Problem(item.entry.place, "This name is too long."))
        for version in item.versions:
            try:
                refuse_secrets(actor.workspace, version.spec)
            except InvalidInput as error:
                within = () if item.entry.bare else error.problems[0].location
                problems.append(Problem((*version.place, *within), error.problems[0].message))
    return problems
