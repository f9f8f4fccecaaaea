"""A run as people read it: its steps in order, each with its model calls, their texts, numbers and prices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_admin.models import InteractionLog, InteractionText, Run, RunStep
from llm_admin.schemas.step_numbers import TRIED_ALONE
from llm_admin.selectors.trace_parts import Call, Figures, Loop, Step, below, milliseconds, total
from llm_admin.selectors.trace_tree import Asked, Tree, outer

__all__ = ["Asked", "Call", "Loop", "Step", "Trace", "calls_of", "milliseconds", "total", "trace"]

LIGHT = ("run", "path", "step_id", "type", "title", "status", "note", "reused", "started_at", "ended_at", "error_kind")
HEAVY = ("input", "output", "error_message")


@dataclass(frozen=True)
class Trace:
    """`streamed`: step path ("" in a prompt's run) -> text. `more`: what was asked of a long loop."""

    run: Run
    steps: list[Step]
    calls: list[Call]
    streamed: Mapping[str, str]
    more: Loop | None = None
    titles: Mapping[str, str] = field(default_factory=dict)  # of the step that failed, by its id

    @property
    def answer(self) -> str | None:
        """Of a prompt's run. None: there is none, or it was not kept."""
        if isinstance(self.run.output, str):
            return self.run.output
        kept = self.calls[-1].text if self.calls else None
        return (kept.answer if kept else "") or self.streamed.get("") or None

    @property
    def cached(self) -> bool:
        """Of a prompt's run: whether its answer was given before."""
        return bool(self.calls) and all(call.log.cached for call in self.calls)

    @property
    def duration_ms(self) -> float | None:
        return milliseconds(self.run.started_at, self.run.ended_at)

    def step(self, path: str) -> Step | None:
        return next((step for step in below(self.steps) if step.path == path), None)

    @property
    def failed_step(self) -> str:
        """Its number and title: the run keeps its id, which only those who wrote the workflow know."""
        return self.titles.get(self.run.error_step, f"“{self.run.error_step}”")


def trace(run: Run, *, streamed: Mapping[str, str] | None = None, only: str = "", asked: Asked | None = None) -> Trace:
    """As many queries for a long run as for a short one. `streamed` comes from `services.follow.snapshot`.

    `only`: that step alone, with what is within it. `asked`: more entries of a loop, and nothing else.
    """
    streamed = streamed or {}
    if run.kind != "workflow":
        return Trace(run=run, steps=[], calls=calls_of(run), streamed=streamed)
    rows = list(run.steps.only(*LIGHT))
    calls: dict[str, list[Call]] = defaultdict(list)
    planned = (run.spec.get("workflow") or {}).get("steps") or []
    ended = not (run.is_open or run.is_waiting)
    tree = Tree(rows, planned, ended, streamed, _figures(run), calls, asked or Asked())
    tree.counted = not run.title.startswith(TRIED_ALONE)
    more = tree.entries() if asked else None
    steps = [] if asked else [found] if only and (found := tree.one(only)) else [] if only else tree.steps()
    _read_texts(run, tree.shown)
    found_calls = calls_of(run, paths=[row.path for row in tree.shown])
    for call in found_calls:
        calls[call.log.step_path].append(call)
    titles = {row.step_id: f"{tree.number(row.path)} “{row}”".strip() for row in rows if row.step_id == run.error_step}
    return Trace(run=run, steps=steps, calls=found_calls, streamed=streamed, more=more, titles=titles)


def calls_of(run: Run, *, paths: Iterable[str] | None = None) -> list[Call]:
    rows = InteractionLog.objects.filter(run=run)
    if paths is not None:
        rows = rows.filter(step_path__in=list(paths))
    logs = list(rows.select_related("model", "deployment", "price").order_by("id"))
    texts = InteractionText.objects.in_bulk([log.pk for log in logs]) if logs else {}
    return [Call(log, texts.get(log.pk)) for log in logs]


def _figures(run: Run) -> dict[str, Figures]:
    """By path; a step that holds others has the sums of theirs."""
    found: dict[str, Figures] = defaultdict(Figures)
    numbers = InteractionLog.objects.filter(run=run).values_list(
        "step_path", "input_tokens", "output_tokens", "cost_nano", "cached"
    )
    for path, *figures in numbers:
        while path:
            found[path].add(*figures)
            path = outer(path)
    return found


def _read_texts(run: Run, rows: list[RunStep]) -> None:
    known = {row.pk: row for row in rows}
    values: Any = RunStep.objects.filter(run=run, pk__in=list(known)).values_list("pk", *HEAVY)
    for pk, *texts in values:
        known[pk].__dict__.update(zip(HEAVY, texts, strict=True))
