"""Monitors in words: what one watches, its levels and values, and what a message says."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

from llm_admin.choices import MonitorDirection, MonitorState, MonitorWindow, RunSource
from llm_admin.models import Monitor, Workspace
from llm_admin.selectors.monitor_measures import MEASURES, Measure, Unit
from llm_admin.templatetags.llm_format import NANO, UNKNOWN, cost, duration

LARGEST = 10**18  # what the column holds, with room
NO_DATA = "no data"
SCALE = {Unit.TIME: Decimal(1000), Unit.SHARE: Decimal(1000), Unit.COUNT: Decimal(1)}
OVER = {
    MonitorWindow.HOUR: "over the last hour",
    MonitorWindow.DAY: "over the last 24 hours",
}
NAMES = {"prompt": "the prompt", "workflow": "the workflow", "model": "the model", "deployment": "the place"}


def measure_of(monitor: Monitor) -> Measure | None:
    """None for one that a later, or an earlier, version of the console knows."""
    return MEASURES.get(monitor.measure)


def unit_of(monitor: Monitor) -> Unit:
    measure = measure_of(monitor)
    return measure.unit if measure else Unit.COUNT


def value_text(value: float | Fraction | None, unit: Unit, workspace: Workspace) -> str:
    """ "$1.20", "3.4 s", "5 min", "5.2%", "12"; a share near a level keeps the digits that tell them apart."""
    if value is None:
        return NO_DATA
    if unit is Unit.MONEY:
        return cost(round(value), workspace)
    if unit is Unit.TIME:
        return duration(float(value)).removesuffix(" 0 s").removesuffix(" 0 min")
    if unit is Unit.SHARE:
        return f"{Decimal(str(round(float(value) / 1000, 3))).normalize():f}%"
    return f"{round(value):,}"


def to_stored(typed: Decimal, unit: Unit, workspace: Workspace) -> int:
    """Money in the workspace's currency, times in seconds, shares in percent -> the unit of the table."""
    scale = NANO / workspace.currency_rate if unit is Unit.MONEY else SCALE[unit]
    return round(typed * scale)


def to_typed(level: int | None, unit: Unit, workspace: Workspace) -> Decimal | None:
    if level is None:
        return None
    scale = NANO / workspace.currency_rate if unit is Unit.MONEY else SCALE[unit]
    return Decimal(f"{round(Decimal(level) / scale, 6).normalize():f}")


def unit_words(unit: Unit, workspace: Workspace) -> str:
    """What levels are typed in."""
    return {Unit.MONEY: f"In {workspace.currency}.", Unit.TIME: "In seconds.", Unit.SHARE: "In percent."}.get(
        unit, "A number."
    )


def subject(monitor: Monitor) -> str:
    """ "the prompt “Summarise”, version 3, by ann"; "" for the whole workspace."""
    parts = []
    if version := monitor.version:
        parts.append(f"version {version.number} of “{version.prompt}”")
    for name, words in NAMES.items():
        found = getattr(monitor, name)
        if found is not None and not (name == "prompt" and monitor.version_id):
            parts.append(f"{words} “{found}”")
    if monitor.user:
        parts.append(f"calls by {monitor.user}")
    if monitor.source:
        parts.append(f"calls from “{RunSource(monitor.source).label}”")
    return ", ".join(parts)


def over(monitor: Monitor) -> str:
    return OVER.get(monitor.window) or f"over the last {MonitorWindow(monitor.window).label}"  # type: ignore[call-overload]


def watched(monitor: Monitor) -> str:
    """ "Error rate of the prompt “Summarise” over the last hour"."""
    measure = measure_of(monitor)
    of = subject(monitor)
    title = measure.title if measure else f"“{monitor.measure}”, which this version does not measure,"
    return f"{title}{f' of {of}' if of else ''} {over(monitor)}"


def condition(monitor: Monitor, workspace: Workspace) -> str:
    """ "above 5%, a warning above 2%"."""
    word = "below" if monitor.direction == MonitorDirection.BELOW else "above"
    unit = unit_of(monitor)
    warn, alarm = (value_text(level, unit, workspace) for level in (monitor.warn, monitor.alarm))
    if monitor.alarm is None:
        return f"{word} {warn}" if monitor.warn is not None else f"{word} …"
    return f"{word} {alarm}" + (f", a warning {word} {warn}" if monitor.warn is not None else "")


def sentence(monitor: Monitor, workspace: Workspace) -> str:
    """ "Error rate of the prompt “Summarise” over the last hour above 5%, a warning above 2%"."""
    return f"{watched(monitor)} {condition(monitor, workspace)}"


def level_of(monitor: Monitor, state: str) -> int | None:
    return {MonitorState.ALARM: monitor.alarm, MonitorState.WARN: monitor.warn}.get(MonitorState(state))


def counted_text(monitor: Monitor, counted: int | None) -> str:
    """ "1 call", "1,200 ratings"."""
    measure = measure_of(monitor)
    noun = measure.noun if measure else "call"
    return UNKNOWN if counted is None else f"{counted:,} {noun}{'' if counted == 1 else 's'}"


def measured(monitor: Monitor, value: Fraction | float | None, counted: int, workspace: Workspace) -> str:
    """ "81.25%, 16 calls", "3 of 16 calls", "272 calls", "no data, 3 calls"."""
    unit, count = unit_of(monitor), counted_text(monitor, counted)
    shown = value_text(value, unit, workspace)
    if value is None and not counted:
        return shown
    if monitor.measure == "calls":
        return count
    return f"{shown} of {count}" if unit is Unit.COUNT and value is not None else f"{shown}, {count}"


def finding(monitor: Monitor, state: str, value: Fraction | float | None, counted: int, workspace: Workspace) -> str:
    """What was seen, for history and messages: "7.5%, 40 calls; above 5%"."""
    if value is None:
        count = counted_text(monitor, counted)
        nothing = count.removeprefix("0 ")
        return f"There were only {count}, too few to judge" if counted else f"There were no {nothing} to judge"
    shown = measured(monitor, value, counted, workspace)
    level = level_of(monitor, state)
    if level is None:
        return shown
    word = "below" if monitor.direction == MonitorDirection.BELOW else "above"
    return f"{shown}; {word} {value_text(level, unit_of(monitor), workspace)}"


def span_text(seconds: float) -> str:
    """ "3 min", "2 h 5 min", "4 days"."""
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{max(1, minutes)} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
    return f"{minutes // (24 * 60)} days"


def utc(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
