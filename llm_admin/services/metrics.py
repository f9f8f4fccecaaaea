"""What this process counts for Prometheus, as calls and runs end; and everything that /metrics answers.

Counters begin at zero with each process. With PROMETHEUS_MULTIPROC_DIR set, the processes of a machine share files
there, and each of them answers for all.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from llm_admin.models import LanguageModel, Run, Workspace
from llm_admin.schemas.records import CallRecord

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300)
PREFIX = "llm_console_"
_COUNTED = CollectorRegistry()
# Workspaces and models by id here, by their short names in the answer: no look-up while calls end.
_OF_CALLS = ("workspace", "model", "source")
CALLS = Counter(
    PREFIX + "calls", "Model calls that ended.", (*_OF_CALLS, "status", "error", "cached"), registry=_COUNTED
)
COST = Counter(PREFIX + "cost_usd", "Known costs of model calls, in US dollars.", _OF_CALLS, registry=_COUNTED)
UNPRICED = Counter(PREFIX + "unpriced_calls", "Calls whose cost is unknown.", _OF_CALLS, registry=_COUNTED)
TOKENS = Counter(PREFIX + "tokens", "Known tokens of model calls.", (*_OF_CALLS, "direction"), registry=_COUNTED)
LATENCY = Histogram(
    PREFIX + "call_duration_seconds",
    "Time of calls that the cache did not answer.",
    ("workspace", "model"),
    buckets=SECONDS,
    registry=_COUNTED,
)
FIRST_TOKEN = Histogram(
    PREFIX + "first_token_seconds",
    "Time to the first token.",
    ("workspace", "model"),
    buckets=SECONDS,
    registry=_COUNTED,
)
RUNS = Counter(PREFIX + "runs_ended", "Runs that ended.", ("workspace", "kind", "source", "status"), registry=_COUNTED)


class _Series(NamedTuple):
    """Of calls that share their labels: looked up once."""

    calls: Counter
    cost: Counter
    unpriced: Counter
    tokens_in: Counter
    tokens_out: Counter
    latency: Histogram
    first_token: Histogram


_series: dict[tuple[Any, ...], _Series] = {}


def call_ended(run: Run, record: CallRecord) -> None:
    """Some microseconds, in the run's loop."""
    key = (run.workspace_id, record.start.model_id, run.source, record.status, record.error_kind, record.cached)
    one = _series.get(key) or _remember(key)
    one.calls.inc()
    if record.cost_nano is None:
        one.unpriced.inc()
    else:
        one.cost.inc(record.cost_nano / 1e9)
    if record.input_tokens:
        one.tokens_in.inc(record.input_tokens)
    if record.output_tokens:
        one.tokens_out.inc(record.output_tokens)
    if record.cached:
        return
    one.latency.observe(record.latency_ms / 1000)
    if record.first_token_ms is not None:
        one.first_token.observe(record.first_token_ms / 1000)


def _remember(key: tuple[Any, ...]) -> _Series:
    workspace, model, source, status, error, cached = key
    of_calls = (workspace, model or "", str(source))
    one = _series[key] = _Series(
        calls=CALLS.labels(*of_calls, str(status), str(error or ""), "yes" if cached else "no"),
        cost=COST.labels(*of_calls),
        unpriced=UNPRICED.labels(*of_calls),
        tokens_in=TOKENS.labels(*of_calls, "input"),
        tokens_out=TOKENS.labels(*of_calls, "output"),
        latency=LATENCY.labels(workspace, model or ""),
        first_token=FIRST_TOKEN.labels(workspace, model or ""),
    )
    return one


def run_ended(run: Run, status: str) -> None:
    RUNS.labels(run.workspace_id, str(run.kind), str(run.source), str(status)).inc()


class _Counted:
    """The counters with names instead of ids: of this process, or of all that share a folder."""

    def collect(self) -> Iterator[Metric]:
        shared = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        found = list((MultiProcessCollector(None) if shared else _COUNTED).collect())
        workspaces = {str(pk): slug for pk, slug in Workspace.objects.values_list("pk", "slug")}
        models = {str(pk): alias for pk, alias in LanguageModel._base_manager.values_list("pk", "alias")}
        for metric in found:
            if metric.name.startswith(PREFIX):
                yield _named(metric, workspaces, models)


def _named(metric: Metric, workspaces: dict[str, str], models: dict[str, str]) -> Metric:
    named = Metric(metric.name, metric.documentation, metric.type)
    for sample in metric.samples:
        if sample.name.endswith("_created"):
            continue
        labels = dict(sample.labels)
        labels["workspace"] = workspaces.get(labels.get("workspace", ""), "deleted")
        if "model" in labels:
            labels["model"] = models.get(labels["model"], "deleted") if labels["model"] else "unknown"
        named.samples.append(sample._replace(labels=labels))
    return named


class _Only:
    """Without what other workspaces have. What is of no workspace (queues, the process) stays."""

    def __init__(self, collectors: Iterable[Any], slug: str) -> None:
        self.collectors, self.slug = collectors, slug

    def collect(self) -> Iterator[Metric]:
        for collector in self.collectors:
            for metric in collector.collect():
                metric.samples = [s for s in metric.samples if s.labels.get("workspace", self.slug) == self.slug]
                yield metric


def exposition(*, workspace: Workspace | None) -> bytes:
    """In Prometheus' text format: of one workspace, or of all (None)."""
    from llm_admin.services.metrics_gauges import Gauges  # only servers need it, and what it reads

    registry = CollectorRegistry(auto_describe=False)
    ours = (_Counted(), Gauges())
    for one in ours if workspace is None else (_Only(ours, workspace.slug),):
        registry.register(one)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return generate_latest(registry)
