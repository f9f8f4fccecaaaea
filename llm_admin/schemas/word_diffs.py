"""What differs between two texts, word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

SECONDS = 1.0  # after that the rest of a text is shown as replaced
# Scripts without spaces between words: there a character is compared, not a whole clause.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORDS = re.compile(rf"\d+(?:\.\d+)+|[{_UNSPACED}]|[^\W{_UNSPACED}]+|\n|[^\S\n]+|[^\w\s]|.", re.DOTALL)
_SURROGATES = 0xD000  # the letters from here on are moved beyond them

Operation = Literal["same", "removed", "added"]


@dataclass(frozen=True)
class Piece:
    operation: Operation
    text: str


@dataclass(frozen=True)
class Change:
    """One part that differs. `before` None: it is new; `after` None: it is gone."""

    title: str
    before: str | None
    after: str | None

    @property
    def pieces(self) -> list[Piece]:
        return words(self.before or "", self.after or "")

    @property
    def kind(self) -> str:
        return "added" if self.before is None else "removed" if self.after is None else "changed"


def words(before: str, after: str, *, seconds: float = SECONDS) -> list[Piece]:
    """Joined, "same" and "removed" give `before`, "same" and "added" give `after`."""
    from diff_match_patch import diff_match_patch

    known: dict[str, str] = {}
    left, right = _letters(before, known), _letters(after, known)
    engine = diff_match_patch()
    engine.Diff_Timeout = max(seconds, 0.01)  # 0 would be no limit
    found = engine.diff_main(left, right, False)  # noqa: FBT003 - its interface
    engine.diff_cleanupSemantic(found)
    back = {letter: word for word, letter in known.items()}
    names: dict[int, Operation] = {0: "same", -1: "removed", 1: "added"}
    return [Piece(names[operation], "".join(back[letter] for letter in text)) for operation, text in found]


def _letters(text: str, known: dict[str, str]) -> str:
    """A letter for each word, so that the differ compares words."""
    letters = []
    for match in _WORDS.finditer(text):
        word = match.group()
        if word not in known:
            number = len(known) + 1
            known[word] = chr(number if number < _SURROGATES else number + 0x1000)
        letters.append(known[word])
    return "".join(letters)
