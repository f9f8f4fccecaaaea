"""A comparison as its page shows it: a row for each input, a column for each choice, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from llm_admin.choices import RunStatus
from llm_admin.models import InteractionLog, InteractionText, LanguageModel, Prompt, Run, label_title
from llm_admin.schemas.diffs import Piece, words
from llm_admin.schemas.safe_patterns import budget
from llm_admin.schemas.values import as_text
from llm_admin.selectors.feedback import Counted, counts
from llm_admin.selectors.test_results import CHECK_SECONDS, TestResult, result_of
from llm_admin.services import comparisons, follow
from llm_admin.services.actors import Actor

LONGEST_DIFFED = 20_000
Found = list[tuple[int, int, int, Run]]


@dataclass(frozen=True)
class Spread:
    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Numbers:
    """Of several runs. `cost_nano` is their sum; all of it is None where something is unknown."""

    runs: int
    open: int
    failed: int
    latency: Spread | None
    tokens: Spread | None
    cost: Spread | None
    cost_nano: int | None
    distinct: int
    checked: int
    passed: int


@dataclass(frozen=True)
class Answer:
    run: Run
    text: str
    position: int = 0
    log: InteractionLog | None = None
    result: TestResult | None = None
    pieces: list[Piece] | None = None  # against the first column

    @property
    def changed(self) -> bool:
        return self.pieces is not None and any(piece.operation != "same" for piece in self.pieces)


@dataclass(frozen=True)
class Column:
    index: int
    title: str
    model: str
    spec: dict[str, Any]
    numbers: Numbers
    version: Any = None
    feedback: Counted | None = None


@dataclass(frozen=True)
class Cell:
    column: Column
    answers: list[Answer]
    numbers: Numbers


@dataclass(frozen=True)
class Row:
    key: int
    title: str
    cells: list[Cell]

    @property
    def open(self) -> bool:
        return any(cell.numbers.open for cell in self.cells)


@dataclass(frozen=True)
class Grid:
    key: str
    columns: list[Column]
    rows: list[Row]

    @property
    def logs(self) -> list[int]:
        """The calls whose answers it shows."""
        cells = (cell for row in self.rows for cell in row.cells)
        return [answer.log.pk for cell in cells for answer in cell.answers if answer.log]

    @property
    def open(self) -> bool:
        return any(column.numbers.open for column in self.columns)

    @property
    def repeated(self) -> bool:
        return any(len(cell.answers) > 1 for row in self.rows for cell in row.cells)


def build(prompt: Prompt, *, actor: Actor, key: str, only_row: int | None = None) -> Grid | None:
    """None: there is no such comparison of this person. `only_row`: that row alone, sums too."""
    found = comparisons.runs_of(prompt, actor=actor, key=key)
    found = [one for one in found if only_row in (None, one[1])]
    if not found:
        return None
    logs = _logs([run for *_, run in found])
    arrived = _arrived(logs, [run for *_, run in found])
    with budget(CHECK_SECONDS):
        answers = {run.pk: _answer(run, logs.get(run.pk), arrived.get(run.pk, "")) for *_, run in found}
    columns = _columns(prompt, found, answers)
    positions = {row: run.test.position if run.test else 0 for _, row, _, run in found}
    keys = sorted(positions, key=lambda row: (positions[row], row))
    return Grid(key, columns, [_row(row, columns, found, answers) for row in keys])


def _logs(runs: Sequence[Run]) -> dict[Any, InteractionLog]:
    rows = InteractionLog.objects.filter(run__in=[run.pk for run in runs]).order_by("id")
    return {log.run_id: log for log in rows}


def _arrived(logs: dict[Any, InteractionLog], runs: Sequence[Run]) -> dict[Any, str]:
    """What had come of an answer when its run was stopped or failed: only its log keeps that."""
    broken = [logs[run.pk].pk for run in runs if run.pk in logs and not run.is_open and run.output is None]
    texts = InteractionText.objects.in_bulk(broken)
    return {run: texts[log.pk].answer for run, log in logs.items() if log.pk in texts}


def _answer(run: Run, log: InteractionLog | None, arrived: str) -> Answer:
    if run.is_open:
        snapshot = follow.snapshot(run)
        return Answer(run, snapshot.texts.get("", ""), snapshot.position)
    result = result_of(run.test, run) if run.test else None
    return Answer(run, arrived if run.output is None else as_text(run.output), 0, log, result)


def _columns(prompt: Prompt, found: Found, answers: dict[Any, Answer]) -> list[Column]:
    firsts: dict[int, Run] = {}
    for column, *_, run in found:
        firsts.setdefault(column, run)
    plans = dict(Run.objects.filter(pk__in=[run.pk for run in firsts.values()]).values_list("pk", "spec"))
    names = dict(LanguageModel.objects.values_list("alias", "name"))
    counted = counts([run.prompt_version_id for run in firsts.values() if run.prompt_version_id])
    return [
        replace(
            _column(index, run, plans[run.pk], names, [answers[r.pk] for c, *_, r in found if c == index]),
            version=run.prompt_version,
            feedback=counted.get(run.prompt_version_id or 0),
        )
        for index, run in firsts.items()
    ]


def _column(index: int, run: Run, plan: dict[str, Any], names: dict[str, str], answers: list[Answer]) -> Column:
    """The model that was chosen is part of what is kept."""
    spec = plan["prompt"]["spec"]
    alias = plan.get("model") or spec.get("model") or plan.get("default_model") or ""
    if plan.get("model"):
        spec = {**spec, "model": plan["model"]}
    title = str(run.prompt_version) if run.prompt_version else "Unsaved text"
    return Column(index, title, names.get(alias, alias), spec, _numbers(answers))


def _row(key: int, columns: list[Column], found: Found, answers: dict[Any, Answer]) -> Row:
    mine = [(column, run) for column, row, _, run in found if row == key]
    first = next((answers[run.pk] for column, run in mine if column == columns[0].index), None)
    cells = []
    for column in columns:
        own = [answers[run.pk] for index, run in mine if index == column.index]
        shown = [_marked(one, first) if column is not columns[0] else one for one in own]
        cells.append(Cell(column, shown, _numbers(own)))
    test = next((run.test for _, run in mine), None)
    return Row(key, (test.name if test else "Deleted test input") if key else "", cells)


def _marked(answer: Answer, first: Answer | None) -> Answer:
    if first is None or first.run.is_open or answer.run.is_open or not (first.text and answer.text):
        return answer
    if len(first.text) + len(answer.text) > LONGEST_DIFFED * 2:
        return answer
    return Answer(answer.run, answer.text, answer.position, answer.log, answer.result, words(first.text, answer.text))


def _numbers(answers: list[Answer]) -> Numbers:
    ended = [one for one in answers if not one.run.is_open]
    costs = [one.run.cost_nano for one in ended]
    done = [one for one in ended if one.run.status == RunStatus.SUCCEEDED]
    checked = [one.result for one in ended if one.result is not None]
    return Numbers(
        runs=len(answers),
        open=len(answers) - len(ended),
        failed=len(ended) - len(done),
        latency=_spread([one.log.latency_ms for one in done if one.log]),
        tokens=_spread([one.run.output_tokens for one in done]),
        cost=_spread([one.run.cost_nano for one in done]),
        cost_nano=None if None in costs or not costs else sum(cost for cost in costs if cost is not None),
        distinct=len({one.text for one in done if one.text}),
        checked=len(checked),
        passed=sum(one.state == "passed" for one in checked),
    )


def _spread(numbers: Sequence[int | None]) -> Spread | None:
    known = [number for number in numbers if number is not None]
    if not known or len(known) < len(numbers):
        return None
    return Spread(min(known), int(median(known)), max(known))


def labelled(labels: Iterable[str]) -> str:
    return ", ".join(label_title(name) for name in labels)
