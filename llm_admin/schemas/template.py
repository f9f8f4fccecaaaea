"""Our template syntax: `{{name}}` for declared identifiers, everything else literal, nothing escaped.

Spaces inside the braces are allowed. `{{name}}` whose name is not declared is ordinary text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

_REFERENCE = re.compile(r"\{\{\s*([^\W\d]\w*)\s*\}\}")
_PATH = re.compile(r"\{\{\s*([^\W\d]\w*(?:\.\w+)*)\s*\}\}")
_SINGLE = re.compile(r"(?<!\{)\{\s*([^\W\d]\w*(?: \w+){0,3})\s*\}(?!\})")


def identifiers(text: str) -> list[str]:
    """Every name written as {{name}}, once, in order of appearance."""
    return list(dict.fromkeys(_REFERENCE.findall(text)))


def paths(text: str) -> list[str]:
    """As `identifiers`, with {{step.key}} too: what workflow steps may use."""
    return list(dict.fromkeys(_PATH.findall(text)))


def only_path(text: str) -> str:
    """“name.key” of a text that is {{name.key}} and nothing else, or ""."""
    match = _PATH.fullmatch(text.strip())
    return match.group(1) if match else ""


def lookalikes(text: str) -> list[str]:
    """What stands in single braces and was perhaps meant as a variable: {like this}."""
    return list(dict.fromkeys(_SINGLE.findall(text)))


def _substitute(text: str, pattern: re.Pattern[str], value: Callable[[str], str | None]) -> str:
    def put(match: re.Match[str]) -> str:
        found = value(match.group(1))
        return match.group(0) if found is None else found

    return pattern.sub(put, text)


def render(text: str, values: Mapping[str, str]) -> str:
    """Only names in `values` are replaced; the caller has made sure that every declared one is there."""
    return _substitute(text, _REFERENCE, values.get)


def render_paths(text: str, value: Callable[[str], str | None]) -> str:
    return _substitute(text, _PATH, value)


def to_f_string(text: str, declared: Iterable[str]) -> str:
    """The same template in Python's f-string form, as LangChain's ChatPromptTemplate wants it."""
    names = set(declared)
    parts: list[str] = []
    position = 0
    for match in _REFERENCE.finditer(text):
        if match.group(1) in names:
            parts += [_double(text[position : match.start()]), "{", match.group(1), "}"]
            position = match.end()
    parts.append(_double(text[position:]))
    return "".join(parts)


def _double(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
