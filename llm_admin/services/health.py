"""What works and what does not: checks that anybody may register, each with a limit of time.

from llm_admin import Finding, register_health_check

@register_health_check("search")
def search(workspace):          # None: all workspaces, on the command line
    return Finding.works("12 ms for a query.") if index.ping() else Finding.broken("The index does not answer.")
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TypeGuard, TypeVar

from django.db import connections, transaction

from llm_admin.models import Workspace
from llm_admin.registry import Registry
from llm_admin.services.live import LIVE
from llm_admin.services.secrets import redactor

logger = logging.getLogger(__name__)
TIMEOUT = 5.0  # seconds, for each check; all run at the same time
READY_TIMEOUT = 2.0
READY = ("database", "migrations", "cache")  # without these a process can serve nobody


class State(StrEnum):
    WORKS = "works"
    LOOK = "look"
    BROKEN = "broken"

    @property
    def words(self) -> str:
        return {"works": "Works", "look": "Needs a look", "broken": "Does not work"}[self.value]


@dataclass(frozen=True, slots=True)
class Finding:
    """`sentence` says what was found, and what to do about it. No secrets: operators read it."""

    state: State
    sentence: str

    @classmethod
    def works(cls, sentence: str) -> Finding:
        return cls(State.WORKS, sentence)

    @classmethod
    def look(cls, sentence: str) -> Finding:
        return cls(State.LOOK, sentence)

    @classmethod
    def broken(cls, sentence: str) -> Finding:
        return cls(State.BROKEN, sentence)


@dataclass(frozen=True, slots=True)
class Checked:
    """`milliseconds` None: it did not come to an end."""

    name: str
    finding: Finding
    milliseconds: float | None

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()


Check = Callable[[Workspace | None], Finding]
C = TypeVar("C", bound=Check)
_Running = Future[tuple[Finding, float]]

CHECKS: Registry[Check] = Registry(
    "health check",
    {
        name: f"llm_admin.services.health_checks.{name}"
        for name in ("database", "migrations", "cache", "jobs", "providers")
    },
)
_running: dict[tuple[str, int | None], _Running] = {}
_lock = threading.Lock()


def register_health_check(name: str) -> Callable[[C], C]:
    """Decorator of a function from a workspace (or None) to a Finding; it runs in a thread of its own."""

    def register(check: C) -> C:
        CHECKS.register(name, check)
        return check

    return register


def run(
    names: Iterable[str] | None = None, *, workspace: Workspace | None = None, timeout: float | None = None
) -> list[Checked]:
    """All checks, or those; never raises, and takes about `timeout` at most."""
    chosen = list(names if names is not None else CHECKS.names())
    deadline = time.monotonic() + (TIMEOUT if timeout is None else timeout)
    started = [(name, _start(name, workspace)) for name in chosen]
    return [_outcome(name, future, deadline) for name, future in started]


def ready() -> dict[str, bool]:
    """Whether this process can serve: by name, without any details."""
    states = {one.name: one.finding.state != State.BROKEN for one in run(READY, timeout=READY_TIMEOUT)}
    return {"server": not LIVE.stopping, **states}


def _start(name: str, workspace: Workspace | None) -> _Running:
    """A check that still hangs is not begun again: asking often must not pile up threads."""
    key = (name, workspace.pk if workspace else None)
    with _lock:
        future = _running.get(key)
        if future is not None and not future.done():
            return future
        future = _running[key] = Future()
    if transaction.get_connection().in_atomic_block:
        # Another connection would wait for what this transaction holds, and this one for the check.
        _work(future, name, workspace)
    else:
        work = partial(_work, future, name, workspace, last=connections.close_all)
        threading.Thread(target=work, name=f"health-{name}", daemon=True).start()
    return future


def _work(future: _Running, name: str, workspace: Workspace | None, last: Callable[[], None] | None = None) -> None:
    began, raised, finding = time.perf_counter(), None, None
    try:
        finding = CHECKS.get(name)(workspace)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - docs/adr/0017: it is what the check says
        raised = error
    milliseconds = (time.perf_counter() - began) * 1000
    try:
        if last is not None:
            last()
    finally:
        if raised is None and _is_finding(finding):
            future.set_result((finding, milliseconds))
        else:
            future.set_exception(raised or TypeError("it gave no Finding"))


def _is_finding(found: object) -> TypeGuard[Finding]:
    return isinstance(found, Finding) and isinstance(found.state, State) and isinstance(found.sentence, str)


def _outcome(name: str, future: _Running, deadline: float) -> Checked:
    wait([future], max(0.0, deadline - time.monotonic()))
    if not future.done():
        return Checked(name, Finding.broken("No answer in time: it hangs, or is very slow."), None)
    if error := future.exception():
        logger.warning("The health check %s failed.", name, exc_info=error)
        return Checked(name, Finding.broken(f"The check failed: {_said(error)}."), None)
    finding, milliseconds = future.result()
    return Checked(name, finding, milliseconds)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {_masked(' '.join(str(error).split()))[:300]}".rstrip(":. ")


def _masked(text: str) -> str:
    """What an exception says may hold an address with a password; without a database no secret is known."""
    from django.db import DatabaseError

    try:
        return redactor().text(text)
    except DatabaseError:
        return "" if "://" in text or "=" in text else text
