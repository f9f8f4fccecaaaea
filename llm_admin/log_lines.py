"""Lines of the server's log: which run they belong to, as text or as JSON, and without secrets.

LOGGING names these by their paths; it is read before any model is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.json import JsonFormatter

_about: ContextVar[Mapping[str, str]] = ContextVar("llm_log_about")
_mask: Callable[[str], str] = str


@contextmanager
def about(**facts: Any) -> Iterator[None]:
    """Every line that is logged meanwhile, here and in what is awaited or handed to threads, says these."""
    known = {name: str(value) for name, value in facts.items() if value}
    token = _about.set({**_about.get({}), **known})
    try:
        yield
    finally:
        _about.reset(token)


def mask_with(mask: Callable[[str], str]) -> None:
    """From now on lines go through this: whoever knows the secrets gives it."""
    global _mask
    _mask = mask


class RunFilter(logging.Filter):
    """Puts what a line is about onto its record. One that says it itself (`extra=`) is left alone."""

    def filter(self, record: logging.LogRecord) -> bool:
        facts = _about.get({})
        for name, value in facts.items():
            if not hasattr(record, name):
                setattr(record, name, value)
        words = " ".join(f"{name}={value}" for name, value in facts.items())
        record.about = f" [{words}]" if words else ""
        return True


class TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return _mask(super().format(record))


class JSONFormatter(JsonFormatter):
    """One object a line: time, level, logger, message, and what it is about; `exc_info` of an exception."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        named = {"asctime": "time", "levelname": "level", "name": "logger"}
        fields = ["asctime", "levelname", "name", "message"]
        super().__init__(fields, *args, rename_fields=named, **kwargs)
        self.default_time_format, self.default_msec_format = "%Y-%m-%dT%H:%M:%S", "%s.%03d"

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        log_data.pop("about", None)
        return {name: _masked(value) for name, value in super().process_log_record(log_data).items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return _mask(value)
    if isinstance(value, Mapping):
        return {str(name): _masked(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float) else _mask(str(value))
