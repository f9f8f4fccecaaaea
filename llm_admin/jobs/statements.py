"""Inserts and updates of single rows whose SQL is made once: Django makes it anew at every call, which costs several
times as much as running it. For the default database only, as everything here."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models

PLAIN = frozenset(
    (
        models.AutoField,
        models.BigAutoField,
        models.BigIntegerField,
        models.BooleanField,
        models.CharField,
        models.IntegerField,
        models.PositiveBigIntegerField,
        models.PositiveIntegerField,
        models.PositiveSmallIntegerField,
        models.TextField,
    )
)
AS_THEY_ARE = frozenset((str, int, bool, type(None)))

Prepare = Callable[[Any, Any], Any]  # (value, connection) -> as the driver takes it
_inserts: dict[type[models.Model], Insertion] = {}
_updates: dict[tuple[Any, ...], tuple[str, list[Prepare]]] = {}


@dataclass(frozen=True)
class Insertion:
    statement: str
    columns: list[tuple[Callable[[Any], Any], Prepare]]
    numbered: bool  # the database gives its key


def update_one(model: type[models.Model], where: dict[str, Any], values: dict[str, Any]) -> int:
    """`filter(**where).update(**values)` for plain equalities and values."""
    key = (model, *values, "", *where)
    made = _updates.get(key)
    if made is None:
        made = _updates[key] = _update(model, list(values), list(where))
    statement, preparing = made
    connection = connections[DEFAULT_DB_ALIAS]
    given = (*values.values(), *where.values())
    with connection.cursor() as cursor:
        cursor.execute(statement, [one(value, connection) for one, value in zip(preparing, given, strict=True)])
        return cursor.rowcount


def insert_one(row: models.Model) -> None:
    """`row.save(force_insert=True)` without signals; a number of an attempt that was rolled back is given anew."""
    model = type(row)
    made = _inserts.get(model)
    if made is None:
        made = _inserts[model] = _insertion(model)
    connection = connections[DEFAULT_DB_ALIAS]
    with connection.cursor() as cursor:
        cursor.execute(made.statement, [prepare(read(row), connection) for read, prepare in made.columns])
        if made.numbered:
            row.pk = cursor.fetchone()[0]
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def _update(model: type[models.Model], values: list[str], where: list[str]) -> tuple[str, list[Prepare]]:
    fields: list[Any] = [model._meta.get_field(name) for name in (*values, *where)]
    quote = connections[DEFAULT_DB_ALIAS].ops.quote_name
    columns = [f"{quote(field.column)} = %s" for field in fields]
    assignments, conditions = ", ".join(columns[: len(values)]), " AND ".join(columns[len(values) :])
    statement = f"UPDATE {quote(model._meta.db_table)} SET {assignments} WHERE {conditions}"  # noqa: S608
    return statement, [_preparing(field) for field in fields]


def _insertion(model: type[models.Model]) -> Insertion:
    meta, quote = model._meta, connections[DEFAULT_DB_ALIAS].ops.quote_name
    numbered = isinstance(meta.pk, models.AutoField)
    fields = [field for field in meta.concrete_fields if not (numbered and field.primary_key)]
    columns, places = ", ".join(quote(str(f.column)) for f in fields), ", ".join("%s" for _ in fields)
    returning = f" RETURNING {quote(str(meta.pk.column))}" if numbered else ""
    statement = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({places}){returning}"  # noqa: S608
    return Insertion(statement, [(_reader(field), _preparing(field)) for field in fields], numbered)


def _reader(field: Any) -> Callable[[Any], Any]:
    if type(field).pre_save is models.Field.pre_save or isinstance(field, models.ForeignKey):
        return attrgetter(field.attname)
    return lambda row: field.pre_save(row, add=True)


def _preparing(field: Any) -> Prepare:
    """Plain values of plain fields are as the driver takes them already."""
    target = field
    while isinstance(target, models.ForeignKey):
        target = target.target_field
    if type(target) in PLAIN:
        return _quick(field)
    return _uuid(field) if type(target) is models.UUIDField else field.get_db_prep_save


def _quick(field: Any) -> Prepare:
    def prepare(value: Any, connection: Any) -> Any:
        if type(value) in AS_THEY_ARE:
            return value
        if isinstance(value, Enum) and isinstance(value, str):
            return value.value
        return field.get_db_prep_save(value, connection)

    return prepare


def _uuid(field: Any) -> Prepare:
    def prepare(value: Any, connection: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, uuid.UUID):
            return value if connection.features.has_native_uuid_field else value.hex
        return field.get_db_prep_save(value, connection)

    return prepare
