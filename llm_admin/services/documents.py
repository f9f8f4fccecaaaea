"""What prompts and workflows have in common: making, renaming, versions, labels."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.text import slugify

from llm_admin import signals
from llm_admin.exceptions import Conflict, InvalidInput, NotFound, Problem
from llm_admin.models import LIVE, label_title, name_key
from llm_admin.schemas.base import Spec
from llm_admin.services import label_moves, search_texts
from llm_admin.services.actors import Actor
from llm_admin.services.families import PROMPTS, Family, family_of
from llm_admin.services.label_moves import may_move
from llm_admin.services.secrets import refuse_secrets
from llm_admin.services.validation import refuse_unstorable
from llm_admin.tenancy import workspace_scope

LONGEST_DESCRIPTION = 500
NAMED = ("name", "name_key", "slug", "description", "updated_at")


def free_slug(family: Family, name: str) -> str:
    base = slugify(name)[:80] or family.noun
    taken = set(family.document.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    taken |= set(family.alias.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for n in range(1, len(taken) + 3) if (slug := base if n == 1 else f"{base}-{n}") not in taken)


def create(
    family: Family, *, actor: Actor, name: str, spec: Spec, note: str = "", description: str = "", slug: str = ""
) -> Any:
    """A document whose first version is Live (unless Live is protected, and the actor may not move it).

    Raises InvalidInput when the name is taken.
    """
    actor.require(f"add_{family.noun}")
    check_name(family, actor=actor, name=name)
    _check_description(description)
    with transaction.atomic(), workspace_scope(actor.workspace):
        document = family.document(
            workspace=actor.workspace,
            name=" ".join(name.split()),
            slug=slug or free_slug(family, name),
            description=description,
            created_by=actor.user,
        )
        _save_named(family, document)
        _take_over(family, document)
        version = save_version(document, actor=actor, spec=spec, note=note)
        if may_move(actor, family.noun, LIVE):
            label_moves.put(document, actor=actor, label=LIVE, version=version, reason="First version")
    return document


def check_name(family: Family, *, actor: Actor, name: str, document: Any = None) -> None:
    if not name.strip():
        raise InvalidInput([Problem(("name",), f"Give the {family.noun} a name.")])
    refuse_unstorable(name=name)
    if len(name) > 200 or len(name_key(name)) > 400:  # one letter can be many in the key
        raise InvalidInput([Problem(("name",), "A name has at most 200 characters.")])
    with workspace_scope(actor.workspace):
        same = family.document.objects.filter(name_key=name_key(name))
        if same.exclude(pk=document.pk if document else None).exists():
            raise InvalidInput([_taken(family, name)])


def _check_description(description: str) -> None:
    refuse_unstorable(description=description)
    if len(description) > LONGEST_DESCRIPTION:
        message = f"A description has at most {LONGEST_DESCRIPTION} characters."
        raise InvalidInput([Problem(("description",), message)])


def _taken(family: Family, name: str) -> Problem:
    return Problem(("name",), f"There is a {family.noun} called “{name}” already (capitals do not count).")


def _save_named(family: Family, document: Any) -> None:
    try:
        with transaction.atomic():
            document.save(update_fields=None if document._state.adding else NAMED)  # the rest may be newer by now
    except IntegrityError:
        raise InvalidInput([_taken(family, document.name)]) from None


def change(family: Family, document: Any, *, actor: Actor, name: str, description: str | None = None) -> None:
    """Name and description. An old name stays as an alias."""
    _check_description(description or "")
    _rename(family, document, actor=actor, name=name, slug="", description=description)


def rename(family: Family, document: Any, *, actor: Actor, name: str, slug: str = "") -> None:
    """The old name and short name stay as aliases. Raises InvalidInput at ("name",) or ("slug",)."""
    _rename(family, document, actor=actor, name=name, slug=slug, description=None)


def _rename(family: Family, document: Any, *, actor: Actor, name: str, slug: str, description: str | None) -> None:
    actor.require(f"change_{family.noun}")
    check_name(family, actor=actor, name=name, document=document)
    with transaction.atomic(), workspace_scope(actor.workspace):
        label_moves.lock(document)
        document.refresh_from_db(fields=NAMED)  # somebody may have renamed it since it was read
        old_key, old_slug = document.name_key, document.slug
        document.description = document.description if description is None else description
        if slug and slug != old_slug:
            _check_slug(family, document, slug)
            document.slug = slug
        document.name = " ".join(name.split())
        _save_named(family, document)
        _take_over(family, document)
        kept = {"name_key": old_key if old_key != document.name_key else ""}
        kept["slug"] = old_slug if old_slug != document.slug else ""
        if any(kept.values()):
            family.alias.objects.create(workspace=actor.workspace, **{family.noun: document}, **kept)
        search_texts.refresh(document)


def _take_over(family: Family, document: Any) -> None:
    """Its name and short name are nobody's old ones any more."""
    aliases = family.alias.objects
    aliases.filter(name_key=document.name_key).update(name_key="")
    aliases.filter(slug=document.slug).update(slug="")
    aliases.filter(slug="", name_key="").delete()


def _check_slug(family: Family, document: Any, slug: str) -> None:
    if slugify(slug) != slug or len(slug) > 100:
        message = "A short name has up to 100 small letters, digits and hyphens."
        raise InvalidInput([Problem(("slug",), message)])
    same = family.document.objects.filter(slug=slug).exclude(pk=document.pk)
    former = family.alias.objects.filter(slug=slug).exclude(**{family.noun: document})
    if same.exists() or former.exists():
        raise InvalidInput([Problem(("slug",), f"The short name “{slug}” is taken, or was another {family.noun}'s.")])


def save_version(
    document: Any, *, actor: Actor, spec: Spec, note: str = "", publish: bool = False, based_on: int | None = None
) -> Any:
    """A new version; with `publish` it becomes Live. `based_on`: the number that the author started from.

    Raises Conflict when somebody saved another version in between. The number comes from a compare-and-set on
    the document, so that simultaneous saves give consecutive numbers.
    """
    family = family_of(document)
    actor.require(f"change_{family.noun}")
    refuse_unstorable(note=note)
    refuse_secrets(actor.workspace, spec)
    with transaction.atomic(), workspace_scope(actor.workspace):
        rows = family.document.objects.filter(pk=document.pk)
        if based_on is not None:
            rows = rows.filter(last_number=based_on)
        if rows.update(last_number=F("last_number") + 1, updated_at=timezone.now()) != 1:
            raise Conflict(
                f"Somebody saved another version of “{document}” since you opened it. "
                "Copy your text, reload the page, and put your change into the newest version."
            )
        document.refresh_from_db(fields=["last_number", "updated_at"])
        version = family.version.objects.create(
            **{family.noun: document},
            number=document.last_number,
            spec=spec.model_dump(mode="json"),
            note=note[:500],
            created_by=actor.user,
        )
        if publish:
            label_moves.put(document, actor=actor, label=LIVE, version=version, reason=note)
        search_texts.refresh(document)
        transaction.on_commit(lambda: signals.version_saved.send(family.document, document=document, version=version))
    return version


def move_label(document: Any, *, actor: Actor, label: str, number: int, reason: str = "") -> Any:
    """The event. Raises NotFound when there is no such version."""
    with transaction.atomic(), workspace_scope(actor.workspace):
        version = version_of(document, number=number)
        event = label_moves.put(document, actor=actor, label=label, version=version, reason=reason)
        search_texts.refresh(document)
    return event


def restore(document: Any, *, actor: Actor, number: int) -> Any:
    """An old version's spec as a new version; Live does not move."""
    family = family_of(document)
    actor.require(f"change_{family.noun}")
    old = version_of(document, number=number)
    return save_version(document, actor=actor, spec=spec_of(old), note=f"Restored from v{number}")


def spec_of(version: Any) -> Any:
    """The version's spec as an object of its class."""
    from llm_admin.schemas import prompts, workflows

    if isinstance(version, PROMPTS.version):
        return prompts.PromptSpec.model_validate(prompts.upgrade(version.spec))
    return workflows.WorkflowSpec.model_validate(workflows.upgrade(version.spec))


def same(one: Spec, other: Spec) -> bool:
    """The order in which a step fills a prompt's variables means nothing, and is the editor's own."""
    return one == other or _ordered(one.model_dump()) == _ordered(other.model_dump())


def _ordered(value: Any) -> Any:
    if isinstance(value, list):
        return [_ordered(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _ordered(inner) for name, inner in value.items()}
    if "type" in found and isinstance(found.get("inputs"), list):
        found["inputs"] = sorted(found["inputs"], key=lambda one: str(one["name"]))
    return found


def get(family: Family, *, actor: Actor, slug: str) -> Any:
    with workspace_scope(actor.workspace):
        rows = family.document.objects
        document = rows.filter(slug=slug).first() or rows.filter(aliases__slug=slug).first()
    if document is None:
        raise NotFound(f"There is no {family.noun} “{slug}” in the workspace “{actor.workspace}”.")
    return document


def version_of(document: Any, *, number: int | None = None, label: str = "") -> Any:
    """By number, or by label (Live when neither is given). Raises NotFound."""
    family = family_of(document)
    with workspace_scope(document.workspace):
        rows = family.version.objects.filter(**{family.noun: document})
        if number is not None:
            version = rows.filter(number=number).first()
            missing = f"“{document}” has no version {number}."
        else:
            version = rows.filter(labels__name=label or LIVE).first()
            missing = f"“{document}” has no version labelled “{label_title(label or LIVE)}”."
    if version is None:
        raise NotFound(missing)
    return version


def in_use(document: Any) -> list[tuple[Any, list[str]]]:
    """The newest version and the labelled ones, oldest first, each with its labels."""
    family = family_of(document)
    rows = family.version.objects.filter(**{family.noun: document})
    rows = rows.filter(Q(number=document.last_number) | Q(labels__isnull=False)).distinct().order_by("number")
    return [(row, [label.name for label in row.labels.all()]) for row in rows.prefetch_related("labels")]


def newest(document: Any) -> Any:
    """The version with the highest number. Every document has one."""
    return version_of(document, number=document.last_number)


def delete(document: Any, *, actor: Actor) -> None:
    family = family_of(document)
    actor.require(f"delete_{family.noun}")
    with transaction.atomic(), workspace_scope(actor.workspace):
        family.label.objects.filter(**{family.noun: document}).delete()
        document.delete()
