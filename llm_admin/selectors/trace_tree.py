"""The steps of a run as they stand inside one another: what ran, and what of the plan did not.

A list may have had a thousand entries: only some of them are built, the failed ones first of all.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llm_admin.choices import StepStatus
from llm_admin.models import RunStep
from llm_admin.schemas.step_numbers import number_at
from llm_admin.schemas.steps import STEP_SPECS
from llm_admin.schemas.walking import LOOP_SLOT
from llm_admin.selectors.trace_parts import Call, Entry, Figures, Loop, Step, Way, milliseconds

ALL_SHOWN = 12  # entries of a loop; of longer ones:
FIRST, FAILED, AT_WORK, INNER = 6, 5, 5, 3
PAGE = 20  # entries that are fetched at a time
_LAST = re.compile(r"\d+$")
_ENTRY = re.compile(r"^\[(\d+)\]")
_PLACES = re.compile(r"(\d+)(\[\d*\])?(?:\.([a-z_]+))?")
_OUTER = re.compile(r"(?:\[\d*\]|\.[a-z_]+)\.\d+$")
STATUSES = (
    *(StepStatus.FAILED, StepStatus.INTERRUPTED, StepStatus.CANCELLED),
    *(StepStatus.RUNNING, StepStatus.WAITING, StepStatus.SUCCEEDED),
)


def outer(path: str) -> str:
    """The step that holds this one; "" for one of the outermost."""
    found = _OUTER.search(path)
    return path[: found.start()] if found else ""


@dataclass(frozen=True)
class Asked:
    """What a page wants of a loop besides what it shows at first."""

    loop: str = ""
    after: int = 0
    only_failed: bool = False


@dataclass
class Tree:
    """`shown` collects the rows of the steps that are built: only these need their texts read."""

    rows: Iterable[RunStep]
    planned: Sequence[Mapping[str, Any]]
    ended: bool
    streamed: Mapping[str, str]
    figures: Mapping[str, Figures]
    calls: dict[str, list[Call]]
    asked: Asked = field(default_factory=Asked)
    shown: list[RunStep] = field(default_factory=list)
    counted: bool = True

    def __post_init__(self) -> None:
        self.blocks: dict[str, dict[int, RunStep]] = defaultdict(dict)
        self.loops: dict[str, dict[int, list[RunStep]]] = defaultdict(lambda: defaultdict(list))
        for row in self.rows:
            if place := _LAST.search(row.path):
                self.blocks[row.path[: place.start()]][int(place[0])] = row
            self._note_entries(row)

    def _note_entries(self, row: RunStep) -> None:
        """In each loop that it stands in, also when the loop's own steps are further out."""
        position = row.path.find("[")
        while position >= 0:
            if found := _ENTRY.match(row.path[position:]):
                self.loops[row.path[:position]][int(found[1])].append(row)
            position = row.path.find("[", position + 1)

    def steps(self) -> list[Step]:
        return self._block("", self.planned)

    def one(self, path: str) -> Step | None:
        """That step, with the steps within it."""
        place = _LAST.search(path)
        prefix = path[: place.start()] if place else path
        if place is None or (prefix and prefix not in self.blocks):
            return None
        planned, row = self._planned_at(path), self.blocks[prefix].get(int(place[0]))
        return self._step(path, planned, row) if row or planned else None

    def entries(self) -> Loop | None:
        """More of the loop that is asked for."""
        path = self.asked.loop
        if path not in self.loops:
            return None
        return self._loop(path, (self._planned_at(path) or {}).get(LOOP_SLOT) or ())

    def _planned_at(self, path: str) -> Mapping[str, Any] | None:
        steps: Sequence[Mapping[str, Any]] = self.planned
        found: Mapping[str, Any] | None = None
        for number, entry, name in _PLACES.findall(path):
            if not 0 < int(number) <= len(steps):
                return None
            found = steps[int(number) - 1]
            steps = found.get(LOOP_SLOT if entry else name) or ()
        return found

    def number(self, path: str) -> str:
        """As the editor counts; "" when what was planned is not known, or is only one of the editor's steps."""
        if not self.counted or self._planned_at(path) is None:
            return ""
        location: list[str | int] = ["steps"]
        for position, entry, name in _PLACES.findall(path):
            location += [int(position) - 1, LOOP_SLOT if entry else name]
        return number_at(tuple(location[:-1]), self.planned, _slots)

    def _block(self, prefix: str, planned: Sequence[Mapping[str, Any]]) -> list[Step]:
        rows = self.blocks.get(prefix, {})
        positions = sorted(rows.keys() | set(range(1, len(planned) + 1)))
        return [
            self._step(f"{prefix}{at}", planned[at - 1] if 0 < at <= len(planned) else None, rows.get(at))
            for at in positions
        ]

    def _step(self, path: str, planned: Mapping[str, Any] | None, row: RunStep | None) -> Step:
        plan: Mapping[str, Any] = planned or {}
        kind = row.type if row else str(plan.get("type", ""))
        if row is not None:
            self.shown.append(row)
        slots = STEP_SPECS.get(kind).slot_titles if kind in STEP_SPECS else {}
        ways = [name for name in slots if name != LOOP_SLOT] if row is not None else []
        return Step(
            path=path,
            title=str(row) if row else heading(plan),
            type=kind,
            number=self.number(path),
            row=row,
            calls=self.calls[path],
            streamed=self.streamed.get(path, ""),
            figures=self.figures.get(path, Figures()),
            not_begun="off" if plan.get("disabled") else "not_run" if self.ended else "waiting",
            ways=[self._way(path, name, slots[name], plan.get(name) or (), row) for name in ways if row],
            loop=self._loop(path, plan.get(LOOP_SLOT) or ()) if row and LOOP_SLOT in slots else None,
        )

    def _way(self, path: str, name: str, title: str, planned: Sequence[Any], row: RunStep) -> Way:
        prefix = f"{path}.{name}."
        taken = True if prefix in self.blocks or row.note == title else None
        if taken is None and (row.ended_at or row.note or any(key.startswith(f"{path}.") for key in self.blocks)):
            taken = False
        steps = self._block(prefix, planned) if taken else []
        return Way(name, title, taken, steps, len(planned))

    def _loop(self, path: str, planned: Sequence[Any]) -> Loop:
        entries = self.loops.get(path, {})
        states = {number: _state(rows) for number, rows in sorted(entries.items())}
        chosen, more = self._choose(path, states)
        asked = self.asked if self.asked.loop == path else Asked()
        return Loop(
            path=path,
            total=max(states, default=0),
            failed=sum(state == StepStatus.FAILED for state in states.values()),
            running=sum(state == StepStatus.RUNNING for state in states.values()),
            entries=[self._entry(path, n, states[n], planned, opened=len(chosen) < 4) for n in chosen],
            whole=len(chosen) == len(states),
            more=more,
            after=asked.after,
            paged=asked.loop == path,
            only_failed=asked.only_failed,
        )

    def _choose(self, path: str, states: Mapping[int, str]) -> tuple[list[int], bool]:
        """Numbers of the entries that are shown, and whether others come after them."""
        asked = self.asked
        if asked.loop == path:
            wanted = [n for n in states if n > asked.after and (not asked.only_failed or states[n] == "failed")]
            return wanted[:PAGE], len(wanted) > PAGE
        within = "[" in path
        if len(states) <= (INNER if within else ALL_SHOWN):
            return list(states), False
        failed = [n for n in states if states[n] == StepStatus.FAILED][: 1 if within else FAILED]
        busy = [n for n in states if states[n] in (StepStatus.RUNNING, StepStatus.WAITING)][: 1 if within else AT_WORK]
        return sorted({*failed, *busy, *list(states)[: INNER if within else FIRST]}), True

    def _entry(self, path: str, number: int, state: str, planned: Sequence[Any], *, opened: bool) -> Entry:
        rows = self.loops[path][number]
        begun, ended = min(row.started_at for row in rows), [row.ended_at for row in rows]
        end = None if None in ended else max(moment for moment in ended if moment)
        steps = self._block(f"{path}[{number}].", planned)
        return Entry(number, state, steps, milliseconds(begun, end), opened or state in ("failed", "running"))


def _state(rows: list[RunStep]) -> str:
    """Of an entry: the most telling one of its steps'. What failed and was dealt with is no failure of the entry."""
    states = {row.status for row in rows if not (row.status == StepStatus.FAILED and row.note)}
    return next((state for state in STATUSES if state in states), StepStatus.SUCCEEDED)


def _slots(step: Mapping[str, Any]) -> list[Sequence[Any]]:
    kind = step.get("type", "")
    return [step.get(name) or () for name in STEP_SPECS.get(kind).slot_titles] if kind in STEP_SPECS else []


def heading(step: Mapping[str, Any]) -> str:
    kind = step.get("type", "")
    label = STEP_SPECS.get(kind).label if kind in STEP_SPECS else kind
    return step.get("title") or f"{label}: {step.get('id', '')}"
