"""What is known of each connection: what its last test, or the last real call, said. Nothing is asked here."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.utils import timezone

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.jobs.writer import WRITER
from llm_admin.models import Connection, Deployment
from llm_admin.services import route_state
from llm_admin.services.secrets import redactor_at_hand

# Failures of the connection. Others (a text too long, a filter, a limit) are answers of a provider that is there.
BROKEN = (ErrorKind.AUTHENTICATION, ErrorKind.PROVIDER_DOWN, ErrorKind.TIMEOUT)
RENEW = 60.0  # seconds after which the same news is stored again
APART = 1.0  # seconds between changes of the news
LONGEST = 400


@dataclass(frozen=True, slots=True)
class _Noted:
    healthy: bool
    at: float


_noted: dict[int, _Noted] = {}  # by connection: what this process stored last


def note_outcome(connection_id: int | None, failure: CallFailed | None) -> None:
    """Of a real call that ended; from any thread or loop, and cheap: most outcomes are no news and stored nowhere."""
    if connection_id is None or (failure is not None and failure.kind not in BROKEN):
        return
    healthy, now = failure is None, time.monotonic()
    before = _noted.get(connection_id)
    if before is not None and now - before.at < (RENEW if before.healthy == healthy else APART):
        return
    _noted[connection_id] = _Noted(healthy, now)
    problem = redactor_at_hand().text(words_of(failure)) if failure else ""
    WRITER.post(lambda: store(connection_id, healthy=healthy, problem=problem))


def forget(connection_id: int | None = None) -> None:
    """What was noted is stored anew with the next call: after a test, or a change of the connection."""
    if connection_id is None:
        _noted.clear()
    else:
        _noted.pop(connection_id, None)


def wake(connection_id: int) -> None:
    """It was tried and works, or was changed: what runs on it rests no longer."""
    route_state.wake(Deployment._base_manager.filter(connection=connection_id).values_list("pk", flat=True))


def store(connection_id: int, *, healthy: bool | None, problem: str = "", check_ms: int | None = None) -> None:
    """`healthy` None: not known, as after a change of address or key. A test's time is kept when a call has none."""
    values: dict[str, object] = {
        "healthy": healthy,
        "checked_at": None if healthy is None else timezone.now(),
        "problem": problem[:LONGEST],
    }
    if check_ms is not None or healthy is None:
        values["check_ms"] = check_ms
    Connection._base_manager.filter(pk=connection_id).update(**values)


def words_of(failure: CallFailed) -> str:
    """One sentence, not masked yet."""
    words = f"{failure.kind.label}: {failure.detail}" if failure.detail else failure.kind.label
    return words.rstrip(".") + "."
