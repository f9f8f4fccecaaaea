"""The charts of a panel of numbers. Each is also a table; a bar leads closer, and to the logs that it counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llm_admin.admin.dashboard_query import Link, View, names_of
from llm_admin.admin.dashboard_times import label, title
from llm_admin.admin.log_links import BY_LATENCY
from llm_admin.choices import CallStatus, ErrorKind
from llm_admin.models import Workspace
from llm_admin.selectors import periods
from llm_admin.selectors.usage import Bucket, Report, Totals
from llm_admin.templatetags.llm_format import NANO, SYMBOLS, cost, duration, tokens

MODELS_SHOWN = 6
OTHER_MODELS = "Other models"
GOOD, BAD, QUIET = 1, 5, 7
COLOURS = 7
COUNT = "{:,}".format


@dataclass(frozen=True)
class Line:
    """One series of a chart. `texts` say the values as people read them; `colour` is a number of dashboard.css.

    `link` narrows the panel to what it counts.
    """

    name: str
    values: list[float | None]
    texts: list[str]
    colour: int
    link: Link | None = None

    @property
    def swatch(self) -> int:
        return (self.colour - 1) % COLOURS + 1


@dataclass(frozen=True)
class Bar:
    """`title` stands in tooltips and in the table; `zoom` is None where it is not cut any further."""

    label: str
    title: str
    logs: str
    zoom: Link | None


@dataclass(frozen=True)
class Chart:
    """`unit` "": counted things. `empty`: the sentence instead of a drawing. `said`: what stands out, and a link."""

    key: str
    title: str
    kind: str
    unit: str
    bars: list[Bar]
    lines: list[Line]
    csv: str
    empty: str = ""
    said: str = ""
    said_link: Link | None = None

    @property
    def data(self) -> dict[str, Any]:
        """For static/llm_admin/js/dashboard.js."""
        lines = [{name: getattr(line, name) for name in ("name", "values", "texts", "colour")} for line in self.lines]
        shape = {"kind": self.kind, "unit": self.unit, "title": self.title, "lines": lines}
        return shape | {"labels": [bar.label for bar in self.bars], "titles": [bar.title for bar in self.bars]}

    @property
    def rows(self) -> list[tuple[Bar, list[str]]]:
        """(bar, a text for each line)"""
        return [(bar, [line.texts[position] for line in self.lines]) for position, bar in enumerate(self.bars)]


def charts(report: Report, view: View, workspace: Workspace) -> list[Chart]:
    axis = _Axis(report.buckets, view)
    return [
        _cost_chart(axis, report, workspace),
        _latency_chart(axis),
        _calls_chart(axis),
        _errors_chart(axis, report),
        _first_chart(axis),
        _tokens_chart(axis),
    ]


class _Axis:
    """The bars that all charts of a panel share."""

    def __init__(self, buckets: list[Bucket], view: View) -> None:
        self.buckets, self.view = buckets, view
        unit = view.period.unit
        self.labels = [label(bucket.start, unit) for bucket in buckets]
        self.titles = [title(bucket, view.period) for bucket in buckets]
        self._spans = [replace(view.filter, since=bucket.start, until=bucket.end) for bucket in buckets]
        self._made: dict[tuple[tuple[str, str], ...], list[Bar]] = {}
        closer = [periods.bar(bucket.start, bucket.end, unit) for bucket in buckets]
        self.zooms = [view.link(period) if period and len(buckets) > 1 else None for period in closer]

    def chart(self, key: str, title: str, unit: str, lines: list[Line], **details: Any) -> Chart:
        kind, more = details.pop("kind", "bar"), details.pop("query", {})
        return Chart(key, title, kind, unit, self._bars_to(**more), lines, self.view.csv(key), **details)

    def _bars_to(self, **query: str) -> list[Bar]:
        """Charts whose bars lead to the same logs share them."""
        same = tuple(query.items())
        if same not in self._made:
            urls = [self.view.logs_of(span, **query) for span in self._spans]
            parts = zip(self.labels, self.titles, urls, self.zooms, strict=True)
            self._made[same] = [Bar(*one) for one in parts]
        return self._made[same]

    def line(
        self,
        name: str,
        value: Callable[[Bucket], Any],
        text: Callable[[Any], str],
        *,
        colour: int,
        scale: float = 1,
        narrow: tuple[str, Any] | None = None,
    ) -> Line:
        values = [value(bucket) for bucket in self.buckets]
        scaled = [None if one is None else one * scale for one in values]
        link = None
        if narrow and narrow[1] not in (None, "") and narrow[0] not in self.view.given:
            link = self.view.link(add=dict([narrow]))
        return Line(name, scaled, [text(one) for one in values], colour, link)


def _cost_chart(axis: _Axis, report: Report, workspace: Workspace) -> Chart:
    order = models_by_cost(report)
    names = names_of("model", order)
    groups = [(model_name(model, names), [model]) for model in order[:MODELS_SHOWN]]
    if len(order) > MODELS_SHOWN:
        groups.append((OTHER_MODELS, order[MODELS_SHOWN:]))
    scale = float(workspace.currency_rate / NANO)
    lines = [
        axis.line(
            name,
            _cost_of(models),
            lambda nano: "–" if nano is None else cost(nano, workspace),
            colour=colour,
            scale=scale,
            narrow=("model", models[0] if len(models) == 1 else None),
        )
        for colour, (name, models) in enumerate(groups, start=1)
    ]
    charged = any(any(bucket.cost_by_model.values()) for bucket in report.buckets)
    empty = "" if charged else _no_cost(report)
    return axis.chart("cost", "Cost by model", SYMBOLS.get(workspace.currency, workspace.currency), lines, empty=empty)


def models_by_cost(report: Report) -> list[int | None]:
    sums: Counter[int | None] = Counter()
    for bucket in report.buckets:
        sums.update(bucket.cost_by_model)
    return [model for model, _ in sums.most_common()]


def model_name(model: int | None, names: dict[Any, str]) -> str:
    return "Unknown model" if model is None else names.get(model, "Deleted model")


def _no_cost(report: Report) -> str:
    if report.totals.cost_nano is None:
        return "The cost is unknown: no price was entered for the models that were called, or no answer was complete."
    return "Nothing was charged."


def _cost_of(models: Sequence[int | None]) -> Callable[[Bucket], int | None]:
    """None where these models may have been called at a cost that nobody knows."""

    def known(bucket: Bucket) -> int | None:
        found = [bucket.cost_by_model[model] for model in models if model in bucket.cost_by_model]
        return sum(found) if found or not bucket.totals.unknown_cost else None

    return known


def _latency_chart(axis: _Axis) -> Chart:
    empty = "No call was timed: all were answered from the cache."
    return _times(axis, "latency", "Time of a call", empty, lambda totals: (totals.p50_ms, totals.p95_ms))


def _first_chart(axis: _Axis) -> Chart:
    empty = "No answer was streamed, so that nobody knows when its first word came."
    title = "Time to the first token"
    return _times(axis, "first", title, empty, lambda totals: (totals.first_p50_ms, totals.first_p95_ms))


def _times(axis: _Axis, key: str, title: str, empty: str, pick: Callable[[Totals], tuple[Any, Any]]) -> Chart:
    longest = max((pick(bucket.totals)[1] or 0 for bucket in axis.buckets), default=0)
    unit, scale = ("s", 0.001) if longest >= 1000 else ("ms", 1.0)
    half, most = "Half took at most (p50)", "95% took at most (p95)"
    lines = [
        axis.line(half, lambda bucket: pick(bucket.totals)[0], _duration_or_dash, colour=1, scale=scale),
        axis.line(most, lambda bucket: pick(bucket.totals)[1], _duration_or_dash, colour=2, scale=scale),
    ]
    query = BY_LATENCY if key == "latency" else {}
    chart = axis.chart(key, title, unit, lines, kind="line", query=query, empty="" if longest else empty)
    peaks = [pick(bucket.totals)[1] for bucket in axis.buckets]
    return _with_peak(chart, peaks, longest)


def _with_peak(chart: Chart, peaks: list[int | None], longest: int) -> Chart:
    """Which bar is the highest, in words: nobody has to measure a drawing with their eyes."""
    if not longest or len(chart.bars) < 2:
        return chart
    bar = chart.bars[peaks.index(longest)]
    link = bar.zoom or Link(bar.logs, "", push=False)
    return replace(chart, said=f"Highest p95: {duration(longest)}, {bar.title}", said_link=link)


def _duration_or_dash(ms: int | None) -> str:
    return "–" if ms is None else duration(ms)


def _calls_chart(axis: _Axis) -> Chart:
    def succeeded(bucket: Bucket) -> int:
        return bucket.totals.calls - bucket.totals.errors - bucket.totals.stopped

    status = CallStatus
    lines = [
        axis.line("Succeeded", succeeded, COUNT, colour=GOOD, narrow=("status", status.SUCCEEDED.value)),
        axis.line(
            "Failed", lambda bucket: bucket.totals.errors, COUNT, colour=BAD, narrow=("status", status.FAILED.value)
        ),
        axis.line("Stopped or interrupted", lambda bucket: bucket.totals.stopped, COUNT, colour=QUIET),
    ]
    return axis.chart("calls", "Calls", "", lines)


def errors_by_kind(report: Report) -> Counter[str]:
    sums: Counter[str] = Counter()
    for bucket in report.buckets:
        sums.update(bucket.errors)
    return sums


def _errors_chart(axis: _Axis, report: Report) -> Chart:
    sums, kinds = errors_by_kind(report), dict(ErrorKind.choices)
    lines = [
        axis.line(kinds.get(kind, "Unknown"), _errors_of(kind), COUNT, colour=colour, narrow=("error", kind))
        for colour, (kind, _) in enumerate(sums.most_common(), start=1)
    ]
    empty = "" if sums else "No call failed."
    return axis.chart("errors", "Errors by kind", "", lines, empty=empty, query={"status": "failed"})


def _errors_of(kind: str) -> Callable[[Bucket], int]:
    return lambda bucket: bucket.errors.get(kind, 0)


def _tokens_chart(axis: _Axis) -> Chart:
    lines = [
        axis.line("In", lambda bucket: bucket.totals.input_tokens, tokens, colour=1),
        axis.line("Out", lambda bucket: bucket.totals.output_tokens, tokens, colour=3),
    ]
    counted = any(bucket.totals.input_tokens or bucket.totals.output_tokens for bucket in axis.buckets)
    return axis.chart("tokens", "Tokens", "", lines, empty="" if counted else "No tokens were counted.")
