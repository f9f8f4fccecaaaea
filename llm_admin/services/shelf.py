"""Keeping order among documents: folders, tags, other names, copies, and an archive."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.models import Tag, name_key
from llm_admin.services import documents, search_texts
from llm_admin.services.actors import Actor
from llm_admin.services.families import PROMPTS, Family, family_of
from llm_admin.tenancy import workspace_scope

MOST_TAGS = 20


def clean_folder(text: str) -> str:
    """“ a / b/” is “a/b”. Raises InvalidInput at ("folder",)."""
    folder = "/".join(" ".join(part.split()) for part in text.split("/") if part.strip())
    if len(folder) > 200:
        raise InvalidInput([Problem(("folder",), "A folder's name has at most 200 characters.")])
    return folder


def clean_tags(text: str | Iterable[str]) -> list[str]:
    """Separated by commas when it is one text; each once. Raises InvalidInput at ("tags",)."""
    given = text.split(",") if isinstance(text, str) else text
    names = {name_key(name): " ".join(name.split()) for name in given if name.strip()}
    if too_long := next((name for name in names.values() if len(name) > 50), None):
        raise InvalidInput([Problem(("tags",), f"“{too_long[:50]}…” is too long: a tag has at most 50 characters.")])
    if len(names) > MOST_TAGS:
        raise InvalidInput([Problem(("tags",), f"At most {MOST_TAGS} tags are possible.")])
    return list(names.values())


def put_away(
    document: Any, *, actor: Actor, folder: str | None = None, tags: str | Iterable[str] | None = None
) -> None:
    """Into a folder, and with these tags instead of those before. None leaves it as it is."""
    actor.require(f"change_{family_of(document).noun}")
    with transaction.atomic(), workspace_scope(actor.workspace):
        if folder is not None and clean_folder(folder) != document.folder:
            document.folder = clean_folder(folder)
            document.save(update_fields=["folder"])
        if tags is not None:
            document.tags.set(_tags(actor, clean_tags(tags)))
            search_texts.refresh(document)


def add_tags(document: Any, *, actor: Actor, tags: str | Iterable[str]) -> None:
    with workspace_scope(actor.workspace):
        before = [tag.name for tag in document.tags.all()]
    put_away(document, actor=actor, tags=[*before, *clean_tags(tags)])


def _tags(actor: Actor, names: list[str]) -> list[Tag]:
    made = []
    for name in names:
        tag, _ = Tag.objects.get_or_create(workspace=actor.workspace, name_key=name_key(name), defaults={"name": name})
        made.append(tag)
    return made


def archive(document: Any, *, actor: Actor) -> None:
    """It runs no more, stands in no list, and can be restored. Idempotent."""
    _set_archived(document, actor, archived=True)


def unarchive(document: Any, *, actor: Actor) -> None:
    _set_archived(document, actor, archived=False)


def _set_archived(document: Any, actor: Actor, *, archived: bool) -> None:
    actor.require(f"change_{family_of(document).noun}")
    if bool(document.archived_at) == archived:
        return
    document.archived_at = timezone.now() if archived else None
    document.archived_by = actor.user if archived else None
    with workspace_scope(actor.workspace):
        document.save(update_fields=["archived_at", "archived_by"])


def rename(document: Any, *, actor: Actor, name: str, slug: str = "") -> None:
    """The old name and short name stay as aliases. Raises InvalidInput at ("name",) or ("slug",)."""
    documents.rename(family_of(document), document, actor=actor, name=name, slug=slug)


def duplicate(document: Any, *, actor: Actor, name: str = "") -> Any:
    """A new document that says what the newest version says; folder, tags and test inputs come along."""
    family = family_of(document)
    spec = documents.spec_of(documents.newest(document))
    with transaction.atomic(), workspace_scope(actor.workspace):
        copy = documents.create(
            family,
            actor=actor,
            name=name or free_name(family, document.name),
            spec=spec,
            note=f"Copied from “{document}” v{document.last_number}",
            description=document.description,
        )
        put_away(copy, actor=actor, folder=document.folder, tags=[tag.name for tag in document.tags.all()])
        if family is PROMPTS:
            _copy_tests(document, copy)
    return copy


def free_name(family: Family, name: str) -> str:
    """“Name (2)”, or the next number that is free."""
    base = name[:190]
    taken = set(family.document.objects.filter(name_key__startswith=name_key(base)).values_list("name_key", flat=True))
    return next(one for n in range(2, len(taken) + 3) if name_key(one := f"{base} ({n})") not in taken)


def _copy_tests(document: Any, copy: Any) -> None:
    for test in document.tests.all():
        copy.tests.create(name=test.name, inputs=test.inputs, checks=test.checks, position=test.position)
