"""Below a monitor's form, while it is being filled in: what it does in a sentence, what it measures now, and which
windows before now it would have told of."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from fractions import Fraction

from django.utils import formats, timezone

from llm_admin.admin.log_links import logs_url
from llm_admin.choices import MonitorState, MonitorWindow
from llm_admin.models import Monitor, Workspace
from llm_admin.selectors import monitors as selector
from llm_admin.selectors.monitor_measures import Unit
from llm_admin.selectors.monitors import Window
from llm_admin.services import monitor_words as words
from llm_admin.services.monitor_rules import judged
from llm_admin.services.monitor_watch import rules_of

HEIGHT = 100.0
LISTED = 10
HEADROOM = 1.08  # above the highest bar or level


@dataclass(frozen=True)
class Bar:
    """In a picture that is as wide as there are windows, and HEIGHT high."""

    x: float
    y: str
    height: str
    state: str
    title: str


@dataclass(frozen=True)
class Line:
    y: str
    state: str


@dataclass(frozen=True)
class Beyond:
    when: str
    value: str
    state: str
    url: str


@dataclass(frozen=True)
class Preview:
    """`state` of now; `note`: about its windows, in a sentence."""

    sentence: str
    now: str
    state: str
    state_words: str
    note: str
    bars: list[Bar]
    lines: list[Line]
    beyond: list[Beyond]
    width: int
    picture: str


def preview(monitor: Monitor, workspace: Workspace) -> Preview:
    """Of a monitor that need not be saved. Open the scope around it."""
    now = timezone.now()
    found = selector.reading(monitor, now)
    state = _state(monitor, found.value)
    windows = selector.windows(monitor, now)
    states = [_state(monitor, one.reading.value) for one in windows]
    top = _top(monitor, windows)
    return Preview(
        sentence=words.sentence(monitor, workspace),
        now=words.measured(monitor, found.value, found.counted, workspace),
        state=state,
        state_words=MonitorState(state).label,
        note=_note(monitor, states),
        bars=[_bar(monitor, n, one, states[n], top, workspace) for n, one in enumerate(windows)],
        lines=_lines(monitor, top),
        beyond=_beyond(monitor, windows, states, workspace),
        width=len(windows),
        picture=f"{words.watched(monitor)}, window by window",
    )


def _state(monitor: Monitor, value: Fraction | None) -> str:
    return MonitorState.NO_DATA if value is None else judged(rules_of(monitor), value, MonitorState.OK)


def _note(monitor: Monitor, states: list[str]) -> str:
    """ "Of the last 168 times 1 hour, 3 would have been an alarm and 5 a warning; 20 had nothing to judge."."""
    parts: list[str] = []
    for state, level, what in (
        (MonitorState.ALARM, monitor.alarm, "an alarm"),
        (MonitorState.WARN, monitor.warn, "a warning"),
    ):
        if level is not None:
            would = "" if parts else "would have been "
            parts.append(f"{states.count(state) or 'none'} {would}{what}")
    nothing = states.count(MonitorState.NO_DATA)
    tail = f"; {nothing} had nothing to judge" if nothing else ""
    return f"Of the last {len(states)} times {MonitorWindow(monitor.window).label}, {' and '.join(parts)}{tail}."


def _top(monitor: Monitor, windows: list[Window]) -> float:
    values = [float(one.reading.value) for one in windows if one.reading.value is not None]
    levels = [float(level) for level in (monitor.warn, monitor.alarm) if level is not None]
    return max([*values, *levels], default=0.0) * HEADROOM or 1.0


def _bar(monitor: Monitor, number: int, one: Window, state: str, top: float, workspace: Workspace) -> Bar:
    value = one.reading.value
    height = HEIGHT * float(value) / top if value is not None else 0.0
    shown = words.measured(monitor, value, one.reading.counted, workspace)
    return Bar(number + 0.1, f"{HEIGHT - height:.2f}", f"{height:.2f}", state, f"{_when(one.since)}: {shown}")


def _lines(monitor: Monitor, top: float) -> list[Line]:
    levels = {MonitorState.WARN: monitor.warn, MonitorState.ALARM: monitor.alarm}
    return [Line(f"{HEIGHT - HEIGHT * level / top:.2f}", state) for state, level in levels.items() if level is not None]


def _beyond(monitor: Monitor, windows: list[Window], states: list[str], workspace: Workspace) -> list[Beyond]:
    """The latest ones, with the calls behind them; ratings have no calls to show."""
    found = [
        Beyond(
            f"{_when(one.since)} to {_when(one.until)}",
            words.measured(monitor, one.reading.value, one.reading.counted, workspace),
            str(MonitorState(state).label),
            _logs(monitor, one),
        )
        for one, state in zip(windows, states, strict=True)
        if state in (MonitorState.WARN, MonitorState.ALARM)
    ]
    return found[::-1][:LISTED]


def _logs(monitor: Monitor, one: Window) -> str:
    measure = words.measure_of(monitor)
    if measure is None or measure.noun != "call":
        return ""
    of = selector.filter_of(monitor, one.until)
    more = {"status": "failed"} if monitor.measure in ("errors", "error_rate") else {}
    if measure.unit is Unit.COUNT and monitor.measure == "unknown_cost":
        more = {"cost": "unknown"}
    return logs_url(of, **more)


def _when(moment: dt.datetime) -> str:
    return formats.date_format(timezone.localtime(moment), "j M, H:i")
