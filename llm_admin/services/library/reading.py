"""A file's bytes as entries. Says what is wrong and where; touches no database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.schemas.base import problems_of
from llm_admin.schemas.library import FORMAT, DocumentEntry, LibraryFile
from llm_admin.schemas.storable import texts_in
from llm_admin.services.families import PROMPTS, WORKFLOWS, Family
from llm_admin.services.library.entries import (
    MAX_BYTES,
    MAX_ENTRIES,
    TOO_MANY,
    Entry,
    EntryVersion,
    Place,
    Reading,
    unstorable,
)
from llm_admin.services.library.rows import Row, column_of
from llm_admin.services.library.spreadsheets import read_xlsx
from llm_admin.services.library.tables import read_csv, read_rows

NOUNS = {"prompts": "Prompt", "workflows": "Workflow"}
MAX_PROBLEMS = 1_000
OLD_EXCEL = b"\xd0\xcf\x11\xe0"


def read(data: bytes, *, filename: str = "") -> Reading:
    """Raises InvalidInput when it is no file that we can read; problems of its rows are in the answer."""
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"This file has {_megabytes(len(data))}; at most {_megabytes(MAX_BYTES)} can be imported.")
    if data.startswith(OLD_EXCEL):
        raise InvalidInput("This is an old Excel file (.xls). Save it as .xlsx or as “CSV UTF-8”.")
    reading = Reading(filename=filename)
    if data.startswith(b"PK"):
        read_xlsx(data, reading)
    elif data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        _read_json(data, reading)
    else:
        read_csv(data, reading)
    _count(reading)
    return reading


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MB"


def _count(reading: Reading) -> None:
    del reading.problems[MAX_PROBLEMS:]  # who has that many starts with the first
    if len(reading.entries) > MAX_ENTRIES:
        raise InvalidInput(TOO_MANY)
    if not reading.entries and not reading.problems:
        raise InvalidInput("There is no prompt in this file.")


def _read_json(data: bytes, reading: Reading) -> None:
    content = _parsed(data)
    if isinstance(content, list):
        _read_list(content, reading)
    elif content.get("format") == FORMAT:
        _read_library(content, reading)
    else:
        raise InvalidInput(f"This JSON is neither a list of prompts nor a library (“format”: “{FORMAT}”).")


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InvalidInput(f"Line {line} is not valid UTF-8. Save the file as UTF-8 and try again.") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, character {error.colno}"
        raise InvalidInput(f"This is not valid JSON: it breaks off or has a mistake in {place}.") from None
    except ValueError as error:
        raise InvalidInput(f"This is not valid JSON: {error}.") from None
    except RecursionError:
        raise InvalidInput("This JSON is nested too deeply.") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no value")


def _read_list(content: list[Any], reading: Reading) -> None:
    if len(content) > MAX_ENTRIES:
        raise InvalidInput(TOO_MANY)
    rows, named = [], dict[str, None]()
    for position, one in enumerate(content, start=1):
        place = f"Item {position}"
        if isinstance(one, dict):
            named |= dict.fromkeys(one)
            rows.append(Row(place, {name: value for name, value in one.items() if column_of(name)}))
        else:
            reading.problems.append(Problem((place,), "This must be an object with “name” and “text”."))
    reading.ignored += [f"key “{name[:60]}”" for name in named if not column_of(name)]
    if rows:
        read_rows(rows, reading, named=set(named))


def _read_library(content: dict[str, Any], reading: Reading) -> None:
    problems = [Problem(place, reason) for place, text in texts_in(content) if (reason := unstorable(text))]
    if not problems:
        try:
            library = LibraryFile.model_validate(content)
        except ValidationError as error:
            problems = problems_of(error)
    if problems:
        reading.problems += [Problem(_worded(one.location, content), one.message) for one in problems]
        return
    reading.ignored += list(_unread(content))
    reading.entries += [_entry(PROMPTS, one) for one in library.prompts]
    reading.entries += [_entry(WORKFLOWS, one) for one in library.workflows]


def _entry(family: Family, one: DocumentEntry) -> Entry:
    place = (f"{NOUNS[f'{family.noun}s']} “{one.name}”",)
    return Entry(
        family=family,
        place=place,
        name=" ".join(one.name.split()),
        slug=one.slug,
        description=one.description,
        labels=one.labels,
        folder=one.folder,
        tags=tuple(one.tags),
        tests=tuple(one.tests) if family is PROMPTS else (),
        versions=tuple(
            EntryVersion(spec=v.spec, number=v.number, note=v.note, place=(*place, f"v{v.number}"))
            for v in sorted(one.versions, key=lambda v: v.number)
        ),
    )


def _worded(location: Place, content: Any) -> Place:
    """("prompts", 2, "versions", 0, "spec", "model") -> ("Prompt “Brief”", "v1", "model")."""
    match location:
        case (str(kind), int(position), *rest) if kind in NOUNS:
            document = content[kind][position]
            name = document.get("name") if isinstance(document, dict) else None
            called = f"“{name[:80]}”" if isinstance(name, str) and name else position + 1
            first = f"{NOUNS[kind]} {called}"
            match rest:
                case ["versions", int(at), *inner]:
                    return (first, f"version {at + 1}", *(part for part in inner if part != "spec"))
                case _:
                    return (first, *rest)
        case _:
            return location


def _unread(content: dict[str, Any]) -> Iterator[str]:
    yield from (f"“{key[:60]}”" for key in content if key not in LibraryFile.model_fields)
    for kind in NOUNS:
        known: set[str] = set(DocumentEntry.model_fields)
        others = {key: None for document in content.get(kind) or [] for key in document if key not in known}
        yield from (f"“{key[:60]}” of {kind}" for key in others)
