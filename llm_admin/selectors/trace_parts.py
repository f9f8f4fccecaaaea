"""What a run's trace is made of: calls, steps, the ways of a branch, the entries of a loop."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from llm_admin.choices import StepStatus
from llm_admin.models import InteractionLog, InteractionText, RunStep
from llm_admin.schemas.steps import STEP_SPECS

NOT_BEGUN = {"waiting": "Waiting", "not_run": "Not run", "off": "Switched off"}


@dataclass(frozen=True)
class Call:
    """`text` is None when the workspace keeps no texts."""

    log: InteractionLog
    text: InteractionText | None = None


@dataclass
class Figures:
    """Of a step's calls, those of the steps within it too. Unknown as soon as one of them is."""

    calls: int = 0
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    cost_nano: int | None = 0
    cached: int = 0  # calls that were answered from the cache

    def add(self, input_tokens: int | None, output_tokens: int | None, cost_nano: int | None, cached: int = 0) -> None:
        self.calls += 1
        self.cached += cached
        self.input_tokens = total((self.input_tokens, input_tokens))
        self.output_tokens = total((self.output_tokens, output_tokens))
        self.cost_nano = total((self.cost_nano, cost_nano))


@dataclass(frozen=True)
class Way:
    """`taken` None: not decided yet. `count`: how many steps stand on it."""

    name: str
    title: str
    taken: bool | None
    steps: list[Step]
    count: int = 0


@dataclass(frozen=True)
class Entry:
    number: int
    status: str
    steps: list[Step]
    duration_ms: float | None = None
    opened: bool = False

    @property
    def label(self) -> str:
        return StepStatus(self.status).label


@dataclass(frozen=True)
class Loop:
    """`entries`: of a long list only some (`whole` is false): the first and the telling ones, or a page of them."""

    path: str
    total: int
    failed: int
    running: int
    entries: list[Entry]
    whole: bool = True
    more: bool = False
    after: int = 0
    paged: bool = False
    only_failed: bool = False

    @property
    def first(self) -> int:
        return self.entries[0].number if self.entries else 0

    @property
    def last(self) -> int:
        return self.entries[-1].number if self.entries else 0


@dataclass(frozen=True)
class Step:
    """`row` is None while the step has not begun. `streamed`: what has arrived of its answer so far."""

    path: str
    title: str
    type: str
    row: RunStep | None = None
    calls: list[Call] = field(default_factory=list)
    streamed: str = ""
    figures: Figures = field(default_factory=Figures)
    not_begun: str = "waiting"
    number: str = ""  # as the editor counts
    ways: list[Way] = field(default_factory=list)
    loop: Loop | None = None

    @property
    def icon(self) -> str:
        return STEP_SPECS.get(self.type).icon if self.type in STEP_SPECS else "extension"

    @property
    def status(self) -> str:
        return self.row.status if self.row else self.not_begun

    @property
    def label(self) -> str:
        return self.row.get_status_display() if self.row else NOT_BEGUN[self.not_begun]

    @property
    def is_running(self) -> bool:
        return self.status == StepStatus.RUNNING

    @property
    def holds_steps(self) -> bool:
        return bool(self.ways) or self.loop is not None

    @property
    def reused(self) -> bool:
        return self.row is not None and self.row.reused

    @property
    def anchor(self) -> str:
        """For links within the page."""
        return "step-" + re.sub(r"\W+", "-", self.path).strip("-")

    @property
    def duration_ms(self) -> float | None:
        return milliseconds(self.row.started_at, self.row.ended_at) if self.row else None

    @property
    def input_tokens(self) -> int | None:
        return self.figures.input_tokens

    @property
    def output_tokens(self) -> int | None:
        return self.figures.output_tokens

    @property
    def cost_nano(self) -> int | None:
        return self.figures.cost_nano


def below(steps: Iterable[Step]) -> Iterable[Step]:
    """All steps in the order of reading, those within others too."""
    for step in steps:
        yield step
        for way in step.ways:
            yield from below(way.steps)
        for entry in step.loop.entries if step.loop else ():
            yield from below(entry.steps)


def milliseconds(start: dt.datetime | None, end: dt.datetime | None) -> float | None:
    return (end - start).total_seconds() * 1000 if start and end else None


def total(numbers: Iterable[int | None]) -> int | None:
    """Unknown as soon as one of them is."""
    known = list(numbers)
    return None if None in known else sum(n for n in known if n is not None)
