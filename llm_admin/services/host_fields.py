"""Fields of the host's tables: what workflows may read, what they may propose, and values to and fro."""

from __future__ import annotations

import datetime
import json
import math
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.duration import duration_iso_string
from django.utils.text import capfirst

from llm_admin.schemas.storable import texts_in, unfit, why_not
from llm_admin.schemas.values import PARSERS, as_text, load_json
from llm_admin.schemas.variables import VariableSpec

LABEL = ":label"  # of a choice: what people read instead of what is stored
FIXED = "="
NEVER_WRITTEN = (models.FileField, models.BinaryField, models.GeneratedField, models.AutoField)
NEVER_READ = (models.BinaryField,)


@dataclass(frozen=True)
class Source:
    """What an input can be filled from. `key` is what a mapping stores."""

    key: str
    title: str


def field_of(model: type[models.Model], name: str) -> Any | None:
    """A column of the table, or None: for names that come from a mapping, which may be older than the table."""
    return next((field for field in model._meta.concrete_fields if field.name == name), None)


def sources(model: type[models.Model], readable: Collection[str]) -> list[Source]:
    found = []
    for field in model._meta.concrete_fields:
        if field.name not in readable or isinstance(field, NEVER_READ):
            continue
        title = title_of(field)
        if field.choices:
            found.append(Source(field.name + LABEL, title))
            title = f"{title} (as stored)"
        found.append(Source(field.name, title))
    return found


def targets(model: type[models.Model], allowed: Collection[str]) -> list[Any]:
    """Fields that can be proposed: columns of the table that hold a value of their own and that may be edited."""
    return [f for f in model._meta.concrete_fields if f.name in allowed and is_target(f)]


def is_target(field: Any) -> bool:
    held = field.editable and not field.primary_key and not field.is_relation
    return held and not isinstance(field, NEVER_WRITTEN)


def title_of(field: Any) -> str:
    return str(capfirst(field.verbose_name))


# ---- from a row ----


def input_value(obj: models.Model, key: str, variable: VariableSpec) -> Any:
    """What the variable gets from the row; None when there is nothing."""
    if key.startswith(FIXED):
        return key.removeprefix(FIXED)
    name = key.removesuffix(LABEL)
    field = field_of(type(obj), name)
    if field is None:
        return None
    if field.is_relation:
        related = getattr(obj, name)
        return None if related is None else str(related)
    value = field.value_from_object(obj)
    if key.endswith(LABEL):
        return dict(field.flatchoices).get(value, value)
    if variable.type == "date" and isinstance(value, datetime.datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    if variable.type == "number" and isinstance(value, Decimal) and value.is_finite() and value == int(value):
        return int(value)
    return stored(field, value)


def stored(field: Any, value: Any) -> Any:
    """As JSON, in a form that `restored` makes the same value of again."""
    if isinstance(field, models.JSONField):
        return json.loads(json.dumps(value, cls=field.encoder))
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return duration_iso_string(value)
    if isinstance(value, (Decimal, uuid.UUID)):
        return str(value)
    if value is None or isinstance(value, (bool, int, str)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return field.value_to_string(_Holder(field.attname, value))


class _Holder:
    """`value_to_string` wants an object."""

    def __init__(self, name: str, value: Any) -> None:
        setattr(self, name, value)


def restored(field: Any, value: Any) -> Any:
    if isinstance(field, models.JSONField):
        return json.loads(json.dumps(value), cls=field.decoder)
    return None if value is None else field.to_python(value)


def is_same(field: Any, held: Any, value: Any) -> bool:
    """Whether what is `stored` as `held` is the value: 12.50 and 12.5 are, and one moment in two time zones."""
    try:
        return bool(restored(field, held) == value)
    except ValidationError:
        return False


def current(obj: models.Model, field: Any) -> Any:
    return stored(field, field.value_from_object(obj))


def shown(field: Any, value: Any) -> str:
    """For people: a choice by its name, yes or no, nothing as nothing."""
    if field.choices:
        for key, title in field.flatchoices:
            if stored(field, key) == value:
                return str(title)
    return as_text(value)


# ---- from an answer ----


def cleaned(field: Any, value: Any, obj: models.Model | None = None) -> Any:
    """The field's value from what a workflow gave. Raises ValueError: a sentence."""
    try:
        return field.clean(_prepared(field, value), obj)
    except ValidationError as error:
        raise ValueError(" ".join(str(message) for message in error.messages)) from None
    except (TypeError, ArithmeticError, AttributeError, RecursionError):
        raise ValueError(f"“{as_text(value)[:80]}” does not fit the field.") from None


def _prepared(field: Any, value: Any) -> Any:
    _refuse_unstorable(value)
    if isinstance(field, models.JSONField):
        return _parsed("json", value) if isinstance(value, str) else value
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return _nothing(field)
    if field.choices:
        return _choice(field, value)
    if isinstance(field, models.BooleanField):
        return _parsed("boolean", value)
    if isinstance(field, (models.IntegerField, models.FloatField, models.DecimalField)):
        return _number(field, value)
    if isinstance(value, (dict, list)) and not isinstance(field, (models.CharField, models.TextField)):
        raise ValueError("This must be one value, not a list or an object.")
    return as_text(value)


def _refuse_unstorable(value: Any) -> None:
    reason = unfit(value) or next((reason for _, text in texts_in(value) if (reason := why_not(text))), "")
    if reason:
        raise ValueError(f"The answer {reason}.")


def _nothing(field: Any) -> Any:
    """An empty text where there can be one, as the admin's own forms store it."""
    if field.null and not field.empty_strings_allowed:
        return None
    if isinstance(field, (models.CharField, models.TextField)):
        return None if field.null else ""
    return None


def _choice(field: Any, value: Any) -> Any:
    """By what is stored, else by what people read, whatever its capitals."""
    given = as_text(value).strip().casefold()
    for by in (lambda pair: as_text(stored(field, pair[0])), lambda pair: str(pair[1])):
        for pair in field.flatchoices:
            if pair[0] not in (None, "") and by(pair).casefold() == given:
                return pair[0]
    offered = ", ".join(str(title) for key, title in field.flatchoices if key not in (None, ""))
    raise ValueError(f"“{as_text(value)[:80]}” is none of: {offered}.")


def _number(field: Any, value: Any) -> Any:
    if isinstance(field, models.DecimalField) and isinstance(value, str):
        _parsed("number", value)  # only whether it is one: a float would lose digits
        return value.replace("\u2212", "-")
    number = _parsed("number", value)
    if isinstance(field, models.IntegerField):
        if number != int(number):
            raise ValueError(f"{number} is not a whole number.")
        return int(number)
    return str(number) if isinstance(field, models.DecimalField) else number


def _parsed(kind: str, value: Any) -> Any:
    try:
        return load_json(value) if kind == "json" else PARSERS[kind](value)
    except ValueError as error:
        raise ValueError(f"The answer {error}.") from None
