"""What a panel's calls are made of: by prompt, workflow, version, model, person, source and kind of error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from llm_admin.admin.dashboard_charts import errors_by_kind
from llm_admin.admin.dashboard_query import LOGS, SORTS, TABLES, Link, View, names_of
from llm_admin.admin.log_links import BY_COST
from llm_admin.choices import CallStatus, ErrorKind
from llm_admin.models import Workspace
from llm_admin.selectors.usage import Report, Slice, Totals
from llm_admin.templatetags.llm_format import cost, duration

SHOWN = 6
TITLES = {
    "prompt": "Prompts",
    "workflow": "Workflows",
    "version": "Versions",
    "model": "Models",
    "user": "People",
    "source": "Where from",
    "error": "Errors by kind",
}
NONE = {
    "prompt": "Without a prompt",
    "workflow": "Without a workflow",
    "version": "Text that was not saved",
    "model": "Unknown model",
    "user": "Nobody: a program or a command",
    "source": "Unknown",
}
GONE = {
    "prompt": "Deleted prompt",
    "workflow": "Deleted workflow",
    "version": "Deleted version",
    "model": "Deleted model",
    "user": "Somebody who is no member",
}
HEADS = {"calls": "Calls", "errors": "Errors", "p95": "p95", "cost": "Cost"}


@dataclass(frozen=True)
class Row:
    """`narrow` filters the panel by it; `page` is its own page. `share`: of the cost, or of the calls."""

    name: str
    calls: str
    errors: str
    failed: str
    p95: str
    cost: str
    unknown: int
    share: str
    percent: int
    logs: str
    dearest: str
    narrow: Link | None = None
    page: str = ""


@dataclass(frozen=True)
class Head:
    key: str
    title: str
    current: bool
    link: Link


@dataclass(frozen=True)
class Table:
    key: str
    title: str
    heads: list[Head]
    rows: list[Row]
    others: Row | None
    toggle: Link | None
    opened: bool
    csv: str


def dimensions(view: View) -> list[str]:
    """Not by what is fixed, as the prompt of a version is; by versions only within a prompt; by people only for those
    who may see everyone."""
    if view.subject == LOGS:
        return []
    left_out = {name for name in TABLES if name in view.given}
    if "prompt" not in view.given:
        left_out.add("version")
    if "version" in view.given:
        left_out.add("prompt")
    if not view.sees_people:
        left_out.add("user")
    return [name for name in TABLES if name not in left_out]


def tables(report: Report, view: View, workspace: Workspace) -> list[Table]:
    found = [_table(name, slices, report, view, workspace) for name, slices in report.by.items() if _says(slices)]
    return found


def _says(slices: list[Slice]) -> bool:
    return any(one.value is not None for one in slices)


def ordered(slices: list[Slice], key: str) -> list[Slice]:
    """Unknown last; equals as they come: dearest first, then those called most."""
    value = SORT_VALUES[key]
    return sorted(slices, key=lambda one: -1 if (found := value(one.totals)) is None else found, reverse=True)


SORT_VALUES: dict[str, Callable[[Totals], int | None]] = {
    "cost": lambda totals: totals.cost_nano,
    "calls": lambda totals: totals.calls,
    "errors": lambda totals: totals.errors,
    "p95": lambda totals: totals.p95_ms,
}


def _table(name: str, slices: list[Slice], report: Report, view: View, workspace: Workspace) -> Table:
    key, opened = view.sort.get(name, SORTS[0]), name in view.opened
    order = ordered(slices, key)
    fits = opened or len(order) <= SHOWN + 1
    shown, rest = (order, []) if fits else (order[:SHOWN], order[SHOWN:])
    names = named(name, shown, view)
    maker = _Rows(name, report.totals, view, workspace)
    return Table(
        key=name,
        title=TITLES[name],
        heads=[Head(one, title, one == key, view.link(sort=(name, one))) for one, title in HEADS.items()],
        rows=[maker.row(one, names[one.value]) for one in shown],
        others=maker.others(rest) if rest else None,
        toggle=view.link(toggle=name) if rest or (opened and len(order) > SHOWN + 1) else None,
        opened=opened,
        csv=view.csv(name),
    )


def named(dimension: str, slices: list[Slice], view: View) -> dict[Any, str]:
    values = [one.value for one in slices]
    names = names_of(dimension, values, with_prompt="prompt" not in view.given)
    return {
        value: NONE[dimension] if value is None else names.get(value) or GONE.get(dimension, str(value))
        for value in values
    }


class _Rows:
    def __init__(self, dimension: str, all_of_it: Totals, view: View, workspace: Workspace) -> None:
        self.dimension, self.all, self.view, self.workspace = dimension, all_of_it, view, workspace

    def row(self, one: Slice, name: str) -> Row:
        if one.value is None:
            return self._made(name, one.totals, None)
        value = str(one.value)
        page = _page(self.dimension, value) if name != GONE.get(self.dimension) else ""
        return self._made(name, one.totals, {self.dimension: value}, page)

    def others(self, rest: list[Slice]) -> Row:
        known = [one.totals.cost_nano for one in rest if one.totals.cost_nano is not None]
        together = Totals(
            calls=sum(one.totals.calls for one in rest),
            errors=sum(one.totals.errors for one in rest),
            cost_nano=sum(known) if known else None,
            unknown_cost=sum(one.totals.unknown_cost for one in rest),
        )
        return self._made(f"{len(rest):,} others", together, None)

    def _made(self, name: str, totals: Totals, narrow: dict[str, str] | None, page: str = "") -> Row:
        part = _share(totals, self.all)
        return Row(
            name=name,
            calls=f"{totals.calls:,}",
            errors=f"{totals.errors / totals.calls:.1%}" if totals.errors else "0",
            failed=self.view.logs(**narrow, status=CallStatus.FAILED.value) if narrow and totals.errors else "",
            p95="–" if totals.p95_ms is None else duration(totals.p95_ms),
            cost=cost(totals.cost_nano, self.workspace),
            unknown=totals.unknown_cost if totals.cost_nano is not None else 0,
            share=_words(part),
            percent=round(part * 100),
            logs=self.view.logs(**narrow) if narrow else "",
            dearest=self.view.logs(**narrow, **BY_COST) if narrow else "",
            narrow=self.view.link(add=narrow) if narrow else None,
            page=page,
        )


def _share(totals: Totals, all_of_it: Totals) -> float:
    """Of the cost; where nothing cost anything, of the calls."""
    if all_of_it.cost_nano:
        return (totals.cost_nano or 0) / all_of_it.cost_nano
    return totals.calls / all_of_it.calls if all_of_it.calls else 0.0


def _words(part: float) -> str:
    return f"{part:.0%}" if part >= 0.1 or not part else f"{part:.1%}"


def _page(dimension: str, value: str) -> str:
    model = {"prompt": "prompt", "workflow": "workflow", "model": "languagemodel"}.get(dimension)
    return reverse(f"admin:llm_admin_{model}_change", args=[value]) if model else ""


@dataclass(frozen=True)
class ErrorRow:
    name: str
    calls: str
    share: str
    percent: int
    logs: str
    narrow: Link | None


def error_rows(report: Report, view: View) -> list[ErrorRow]:
    sums, kinds = errors_by_kind(report), dict(ErrorKind.choices)
    total = sum(sums.values())
    return [
        ErrorRow(
            name=kinds.get(kind, "Unknown"),
            calls=f"{count:,}",
            share=_words(count / total),
            percent=round(count / total * 100),
            logs=view.logs(status=CallStatus.FAILED.value, error=kind) if kind else "",
            narrow=view.link(add={"error": kind}) if kind and "error" not in view.given else None,
        )
        for kind, count in sums.most_common()
    ]
