"""The difference of two texts, word by word; line by line for long ones; for very long ones not at all."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST_WORDS = 3_000
MOST_LINES = 3_000
CONTEXT = 120  # characters shown before and after a change
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True)
class Piece:
    """`kind`: same, added or removed."""

    kind: str
    text: str


def compare(before: str, after: str) -> list[Piece] | None:
    """None: too long to compare here."""
    words = _WORDS.findall(before), _WORDS.findall(after)
    if len(words[0]) + len(words[1]) <= MOST_WORDS:
        return _pieces(*words)
    lines = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if len(lines[0]) + len(lines[1]) <= MOST_LINES:
        return _pieces(*lines)
    return None


def _pieces(before: Sequence[str], after: Sequence[str]) -> list[Piece]:
    pieces = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, before, after).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(before[a:b])))
            continue
        if b > a:
            pieces.append(Piece("removed", "".join(before[a:b])))
        if d > c:
            pieces.append(Piece("added", "".join(after[c:d])))
    return [_shortened(piece, place, len(pieces)) for place, piece in enumerate(pieces)]


def _shortened(piece: Piece, place: int, count: int) -> Piece:
    text = piece.text
    if piece.kind != "same" or len(text) <= 3 * CONTEXT:
        return piece
    head = text[:CONTEXT] if place > 0 else ""
    tail = text[-CONTEXT:] if place < count - 1 else ""
    return Piece("same", f"{head} … {tail}")
