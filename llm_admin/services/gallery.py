"""Ready workflows to copy: each with the prompts that it uses, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import transaction

from llm_admin.exceptions import NotFound
from llm_admin.models import LIVE, Workflow, name_key
from llm_admin.schemas.walking import Found
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import documents
from llm_admin.services.actors import Actor
from llm_admin.services.families import PROMPTS, WORKFLOWS, Family
from llm_admin.services.library.entries import Entry
from llm_admin.services.library.reading import read
from llm_admin.services.library.rewiring import with_prompts
from llm_admin.services.library.shelf import Shelf, numbered
from llm_admin.services.library.shipped import GALLERY, read_shipped
from llm_admin.tenancy import workspace_scope

NOTE = "From the templates gallery"


@dataclass(frozen=True)
class Template:
    slug: str
    name: str
    description: str
    spec: WorkflowSpec

    @property
    def steps(self) -> list[Found]:
        """In the order of reading, those within others too."""
        return self.spec.walk()

    @property
    def example(self) -> dict[str, Any]:
        """What the run form is filled with, by title."""
        return {variable.title: variable.default for variable in self.spec.inputs if variable.default}


def templates() -> list[Template]:
    found = [entry for entry in _entries() if entry.family is WORKFLOWS]
    return [Template(entry.slug, entry.name, entry.description, entry.newest.spec) for entry in found]


@lru_cache(maxsize=1)
def _entries() -> tuple[Entry, ...]:
    """Raises InvalidInput for a broken file, which a test would have found."""
    return tuple(read(read_shipped(GALLERY)).entries)


def use(slug: str, *, actor: Actor) -> Workflow:
    """A copy, with its prompts: identical ones are used as they are, others get a free name.

    Raises NotFound, PermissionRefused.
    """
    actor.require("add_workflow")
    actor.require("add_prompt")
    entries = {(entry.family.noun, entry.slug): entry for entry in _entries()}
    wanted = entries.get((WORKFLOWS.noun, slug))
    if wanted is None:
        raise NotFound("There is no such template.")
    spec = wanted.newest.spec
    used = {reference.slug for step in spec.all_steps() if (reference := step.prompt_reference())}
    with transaction.atomic(), workspace_scope(actor.workspace):
        prompts = [entries[PROMPTS.noun, name] for name in sorted(used)]
        shelf = Shelf(PROMPTS, prompts)
        slugs = {
            entry.slug: _same(entry, shelf) or _copy(PROMPTS, entry, entry.newest.spec, actor) for entry in prompts
        }
        name = _free_name(WORKFLOWS, wanted.name)
        return documents.create(
            WORKFLOWS,
            actor=actor,
            name=name,
            spec=with_prompts(spec, slugs),
            note=NOTE,
            description=wanted.description,
        )


def _same(entry: Entry, shelf: Shelf) -> str:
    """The short name of a prompt whose Live version says exactly this."""
    for book in shelf.kin(entry.name):
        number = book.number_of(entry.fingerprint, bare=False)
        label = book.document.labels.filter(name=LIVE).select_related("version").first()
        if label and label.version.number == number and not book.document.archived_at:
            return str(book.document.slug)
    return ""


def _copy(family: Family, entry: Entry, spec: Any, actor: Actor) -> str:
    name = _free_name(family, entry.name)
    made = documents.create(family, actor=actor, name=name, spec=spec, note=NOTE, description=entry.description)
    return str(made.slug)


def _free_name(family: Family, name: str) -> str:
    taken = set(
        family.document.objects.filter(name_key__startswith=name_key(name)[:60]).values_list("name_key", flat=True)
    )
    return next(one for one in _numbered(name, len(taken) + 1) if name_key(one) not in taken)


def _numbered(name: str, most: int) -> Iterable[str]:
    return (numbered(name, number) for number in range(1, most + 1))
