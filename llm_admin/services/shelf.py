"""Keeping order among documents: folders, tags, other names, copies, and an archive."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.models import Tag, name_key
from llm_admin.services import catalogue, documents, search_texts
from llm_admin.services.actors import Actor
from llm_admin.services.families import PROMPTS, Family, family_of
from llm_admin.services.validation import refuse_unstorable
from llm_admin.tenancy import workspace_scope

MOST_TAGS = 20


def clean_folder(text: str) -> str:
    """“ a / b/” is “a/b”. Raises InvalidInput at ("folder",)."""
    refuse_unstorable(folder=text)
    folder = "/".join(" ".join(part.split()) for part in text.split("/") if part.strip())
    if len(folder) > 200:
        raise InvalidInput([Problem(("folder",), "A folder's name has at most 200 characters.")])
    return folder


def clean_tags(text: str | Iterable[str]) -> list[str]:
    """Separated by commas when it is one text; each once. Raises InvalidInput at ("tags",)."""
    given = text.split(",") if isinstance(text, str) else list(text)
    refuse_unstorable(tags=",".join(given))
    names = {name_key(name): " ".join(name.split()) for name in given if name.strip()}
    if too_long := next((name for key, name in names.items() if len(name) > 50 or len(key) > 100), None):
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


def move_many(rows: Any, *, actor: Actor, folder: str) -> int:
    """A queryset of documents into a folder, "" for none; how many. In one statement however many they are."""
    actor.require(f"change_{_noun(rows)}")
    return _update(rows, actor, folder=clean_folder(folder))


def archive_many(rows: Any, *, actor: Actor, archived: bool) -> int:
    """How many were not in that state before."""
    actor.require(f"change_{_noun(rows)}")
    rows = rows.filter(archived_at__isnull=archived)
    values = (timezone.now(), actor.user) if archived else (None, None)
    return _update(rows, actor, archived_at=values[0], archived_by=values[1])


def add_tags_many(rows: Any, *, actor: Actor, tags: str | Iterable[str]) -> int:
    """Prompts in a queryset get these tags, too. A few statements for each tag."""
    actor.require(f"change_{_noun(rows)}")
    names = clean_tags(tags)
    if not names:
        raise InvalidInput([Problem(("tags",), "Write at least one tag.")])
    through = rows.model.tags.through
    with transaction.atomic(), workspace_scope(actor.workspace):
        ids = list(rows.values_list("pk", flat=True))
        for tag in _tags(actor, names):
            has_it = set(tag.prompts.values_list("pk", flat=True))
            new = [pk for pk in ids if pk not in has_it]
            through.objects.bulk_create([through(prompt_id=pk, tag=tag) for pk in new], 1000, ignore_conflicts=True)
            search_texts.add(new, tag.name)
    return len(ids)


def _noun(rows: Any) -> str:
    return str(rows.model._meta.model_name)


def _update(rows: Any, actor: Actor, **values: Any) -> int:
    with transaction.atomic(), workspace_scope(actor.workspace):
        changed: int = rows.model.objects.filter(pk__in=rows.order_by().values("pk")).update(**values)
    transaction.on_commit(catalogue.forget)  # update() sends no signals
    return changed


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
