"""The charts of a panel of numbers. Each is also a table; every bar leads to the logs that it counts."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from llm_admin.admin.log_links import BY_LATENCY, logs_url
from llm_admin.choices import ErrorKind
from llm_admin.models import Workspace
from llm_admin.selectors import usage
from llm_admin.selectors.periods import Period
from llm_admin.selectors.usage import Bucket, Report, UsageFilter
from llm_admin.templatetags.llm_format import NANO, SYMBOLS, cost, duration

MODELS_SHOWN = 6
OTHER_MODELS = "Other models"
GOOD, BAD, QUIET = 1, 5, 7
COUNT = "{:,}".format


@dataclass(frozen=True)
class Line:
    """One series of a chart. `texts` say the values as people read them; `colour` is a number of dashboard.css."""

    name: str
    values: list[float | None]
    texts: list[str]
    colour: int


@dataclass(frozen=True)
class Chart:
    """`unit` "": counted things. `empty`: the sentence instead of a drawing. `labels` stand at the axis, `titles` in
    tooltips and in the table."""

    key: str
    title: str
    kind: str
    unit: str
    labels: list[str]
    titles: list[str]
    urls: list[str]
    lines: list[Line]
    empty: str = ""

    @property
    def data(self) -> dict[str, Any]:
        """For static/llm_admin/js/dashboard.js."""
        lines = [asdict(line) for line in self.lines]
        shape = {"kind": self.kind, "unit": self.unit, "title": self.title}
        return shape | {"labels": self.labels, "titles": self.titles, "urls": self.urls, "lines": lines}

    @property
    def rows(self) -> list[tuple[str, str, list[str]]]:
        """(title, address, a text for each line)"""
        return [
            (title, url, [line.texts[position] for line in self.lines])
            for position, (title, url) in enumerate(zip(self.titles, self.urls, strict=True))
        ]


def charts(report: Report, usage_filter: UsageFilter, period: Period, workspace: Workspace) -> list[Chart]:
    axis = _Axis(report.buckets, usage_filter, period)
    return [_cost_chart(axis, report, workspace), _latency_chart(axis), _calls_chart(axis), _errors_chart(axis, report)]


class _Axis:
    """The bars that all charts of a panel share."""

    def __init__(self, buckets: list[Bucket], usage_filter: UsageFilter, period: Period) -> None:
        self.buckets = buckets
        self.labels = [_label(bucket.start, period) for bucket in buckets]
        self.titles = [_title(bucket, usage_filter, period) for bucket in buckets]
        self._spans = [replace(usage_filter, since=bucket.start, until=bucket.end) for bucket in buckets]

    def chart(self, key: str, title: str, unit: str, lines: list[Line], **details: Any) -> Chart:
        kind, more = details.pop("kind", "bar"), details.pop("query", {})
        urls = [logs_url(span, **more) for span in self._spans]
        return Chart(key, title, kind, unit, self.labels, self.titles, urls, lines, **details)

    def line(
        self, name: str, value: Callable[[Bucket], Any], text: Callable[[Any], str], *, colour: int, scale: float = 1
    ) -> Line:
        values = [value(bucket) for bucket in self.buckets]
        scaled = [None if one is None else one * scale for one in values]
        return Line(name, scaled, [text(one) for one in values], colour)


def _label(start: dt.datetime, period: Period) -> str:
    return date_format(timezone.localtime(start), "H:i" if period.unit == "hour" else "j M")


def _title(bucket: Bucket, usage_filter: UsageFilter, period: Period) -> str:
    start = timezone.localtime(bucket.start)
    title = date_format(start, "D j M, H:i" if period.unit == "hour" else "D j M")
    if bucket.start == usage_filter.since and period.unit == "day":
        return f"{title}, from {date_format(start, 'H:i')}"
    return f"{title}, so far" if bucket.end == usage_filter.until else title


def _cost_chart(axis: _Axis, report: Report, workspace: Workspace) -> Chart:
    sums: Counter[int | None] = Counter()
    for bucket in report.buckets:
        sums.update(bucket.cost_by_model)
    order = [model for model, _ in sums.most_common()]
    names = usage.model_names(order)
    groups = [(names[model], [model]) for model in order[:MODELS_SHOWN]]
    if len(order) > MODELS_SHOWN:
        groups.append((OTHER_MODELS, order[MODELS_SHOWN:]))
    scale = float(workspace.currency_rate / NANO)
    lines = [
        axis.line(name, _cost_of(models), lambda nano: cost(nano, workspace), colour=colour, scale=scale)
        for colour, (name, models) in enumerate(groups, start=1)
    ]
    empty = "" if any(sums.values()) else _no_cost(report)
    return axis.chart("cost", "Cost by model", SYMBOLS.get(workspace.currency, workspace.currency), lines, empty=empty)


def _no_cost(report: Report) -> str:
    if report.totals.cost_nano is None:
        return "The cost is unknown: no price was entered for the models that were called, or no answer was complete."
    return "Nothing was charged."


def _cost_of(models: Sequence[int | None]) -> Callable[[Bucket], int]:
    return lambda bucket: sum(bucket.cost_by_model.get(model, 0) for model in models)


def _latency_chart(axis: _Axis) -> Chart:
    longest = max((bucket.totals.p95_ms or 0 for bucket in axis.buckets), default=0)
    unit, scale = ("s", 0.001) if longest >= 1000 else ("ms", 1.0)
    lines = [
        axis.line(
            "Half took at most (p50)", lambda bucket: bucket.totals.p50_ms, _duration_or_dash, colour=1, scale=scale
        ),
        axis.line(
            "95% took at most (p95)", lambda bucket: bucket.totals.p95_ms, _duration_or_dash, colour=2, scale=scale
        ),
    ]
    return axis.chart("latency", "Time of a call", unit, lines, kind="line", query=BY_LATENCY)


def _duration_or_dash(ms: int | None) -> str:
    return "–" if ms is None else duration(ms)


def _calls_chart(axis: _Axis) -> Chart:
    lines = [
        axis.line("Succeeded", lambda b: b.totals.calls - b.totals.errors - b.totals.stopped, COUNT, colour=GOOD),
        axis.line("Failed", lambda bucket: bucket.totals.errors, COUNT, colour=BAD),
        axis.line("Stopped or interrupted", lambda bucket: bucket.totals.stopped, COUNT, colour=QUIET),
    ]
    return axis.chart("calls", "Calls", "", lines)


def _errors_chart(axis: _Axis, report: Report) -> Chart:
    sums: Counter[str] = Counter()
    for bucket in report.buckets:
        sums.update(bucket.errors)
    kinds = dict(ErrorKind.choices)
    lines = [
        axis.line(kinds.get(kind, "Unknown"), _errors_of(kind), COUNT, colour=colour)
        for colour, (kind, _) in enumerate(sums.most_common(), start=1)
    ]
    empty = "" if sums else "No call failed."
    return axis.chart("errors", "Errors by kind", "", lines, empty=empty, query={"status": "failed"})


def _errors_of(kind: str) -> Callable[[Bucket], int]:
    return lambda bucket: bucket.errors.get(kind, 0)
