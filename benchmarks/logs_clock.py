"""What the pages are measured with: a clock that stands still, and stopwatches around queries and selectors."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

TIMED = ("execute", "executemany", "fetchone", "fetchmany", "fetchall", "__next__")


class Stopwatch:
    """Time in the database and in the selectors, which add up what the database gave; nested calls count once."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.seconds, self.statements, self._depth = 0.0, 0, 0

    def restart(self) -> None:
        self.seconds, self.statements = 0.0, 0

    @contextmanager
    def running(self) -> Iterator[None]:
        began, self._depth = self.clock(), self._depth + 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self.seconds += self.clock() - began

    def around(self, function: Callable[..., Any], *, counts: bool = False) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self.statements += counts
            with self.running():
                return function(*args, **kwargs)

        return timed


def stand_still(moment: Any) -> None:
    """For this process it is always `moment`."""
    from django.utils import timezone

    timezone.now = lambda: moment


def time_queries(watch: Stopwatch) -> None:
    """Before the first connection is opened."""
    from django.db.backends.sqlite3 import base

    cursor = base.SQLiteCursorWrapper
    methods = {name: watch.around(getattr(cursor, name), counts=name.startswith("execute")) for name in TIMED}
    base.SQLiteCursorWrapper = type("TimedCursor", (cursor,), methods)


def time_selectors(watch: Stopwatch) -> None:
    """Every public function of them, wherever it was imported to."""
    import llm_admin.selectors

    for found in pkgutil.iter_modules(llm_admin.selectors.__path__, "llm_admin.selectors."):
        module = importlib.import_module(found.name)
        for name, function in list(vars(module).items()):
            own = inspect.isfunction(function) and function.__module__ == module.__name__
            if own and not name.startswith("_") and not inspect.isgeneratorfunction(function):
                _replace(function, watch.around(function))


def _replace(function: Any, timed: Any) -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith("llm_admin"):
            for attribute, value in list(vars(module).items()):
                if value is function:
                    setattr(module, attribute, timed)
