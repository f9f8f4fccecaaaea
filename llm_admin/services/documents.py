"""What prompts and workflows have in common: making, renaming, versions, labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.text import slugify

from llm_admin import signals
from llm_admin.exceptions import Conflict, InvalidInput, NotFound, Problem
from llm_admin.models import LIVE, Prompt, Workflow, label_title, name_key
from llm_admin.schemas.base import Spec
from llm_admin.services.actors import Actor
from llm_admin.services.secrets import refuse_secrets
from llm_admin.tenancy import workspace_scope


@dataclass(frozen=True)
class Family:
    """The tables of one kind of document."""

    noun: str
    document: type[Any]

    @property
    def version(self) -> type[Any]:
        return self.document._meta.get_field("versions").related_model

    @property
    def label(self) -> type[Any]:
        return self.document._meta.get_field("labels").related_model

    @property
    def event(self) -> type[Any]:
        return self.document._meta.get_field("label_events").related_model


PROMPTS = Family("prompt", Prompt)
WORKFLOWS = Family("workflow", Workflow)


def family_of(document: models.Model) -> Family:
    return PROMPTS if isinstance(document, Prompt) else WORKFLOWS


def free_slug(family: Family, name: str) -> str:
    base = slugify(name)[:80] or family.noun
    taken = set(family.document.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for n in range(1, len(taken) + 3) if (slug := base if n == 1 else f"{base}-{n}") not in taken)


def create(
    family: Family, *, actor: Actor, name: str, spec: Spec, note: str = "", description: str = "", slug: str = ""
) -> Any:
    """A document whose first version is Live. Raises InvalidInput when the name is taken."""
    actor.require(f"add_{family.noun}")
    check_name(family, actor=actor, name=name)
    with transaction.atomic(), workspace_scope(actor.workspace):
        document = family.document(
            workspace=actor.workspace,
            name=" ".join(name.split()),
            slug=slug or free_slug(family, name),
            description=description,
            created_by=actor.user,
        )
        _save_named(family, document)
        version = save_version(document, actor=actor, spec=spec, note=note)
        _move(family, document, actor=actor, label=LIVE, version=version, reason="First version")
    return document


def check_name(family: Family, *, actor: Actor, name: str, document: Any = None) -> None:
    if not name.strip():
        raise InvalidInput([Problem(("name",), f"Give the {family.noun} a name.")])
    if len(name) > 200:
        raise InvalidInput([Problem(("name",), "A name has at most 200 characters.")])
    with workspace_scope(actor.workspace):
        same = family.document.objects.filter(name_key=name_key(name))
        if same.exclude(pk=document.pk if document else None).exists():
            raise InvalidInput([_taken(family, name)])


def _taken(family: Family, name: str) -> Problem:
    return Problem(("name",), f"There is a {family.noun} called “{name}” already (capitals do not count).")


def _save_named(family: Family, document: Any) -> None:
    try:
        with transaction.atomic():
            document.save()
    except IntegrityError:
        raise InvalidInput([_taken(family, document.name)]) from None


def change(family: Family, document: Any, *, actor: Actor, name: str, description: str | None = None) -> None:
    actor.require(f"change_{family.noun}")
    check_name(family, actor=actor, name=name, document=document)
    document.name = " ".join(name.split())
    if description is not None:
        document.description = description
    _save_named(family, document)


def save_version(
    document: Any, *, actor: Actor, spec: Spec, note: str = "", publish: bool = False, based_on: int | None = None
) -> Any:
    """A new version; with `publish` it becomes Live. `based_on`: the number that the author started from.

    Raises Conflict when somebody saved another version in between. The number comes from a compare-and-set on
    the document, so that simultaneous saves give consecutive numbers.
    """
    family = family_of(document)
    actor.require(f"change_{family.noun}")
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
            actor.require(f"publish_{family.noun}")
            _move(family, document, actor=actor, label=LIVE, version=version, reason=note)
        transaction.on_commit(lambda: signals.version_saved.send(family.document, document=document, version=version))
    return version


def move_label(document: Any, *, actor: Actor, label: str, number: int, reason: str = "") -> Any:
    """The event. Raises NotFound when there is no such version."""
    family = family_of(document)
    actor.require(f"publish_{family.noun}")
    with transaction.atomic(), workspace_scope(actor.workspace):
        return _move(
            family, document, actor=actor, label=label, version=version_of(document, number=number), reason=reason
        )


def _move(family: Family, document: Any, *, actor: Actor, label: str, version: Any, reason: str) -> Any:
    # The lock on the document's row makes simultaneous moves follow one another.
    family.document.objects.filter(pk=document.pk).update(updated_at=timezone.now())
    row = family.label.objects.filter(**{family.noun: document}, name=label).select_related("version").first()
    before = row.version.number if row else None
    if before == version.number:
        return None
    if row:
        row.version = version
        row.save(update_fields=["version", "moved_at"])
    else:
        family.label.objects.create(**{family.noun: document}, name=label, version=version)
    event = family.event.objects.create(
        **{family.noun: document},
        name=label,
        from_number=before,
        to_number=version.number,
        actor=actor.user,
        reason=reason[:500],
    )
    transaction.on_commit(lambda: signals.label_moved.send(family.document, document=document, event=event))
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


def get(family: Family, *, actor: Actor, slug: str) -> Any:
    with workspace_scope(actor.workspace):
        document = family.document.objects.filter(slug=slug).first()
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


def newest(document: Any) -> Any:
    """The version with the highest number. Every document has one."""
    return version_of(document, number=document.last_number)


def delete(document: Any, *, actor: Actor) -> None:
    family = family_of(document)
    actor.require(f"delete_{family.noun}")
    with transaction.atomic(), workspace_scope(actor.workspace):
        family.label.objects.filter(**{family.noun: document}).delete()
        document.delete()
