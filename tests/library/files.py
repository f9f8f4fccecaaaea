"""Files as people upload them."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any

from openpyxl import Workbook

from llm_admin.services import library


def csv_file(*rows: tuple[str, ...], header: tuple[str, ...] = ("name", "text")) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([header, *rows])
    return out.getvalue().encode()


def xlsx_file(*rows: tuple[Any, ...], header: tuple[Any, ...] = ("name", "text")) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in (header, *rows):
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def replaced(xlsx: bytes, part: str, content: bytes) -> bytes:
    """An Excel file with one of its parts replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
    return out.getvalue()


def library_file(*prompts: dict[str, Any], workflows: tuple[dict[str, Any], ...] = (), **more: Any) -> bytes:
    envelope = {"format": "llm-console-library", "version": 1, "prompts": list(prompts), "workflows": list(workflows)}
    return json.dumps(envelope | more).encode()


def entry(name: str, *texts: str, **details: Any) -> dict[str, Any]:
    """A prompt of a library file with a version for each text."""
    return {"name": name, "versions": [version(number, text) for number, text in enumerate(texts, 1)]} | details


def version(number: int, text: str, **details: Any) -> dict[str, Any]:
    spec = {"kind": "text", "messages": [{"role": "user", "text": text}]}
    return {"number": number, "note": f"note {number}", "spec": spec} | details


def problems(data: bytes) -> list[str]:
    return [str(problem) for problem in library.read(data).problems]


def read_texts(data: bytes) -> dict[str, str]:
    """Name -> newest text."""
    return {entry.name: entry.newest.spec.texts[-1] for entry in library.read(data).entries}
