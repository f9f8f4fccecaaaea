"""The words of texts, and what people type to find them. Both databases search in these words, so both find the same.

A word is a run of letters and digits, without accents and case; of scripts that put no space between words, each
character is one. A change here needs another VERSION: the index is then made anew.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

VERSION = 1
MOST_WORDS = 30_000  # of one call; what is beyond them is not searched
MOST_BYTES = 600_000
LONGEST = 64  # characters of a word; what two longer ones differ in behind them makes no difference
MOST_TERMS = 20
SHORTEST_BEGINNING = 2  # "a*" would be half of all words
BREAK = ":"  # between two texts of a call: no phrase reaches across it, and nobody can type it
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}_])\w)+")
_TERM = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))(?P<star>\*?)')


@dataclass(frozen=True)
class Term:
    """Words that follow one another; of the last one only its beginning when `prefix`."""

    words: tuple[str, ...]
    prefix: bool = False
    excluded: bool = False


@dataclass(frozen=True)
class Match:
    start: int
    end: int


@lru_cache(maxsize=20_000)
def folded(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold()).casefold()
    return "".join(character for character in plain if character.isalnum())[:LONGEST]


def words_of(text: str) -> list[str]:
    return [word for found in _WORD.findall(unicodedata.normalize("NFC", text)) if (word := folded(found))]


def places(text: str) -> Iterator[tuple[str, int, int]]:
    """Each word of a text that is normalised already, and where it stands."""
    for found in _WORD.finditer(text):
        if word := folded(found.group()):
            yield word, found.start(), found.end()


def texts_of(messages: Any, answer: str, error: str) -> Iterator[str]:
    """What of a call is searched: what was said, the answer, what the provider said of an error."""
    for message in messages if isinstance(messages, list) else []:
        yield from _strings(message.get("content") if isinstance(message, dict) else message)
    yield answer
    yield error


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            if key not in ("type", "role"):
                yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)


def document(texts: Iterable[str]) -> list[str]:
    """All words of a call in order, with a break between two texts; cut where it is too long."""
    found: list[str] = []
    for text in texts:
        if found and found[-1] != BREAK:
            found.append(BREAK)
        found += words_of(text[: MOST_BYTES * 4])
        if len(found) > MOST_WORDS:
            break
    found = found[:MOST_WORDS]
    if sum(map(len, found)) * 4 <= MOST_BYTES:
        return found
    size = 0
    for at, word in enumerate(found):
        size += len(word.encode())
        if size > MOST_BYTES:
            return found[:at]
    return found


def parse(query: str) -> list[Term]:
    """Words, "quoted phrases", -excluded, begin*; everything else is taken literally, and nothing is an error."""
    terms: list[Term] = []
    for found in _TERM.finditer(query):
        text = found["phrase"] if found["phrase"] is not None else found["word"]
        prefix = bool(found["star"]) or (found["word"] or "").endswith("*")
        words = tuple(words_of(text))
        if words:
            term = Term(words, prefix and len(words[-1]) >= SHORTEST_BEGINNING, bool(found["minus"]))
            if term not in terms:
                terms.append(term)
    return terms[:MOST_TERMS]


def matches(terms: Iterable[Term], words: list[str]) -> bool:
    """What the databases answer, in plain words: the texts that no index has yet are looked through with it."""
    return all(_occurs(term, words) is not term.excluded for term in terms)


def needed(terms: Iterable[Term]) -> list[str]:
    """Each of these stands somewhere in a text that matches."""
    return [word for term in terms if not term.excluded for word in term.words]


def may_match(needed: Iterable[str], texts: Iterable[str]) -> bool:
    """A first look, far faster than taking the texts apart: whether what is needed is there at all, in any place.
    Letters beyond ASCII are written in more than one way, so texts with such may match."""
    text = "\n".join(texts)
    return not text.isascii() or all(word in lower for lower in (text.lower(),) for word in needed)


def _occurs(term: Term, words: list[str]) -> bool:
    size = len(term.words)
    return any(_begins_at(term, words[at : at + size]) for at in range(len(words) - size + 1))


def _begins_at(term: Term, words: list[str]) -> bool:
    *before, last = term.words
    if words[:-1] != before:
        return False
    return words[-1].startswith(last) if term.prefix else words[-1] == last


def found_in(terms: Iterable[Term], text: str) -> list[Match]:
    """Where the terms that are looked for stand in a normalised text, in order."""
    spans = list(places(text))
    words = [word for word, _, _ in spans]
    found: set[tuple[int, int]] = set()
    for term in terms:
        size = len(term.words)
        if not term.excluded:
            for at in range(len(words) - size + 1):
                if _begins_at(term, words[at : at + size]):
                    found.add((spans[at][1], spans[at + size - 1][2]))
    return _apart(sorted(found))


def _apart(spans: list[tuple[int, int]]) -> list[Match]:
    kept: list[Match] = []
    for start, end in spans:
        if kept and start < kept[-1].end:
            kept[-1] = Match(kept[-1].start, max(end, kept[-1].end))
        else:
            kept.append(Match(start, end))
    return kept
