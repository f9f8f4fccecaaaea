"""What a monitor decides, as one pure function: how it stands, what was measured, the time -> how it stands now, and
what people are told. No database, no clock."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction

from llm_admin.choices import MONITOR_FIRING, MonitorDirection, MonitorState, NoData

HOUR = dt.timedelta(hours=1)
RANK = {MonitorState.OK: 0, MonitorState.WARN: 1, MonitorState.ALARM: 2, MonitorState.NO_DATA: 3}
REMINDED = (MonitorState.ALARM, MonitorState.NO_DATA)


class Tell(Enum):
    CHANGE = "change"
    REMINDER = "reminder"
    RECOVERY = "recovery"


@dataclass(frozen=True)
class Rules:
    """`warn` and `alarm` in the measure's unit; either may be None."""

    warn: int | None = None
    alarm: int | None = None
    direction: str = MonitorDirection.ABOVE
    no_data: str = NoData.KEEP
    in_a_row: int = 1
    remind_hours: int | None = None
    tell_recovery: bool = True


@dataclass(frozen=True)
class Standing:
    """`pending`: so many looks in a row said that it is worse (+) or better (-). `told`: what people were told last."""

    state: str = MonitorState.UNKNOWN
    since: dt.datetime | None = None
    pending: int = 0
    told: str = ""
    told_at: dt.datetime | None = None


@dataclass(frozen=True)
class Decision:
    standing: Standing
    tell: Tell | None = None


def decide(
    rules: Rules, standing: Standing, value: Fraction | None, now: dt.datetime, *, muted: bool = False
) -> Decision:
    """`value` is None when there was nothing to judge."""
    target = judged(rules, value, standing.state)
    return _told(rules, _moved(rules, standing, target, now), now, muted=muted)


def judged(rules: Rules, value: Fraction | None, state: str) -> str:
    if value is None:
        return {NoData.OK: MonitorState.OK, NoData.ALARM: MonitorState.NO_DATA}.get(NoData(rules.no_data), state)
    if _beyond(rules, value, rules.alarm):
        return MonitorState.ALARM
    return MonitorState.WARN if _beyond(rules, value, rules.warn) else MonitorState.OK


def _beyond(rules: Rules, value: Fraction, level: int | None) -> bool:
    if level is None:
        return False
    return value > level if rules.direction == MonitorDirection.ABOVE else value < level


def _moved(rules: Rules, standing: Standing, target: str, now: dt.datetime) -> Standing:
    if target == standing.state:
        return replace(standing, pending=0)
    before = RANK.get(MonitorState(standing.state), 0)
    step = 1 if RANK[MonitorState(target)] > before else -1
    pending = standing.pending + step if standing.pending * step > 0 else step
    first_and_fine = standing.state == MonitorState.UNKNOWN and target == MonitorState.OK
    if abs(pending) < rules.in_a_row and not first_and_fine:
        return replace(standing, pending=pending)
    return replace(standing, state=target, since=now, pending=0)


def _told(rules: Rules, standing: Standing, now: dt.datetime, *, muted: bool) -> Decision:
    """While it is muted nobody is told; what still lasts afterwards is told then."""
    firing = standing.state in MONITOR_FIRING
    if muted:
        forgotten = "" if not firing else standing.told
        return Decision(replace(standing, told=forgotten))
    if not firing:
        recovered = standing.told in MONITOR_FIRING
        tell = Tell.RECOVERY if recovered and rules.tell_recovery else None
        return Decision(replace(standing, told="", told_at=now if tell else standing.told_at), tell)
    if standing.told != standing.state:
        return Decision(replace(standing, told=standing.state, told_at=now), Tell.CHANGE)
    if _is_due(rules, standing, now):
        return Decision(replace(standing, told_at=now), Tell.REMINDER)
    return Decision(standing)


def _is_due(rules: Rules, standing: Standing, now: dt.datetime) -> bool:
    if rules.remind_hours is None or standing.told_at is None or standing.state not in REMINDED:
        return False
    return now - standing.told_at >= rules.remind_hours * HOUR
