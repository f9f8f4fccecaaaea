"""The numbers of one chart or table as a file: plain numbers in named units, ISO times, nothing where it is unknown."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpResponse
from django.utils import timezone

from llm_admin.admin.dashboard_charts import errors_by_kind, model_name, models_by_cost
from llm_admin.admin.dashboard_query import TABLES, View, names_of
from llm_admin.admin.dashboard_tables import named, ordered
from llm_admin.choices import ErrorKind
from llm_admin.models import Workspace
from llm_admin.selectors.usage import Bucket, Report, Totals
from llm_admin.services.batch_results import harmless
from llm_admin.templatetags.llm_format import NANO

BOM = "\ufeff"  # Excel wants it
Columns = list[tuple[str, Callable[[Bucket], Any]]]


def answer(what: str, report: Report, view: View, workspace: Workspace) -> HttpResponse:
    lines = _table(what, report, view, workspace) if what in TABLES else _chart(what, report, workspace)
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[harmless(cell) for cell in line] for line in lines])
    day = timezone.localtime(view.period.since).strftime("%Y-%m-%d")
    response = HttpResponse((BOM + text.getvalue()).encode(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{what}-{day}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _chart(what: str, report: Report, workspace: Workspace) -> list[list[Any]]:
    columns = _columns(what, report, workspace)
    head = ["from", "until", *[name for name, _ in columns]]
    rows = [
        [_iso(bucket.start), _iso(bucket.end), *[_cell(value(bucket)) for _, value in columns]]
        for bucket in report.buckets
    ]
    return [head, *rows]


def _columns(what: str, report: Report, workspace: Workspace) -> Columns:
    if what == "cost":
        return _cost_columns(report, workspace)
    if what == "errors":
        kinds = dict(ErrorKind.choices)
        return [(kinds.get(kind, "Unknown"), _errors_of(kind)) for kind, _ in errors_by_kind(report).most_common()]
    plain: dict[str, Columns] = {
        "latency": [
            ("p50 in ms", lambda bucket: bucket.totals.p50_ms),
            ("p95 in ms", lambda bucket: bucket.totals.p95_ms),
        ],
        "first": [
            ("p50 of the first token in ms", lambda bucket: bucket.totals.first_p50_ms),
            ("p95 of the first token in ms", lambda bucket: bucket.totals.first_p95_ms),
        ],
        "calls": [
            ("calls", lambda bucket: bucket.totals.calls),
            ("succeeded", lambda bucket: bucket.totals.calls - bucket.totals.errors - bucket.totals.stopped),
            ("failed", lambda bucket: bucket.totals.errors),
            ("stopped or interrupted", lambda bucket: bucket.totals.stopped),
        ],
        "tokens": [
            ("tokens in", lambda bucket: bucket.totals.input_tokens),
            ("tokens out", lambda bucket: bucket.totals.output_tokens),
        ],
    }
    if what not in plain:
        raise Http404
    return plain[what]


def _cost_columns(report: Report, workspace: Workspace) -> Columns:
    order = models_by_cost(report)
    names, money = names_of("model", order), workspace.currency
    found: Columns = [(f"all models in {money}", lambda bucket: _money(bucket.totals.cost_nano, workspace))]
    found += [(f"{model_name(model, names)} in {money}", _cost_of(model, workspace)) for model in order]
    return [*found, ("calls of unknown cost", lambda bucket: bucket.totals.unknown_cost)]


def _cost_of(model: int | None, workspace: Workspace) -> Callable[[Bucket], Decimal | None]:
    return lambda bucket: _money(bucket.cost_by_model.get(model), workspace)


def _errors_of(kind: str) -> Callable[[Bucket], int]:
    return lambda bucket: bucket.errors.get(kind, 0)


def _table(what: str, report: Report, view: View, workspace: Workspace) -> list[list[Any]]:
    slices = ordered(report.by.get(what, []), view.sort.get(what, "cost"))
    names = named(what, slices, view)
    head = [what, "id", "calls", "failed", "stopped or interrupted", f"cost in {workspace.currency}"]
    head += ["calls of unknown cost", "tokens in", "tokens out", "p50 in ms", "p95 in ms"]
    return [head, *[[names[one.value], _cell(one.value), *_numbers(one.totals, workspace)] for one in slices]]


def _numbers(totals: Totals, workspace: Workspace) -> list[Any]:
    money = _money(totals.cost_nano, workspace)
    cells = [totals.calls, totals.errors, totals.stopped, money, totals.unknown_cost]
    return [_cell(cell) for cell in [*cells, totals.input_tokens, totals.output_tokens, totals.p50_ms, totals.p95_ms]]


def _money(nano: int | None, workspace: Workspace) -> Decimal | None:
    return None if nano is None else Decimal(nano) / NANO * workspace.currency_rate


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def _iso(moment: Any) -> str:
    return timezone.localtime(moment).isoformat(timespec="seconds")
