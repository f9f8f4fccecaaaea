"""Whatever is raised is caught only where docs/adr/0017 says so, and why."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EVERYTHING = {"Exception", "BaseException"}


def blanket(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return bool(EVERYTHING & {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)})


def handlers(file: Path) -> Iterator[ast.ExceptHandler]:
    yield from (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ExceptHandler))


def test_each_place_that_catches_everything_is_in_the_decision():
    files = [file for package in ("llm_admin", "console") for file in (ROOT / package).rglob("*.py")]
    found = [str(file.relative_to(ROOT)) for file in files for one in handlers(file) if blanket(one)]
    named = re.findall(r"^\| `(.+?)`", (ROOT / "docs/adr/0017-boundaries.md").read_text(), re.MULTILINE)
    assert sorted(found) == sorted(named)
