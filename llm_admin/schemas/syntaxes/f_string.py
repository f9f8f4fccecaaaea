"""Python's `{name}`, as imported prompts have it. Names only: nothing of an object can be reached."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from string import Formatter
from typing import Any

from llm_admin.schemas import template
from llm_admin.schemas.base import IDENTIFIER

WIDEST = 1_000  # `{x:>1000000000}` would fill the memory
_WIDTHS = re.compile(r"\d+")
_CONVERSIONS: dict[str, Callable[[Any], str]] = {"r": repr, "s": str, "a": ascii}
Part = tuple[str, str | None, str, str | None]  # literal, field, format, conversion


def names(text: str) -> list[str]:
    try:
        return list(dict.fromkeys(field for _, field, _, _ in _parts(text) if field is not None))
    except ValueError:
        return []


def problem(text: str) -> str:
    try:
        for _ in _parts(text):
            pass
    except ValueError as error:
        return str(error)
    return ""


def render(text: str, values: Mapping[str, Any]) -> str:
    from llm_admin.schemas.values import as_text

    pieces: list[str] = []
    for literal, field, spec, conversion in _parts(text):
        pieces.append(literal)
        if field is None:
            continue
        value = values[field]
        if conversion:
            value = _CONVERSIONS[conversion](value)
        pieces.append(_formatted(field, value, spec) if spec else as_text(value))
    return "".join(pieces)


def to_console(text: str) -> str:
    pieces: list[str] = []
    for literal, field, spec, conversion in _parts(text):
        if template.identifiers(literal):
            raise ValueError("The text holds double braces that must stay as they are; ours would fill them in.")
        pieces.append(literal)
        if field is not None:
            if spec or conversion:
                raise ValueError(f"“{{{field}}}” is formatted ({conversion or spec}); ours puts values in as they are.")
            pieces.append(f"{{{{{field}}}}}")
    converted = "".join(pieces)
    if template.identifiers(converted) != names(text):
        raise ValueError("Braces stand so close together that ours would read them differently.")
    return converted


def _formatted(field: str, value: Any, spec: str) -> str:
    if isinstance(value, (list, dict)):
        raise ValueError(f"“{field}” is a list; “{spec}” cannot format it.")
    try:
        return format(value, spec)
    except (ValueError, TypeError):
        raise ValueError(f"“{value}” cannot be formatted as “{spec}”: make “{field}” a number.") from None
    except OverflowError:
        raise ValueError(f"“{field}” is too large a number: it cannot be formatted as “{spec}”.") from None


def _parts(text: str) -> Iterator[Part]:
    """Raises ValueError with a sentence that names the place."""
    try:
        for literal, field, spec, conversion in Formatter().parse(text):
            if field is not None:
                _check(field, spec or "", conversion)
            yield literal, field, spec or "", conversion
    except ValueError as error:
        if isinstance(error, _Refused):
            raise ValueError(str(error)) from None
        raise ValueError(f"{_worded(str(error))} {_place(text)}") from None


class _Refused(ValueError):
    pass


def _check(field: str, spec: str, conversion: str | None) -> None:
    if not field:
        raise _Refused("“{}” has no name; write {name}, or {{}} for the braces themselves.")
    if not IDENTIFIER.match(field):
        shown = field[:60]
        raise _Refused(
            f"“{{{shown}}}” is not just a name, so it is not filled in. "
            "Write {{ and }} for braces that belong to the text."
        )
    if conversion and conversion not in _CONVERSIONS:
        raise _Refused(f"“!{conversion}” behind “{field}” is not known; use !r, !s or !a.")
    if "{" in spec or any(int(found[:9]) > WIDEST for found in _WIDTHS.findall(spec)):
        raise _Refused(f"The format “{spec[:60]}” behind “{field}” is not allowed here.")


def _worded(error: str) -> str:
    if "Single '}'" in error:
        return "A “}” stands alone; write “}}” for a brace that belongs to the text."
    if "Single '{'" in error or "expected '}'" in error or "unmatched" in error:
        return "A “{” is never closed; write “{{” for a brace that belongs to the text."
    return "The braces do not fit together."


def _place(text: str) -> str:
    """Where the first brace stands that has no partner."""
    opened: list[int] = []
    position = 0
    while position < len(text):
        letter = text[position]
        if letter in "{}" and text[position : position + 2] == letter * 2 and (letter == "{" or not opened):
            position += 2
            continue
        if letter == "{":
            opened.append(position)
        elif letter == "}":
            if not opened:
                return _line(text, position)
            opened.pop()
        position += 1
    return _line(text, opened[0]) if opened else ""


def _line(text: str, position: int) -> str:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return f"(line {line}, column {column})"


def rewritten(text: str, name: Callable[[str], str]) -> str:
    """The same template with other names."""
    pieces: list[str] = []
    for literal, field, spec, conversion in _parts(text):
        pieces.append(literal.replace("{", "{{").replace("}", "}}"))
        if field is not None:
            end = (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            pieces.append(f"{{{name(field)}{end}}}")
    return "".join(pieces)
