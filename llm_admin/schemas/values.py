"""Values of variables by their types: from what people type or code gives, and back to text.

A value is a text, a number, True or False, a list or any JSON; a date is its ISO text. All of it can be stored as JSON.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Callable
from typing import Any

LONGEST_NUMBER = 300
YES = frozenset(("yes", "true", "1", "on", "y"))
NO = frozenset(("no", "false", "0", "off", "n"))
_NUMBER = re.compile(r"^[+-]?(\d+)(\.\d+)?([eE][+-]?\d{1,3})?$")


def as_text(value: Any) -> str:
    """What stands in a message: yes or no, a line per entry of a list, JSON for what is nested."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(one, (list, dict)) for one in value):
        return "\n".join(as_text(one) for one in value)
    return json.dumps(value, ensure_ascii=False, indent=2) if isinstance(value, (list, dict)) else _plain(value)


def _plain(value: Any) -> str:
    return "" if value is None else str(value)


def _text(value: Any) -> str:
    if isinstance(value, (datetime.date, int, float)):
        return str(value)
    return as_text(value)


def _number(value: Any) -> int | float:
    if isinstance(value, str):
        text = value.strip().replace("\u2212", "-")
        match = _NUMBER.match(text)
        if match is None:
            raise ValueError("must be a number, such as 12 or 3.5")
        if len(text) > LONGEST_NUMBER:
            raise ValueError("has too many digits")
        value = float(text) if match.group(2) or match.group(3) else int(text)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("must be a number, such as 12 or 3.5")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be an ordinary number")
    return value


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().casefold()
    if word in YES:
        return True
    if word in NO:
        return False
    raise ValueError("must be yes or no")


def _date(value: Any) -> str:
    if isinstance(value, datetime.datetime):
        value = value.date()
    if isinstance(value, datetime.date):
        return value.isoformat()
    try:
        return datetime.date.fromisoformat(str(value).strip()).isoformat()
    except ValueError:
        raise ValueError("must be a date, such as 2026-05-03") from None


def _list(value: Any) -> list[Any]:
    if isinstance(value, (tuple, set, frozenset)):
        value = list(value)
    if isinstance(value, str):
        stripped = value.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            try:
                value = load_json(stripped)
            except ValueError:
                value = _lines(value)
        else:
            value = _lines(value)
    if not isinstance(value, list):
        raise ValueError("must be a list, one entry in a line")
    return value


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _json(value: Any) -> Any:
    if isinstance(value, str):
        return load_json(value)
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise ValueError("must be something that JSON can hold") from None
    return value


def load_json(text: str) -> Any:
    """Raises ValueError that says where it breaks."""

    def refuse(name: str) -> Any:
        raise ValueError(f"is not JSON: {name} is no number")

    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON (line {error.lineno}, column {error.colno}: {error.msg})") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None


PARSERS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "long_text": _text,
    "choice": _text,
    "file": _text,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "list": _list,
    "json": _json,
}
