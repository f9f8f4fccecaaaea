"""Which calls somebody asks for, and the same as conditions of the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Exists, Expression, F, Field, Func, OuterRef, Q, QuerySet

from llm_admin.models import InteractionFeedback, InteractionLog
from llm_admin.selectors.usage import COLUMNS

ORDERS = {"time": "Newest first", "latency": "Slowest first", "cost": "Dearest first"}
AMOUNTS = {"latency": "latency_ms", "cost": "cost_nano", "tokens": "all_tokens"}
UNKNOWN = "unknown"
NOBODY = "none"  # said anything
Range = tuple[int | None, int | None]


class Plain(Func):
    """The column itself, but SQLite looks for no index of it: without statistics it would often pick a wrong one."""

    arity = 1
    template = "%(expressions)s"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="+%(expressions)s", **context)


class Within(Expression):
    """In one of many spans. Written out at once: Django takes longer to put fifty of them together than they take."""

    output_field = BooleanField()

    def __init__(self, workspace_id: int, spans: Sequence[tuple[dt.datetime, dt.datetime]]) -> None:
        super().__init__()
        self.workspace_id, self.spans = workspace_id, spans

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        quote, adapt = connection.ops.quote_name, connection.ops.adapt_datetimefield_value
        table = quote(InteractionLog._meta.db_table)
        where, when = f"{table}.{quote('workspace_id')}", f"{table}.{quote('created_at')}"
        each = f"({where} = %s AND {when} >= %s AND {when} < %s)"
        given = (one for start, end in self.spans for one in (self.workspace_id, adapt(start), adapt(end)))
        return f"({' OR '.join([each] * len(self.spans))})", tuple(given)


def _field_of(column: str) -> Field[Any, Any]:
    """A key by its own kind: what it leads to is not asked for."""
    found: Any = InteractionLog._meta.get_field(column.removesuffix("_id"))
    return found.target_field if found.is_relation else found


@dataclass(frozen=True)
class LogQuery:
    """`viewer`: only this person's calls are shown. `values`: by dimension, which ones count. `amounts`: from the
    first number up to, but not including, the second. `ids`: only these, where somebody ticked them."""

    workspace_id: int
    viewer: int | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    values: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    amounts: Mapping[str, Range] = field(default_factory=dict)
    cost_known: bool | None = None
    run: UUID | None = None
    feedback: str = ""
    text: str = ""
    order: str = "time"
    ids: tuple[int, ...] | None = None

    def rows(self, *, by_time: bool = False, by_id: bool = False) -> QuerySet[Any]:
        """By `by_time` and `by_id`, which index SQLite shall walk: that of the time, or the rows themselves."""
        plain, rows = by_time or by_id, InteractionLog._base_manager.order_by()
        conditions = Q()
        for name, value in self._conditions().items():
            column, _, lookup = name.partition("__")
            if column == "all_tokens":
                rows = rows.alias(all_tokens=F("input_tokens") + F("output_tokens"))
            elif plain and not (by_time and column in ("workspace_id", "created_at")):
                rows = rows.alias(**{f"plain_{column}": Plain(F(column), output_field=_field_of(column))})
                name = f"plain_{name}"
            conditions &= Q(**{name: value})
        rows = rows.filter(conditions)
        return rows.filter(self._feedback()) if self.feedback else rows

    def _conditions(self) -> dict[str, Any]:
        found: dict[str, Any] = {"workspace_id": self.workspace_id}
        if self.viewer is not None:
            found["user_id"] = self.viewer
        if self.since:
            found["created_at__gte"] = self.since
        if self.until:
            found["created_at__lt"] = self.until
        for dimension, values in self.values.items():
            found[f"{COLUMNS[dimension]}__in"] = list(values)
        for amount, (low, high) in self.amounts.items():
            if low is not None:
                found[f"{AMOUNTS[amount]}__gte"] = low
            if high is not None:
                found[f"{AMOUNTS[amount]}__lt"] = high
        if self.cost_known is not None:
            found["cost_nano__isnull"] = not self.cost_known
        if self.run is not None:
            found["run_id"] = self.run
        return found

    def judged(self) -> QuerySet[Any]:
        """What people said of single calls, as far as it is asked for."""
        said = InteractionFeedback._base_manager.filter(workspace=self.workspace_id, log_id__isnull=False)
        return said if self.feedback == NOBODY else said.filter(value=self.feedback)

    def _feedback(self) -> Q:
        if self.feedback == NOBODY:
            return ~Q(Exists(self.judged().filter(log_id=OuterRef("pk"))))
        return Q(pk__in=self.judged().values("log_id"))
