"""What the host's own admin allows one person with one of its tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import models

from llm_admin.services import host_fields

AT_A_TIME = 500


@dataclass(frozen=True)
class Host:
    """Callables, because services know nothing of requests.

    `fields` are the names in the change form that the person may edit (of an object, or in general); `readable` those
    that they see. `log` writes the admin's history, `save` stores the named fields.
    """

    model: type[models.Model]
    rows: Callable[[], Any]
    may_change: Callable[[models.Model], bool]
    fields: Callable[[models.Model | None], Collection[str]]
    readable: Callable[[], Collection[str]]
    log: Callable[[models.Model, str], None]
    save: Callable[[models.Model, list[str]], None]

    @property
    def content_type(self) -> ContentType:
        return ContentType.objects.get_for_model(self.model, for_concrete_model=False)

    def targets(self, obj: models.Model | None = None) -> list[Any]:
        return host_fields.targets(self.model, self.fields(obj))


def objects(host: Host, ids: Sequence[Any], keys: Iterable[str] = ()) -> list[Any]:
    """In the order of `ids`; those that are gone, or that the host's admin hides, are left out."""
    related = [name for name in keys if (f := host_fields.field_of(host.model, name)) and f.is_relation]
    rows, found = host.rows(), dict[str, Any]()
    rows = rows.select_related(*related) if related else rows
    for start in range(0, len(ids), AT_A_TIME):
        part = _valid(host.model, ids[start : start + AT_A_TIME])
        found |= {str(obj.pk): obj for obj in rows.filter(pk__in=part)}
    return [found[str(pk)] for pk in dict.fromkeys(map(str, ids)) if pk in found]


def _valid(model: type[models.Model], ids: Sequence[Any]) -> list[Any]:
    """What a form sends may be no id at all."""
    key, valid = model._meta.pk, []
    for one in ids:
        with suppress(ValidationError, ValueError, TypeError):
            value = key.to_python(one)
            key.run_validators(value)  # a number may be larger than the column
            valid.append(value)
    return valid
