"""Masks keys and tokens in texts: every configured secret by value, everything that looks like one by pattern."""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

from llm_admin.runtime import redaction_rules as rules

MASK = "[masked]"
SHORTEST_SECRET = 6
SHORTEST_ENCODED = 8
ENOUGH = 4  # letters within a word look like the beginning of a configured secret; fewer would hold back too often
REMEMBERED, REMEMBERED_LENGTH = 10_000, 64
Span = tuple[int, int]
T = TypeVar("T")


class Redactor:
    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = [secret.strip() for secret in secrets if len(secret.strip()) >= SHORTEST_SECRET]
        self._values = sorted({form for secret in known for form in forms(secret)})
        self._clean: set[str] = set()  # short texts that come again and again: the keys and words of specs
        lengths = [len(value) for value in self._values]
        self._longest, self._shortest = max(lengths, default=0), min(lengths, default=1_000_000)
        firsts = "".join(re.escape(first) for first in {value[0] for value in self._values})
        self._first = re.compile(f"[{firsts}]" if firsts else r"(?!)")

    def text(self, text: str) -> str:
        if len(text) < SHORTEST_SECRET or text in self._clean:
            return text
        if found := self.spans(text):
            return masked(text, found, 0, len(text))
        if len(text) <= REMEMBERED_LENGTH and len(self._clean) < REMEMBERED:
            self._clean.add(text)
        return text

    def value(self, value: T) -> T:
        """The same with every text in it masked: dictionaries (their keys too), lists, tuples."""
        return self._walk(value)

    def _walk(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self._walk(key): self._walk(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._walk(one) for one in value]
        if isinstance(value, tuple):
            return tuple(self._walk(one) for one in value)
        return value

    def find(self, text: str) -> str | None:
        """What the first finding is, for “The text contains ...”."""
        if any(value in text for value in self._values):
            return "a key that is configured here"
        return next((rule.label for rule, where in _candidates(text) if rule.pattern.search(where)), None)

    def find_key(self, text: str) -> str | None:
        """As `find`, but only what is a key beyond doubt: not every “password: ...” that a text may speak of."""
        if any(value in text for value in self._values):
            return "a key that is configured here"
        return next((rule.label for rule in rules.TOKENS if rule.pattern.search(text)), None)

    def spans(self, text: str) -> list[Span]:
        """Where the secrets are: in order, apart from each other."""
        found = [span for value in self._values if value in text for span in _occurrences(value, text)]
        for rule, where in _candidates(text):
            group = "secret" if "secret" in rule.pattern.groupindex else 0
            found += [match.span(group) for match in rule.pattern.finditer(where)]
        return _united(found)

    def begins_at(self, text: str, start: int) -> int | None:
        """Where the end of the text is the beginning of a configured secret.

        What comes before `start` is out: that may be the first letters of a secret within a word, see ENOUGH.
        """
        for match in self._first.finditer(text, max(0, start - ENOUGH + 1, len(text) - self._longest)):
            place = match.start()
            if len(text) - place >= ENOUGH or not text[max(0, place - 1) : place].isalnum():
                tail = text[place:]
                nearest = bisect_left(self._values, tail)
                if nearest < len(self._values) and self._values[nearest].startswith(tail):
                    return place
        return None

    def suspects(self, text: str, start: int) -> bool:
        """Whether what the text has from `start` on could be, begin or continue a secret; wrong only by saying yes."""
        return (
            rules.SUSPECT.search(text, start) is not None
            or "earer" in text[max(0, start - 12) :].lower()  # the one lead that ends without a sign
            or _marker_begins(text) is not None
            or self.begins_at(text, start) is not None
            or (len(text) - start + ENOUGH > self._shortest and any(value in text for value in self._values))
        )


class StreamRedactor:
    """Masks a text that comes in pieces: holds back what may be the beginning of a secret, and nothing else.

    The pieces that come out, joined, are what `Redactor.text` makes of the pieces that went in, joined (but for the
    first ENOUGH - 1 letters of a configured secret that begins within a word).
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._before = ""  # the end of what was let out, as it came in
        self._held: list[str] = []
        self._ends: re.Pattern[str] | None = None  # until this comes, what is held only grows
        self._armed = False  # a value may begin with the next piece

    def feed(self, chunk: str) -> str:
        if self._held:
            if self._ends and not self._ends.search(chunk):
                self._held.append(chunk)
                return ""
        elif not self._armed and not self._redactor.suspects(self._before + chunk, len(self._before)):
            self._before = (self._before + chunk)[-rules.LONGEST_LEAD :]
            return chunk
        return self._let_out(chunk, final=False)

    def flush(self) -> str:
        return self._let_out("", final=True)

    def _let_out(self, chunk: str, *, final: bool) -> str:
        start, text = len(self._before), self._before + "".join(self._held) + chunk
        found = self._redactor.spans(text)
        cut, self._ends = (len(text), None) if final else self._unfinished(text, start)
        cut = max(start, min([cut, *(begin for begin, end in found if begin < cut < end)]))
        self._held = [text[cut:]] if cut < len(text) else []
        self._before = text[max(0, cut - rules.LONGEST_LEAD) : cut]
        return masked(text, found, start, cut)

    def _unfinished(self, text: str, start: int) -> tuple[int, re.Pattern[str] | None]:
        """From where the text has to wait, and what it waits for (None: look again at every piece)."""
        values = list(_open_values(text))
        blocks = [*_open_blocks(text), _marker_begins(text), self._redactor.begins_at(text, start)]
        candidates: list[tuple[int, re.Pattern[str] | None]] = [(place, rules.END_OF_VALUE) for place in values]
        candidates += [(place, None) for place in blocks if place is not None]
        self._armed = any(place == len(text) for place, _ in candidates)
        return min(candidates, key=lambda one: (one[0], one[1] is None), default=(len(text), None))


def forms(secret: str) -> Iterator[str]:
    """The ways in which a secret may be written."""
    yield secret
    yield from (quote(secret, safe=""), quote_plus(secret))
    yield from (json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
    for shift in range(3):
        yield from _inside_base64(secret.encode(), shift)


def _inside_base64(secret: bytes, shift: int) -> Iterator[str]:
    """The part of a base64 text that depends on the secret alone, when it stands `shift` bytes off a group of three.

    So keys are found in “Authorization: Basic”, whatever the user's name.
    """
    encoded = base64.b64encode(b"\0" * shift + secret).decode().rstrip("=")
    core = encoded[(0, 2, 3)[shift] : len(encoded) - (1 if (shift + len(secret)) % 3 else 0)]
    if len(core) >= SHORTEST_ENCODED:
        yield core
        yield core.replace("+", "-").replace("/", "_")


def masked(text: str, found: list[Span], start: int, end: int) -> str:
    """The part from start to end, with what was found in the text masked."""
    parts, position = [], start
    for begin, stop in found:
        if stop > start and begin < end and start < end:
            parts += [text[position : max(begin, position)], MASK]
            position = stop
    return "".join([*parts, text[min(position, end) : end]])


def _candidates(text: str) -> Iterator[tuple[rules.Rule, str]]:
    """Rules that may find something, each with the text to look at."""
    for rule in rules.IN_TEXT:
        for hint in rule.hints:
            if hint in text:
                yield rule, text
                break
    lower = _lower(text)
    for rule in rules.IN_LOWER:
        for hint in rule.hints:
            if hint in lower:
                yield rule, lower
                break


def _lower(text: str) -> str:
    """In small letters, every letter in its place (“İ” would become two)."""
    lower = text.lower()
    return lower if len(lower) == len(text) else text.replace("İ", "i").lower()


def _occurrences(value: str, text: str) -> Iterator[Span]:
    place = text.find(value)
    while place >= 0:
        yield place, place + len(value)
        place = text.find(value, place + len(value))


def _united(found: list[Span]) -> list[Span]:
    united: list[Span] = []
    for begin, end in sorted(found):
        if united and begin < united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((begin, end))
    return united


def _open_values(text: str) -> Iterator[int]:
    """Where a value begins that reaches the end of the text and looks like a key, or has a name like one."""
    run = len(text.rstrip(rules.VALUE_CHARS))
    if marker := rules.MARKER.search(text, run):
        yield marker.start()
    for lead in rules.LEAD.finditer(_lower(text), max(0, run - rules.LONGEST_LEAD)):
        if run <= lead.end():
            yield lead.end()
            return


def _open_blocks(text: str) -> Iterator[int]:
    if url := rules.OPEN_URL.match(text, max(text.rfind("://"), 0)):
        yield text.index(":", url.start() + 3) + 1
    if "-" in text:
        pem = rules.OPEN_PEM.search(text) or rules.START_OF_PEM.search(text)
        if pem:
            yield pem.start()


def _marker_begins(text: str) -> int | None:
    """Where the end of the text is the beginning of a marker such as “sk-”."""
    if text[-1:] not in rules.MARKER_START_ENDS:
        return None
    for length in range(min(rules.LONGEST_MARKER, len(text)), 0, -1):
        if text[-length:] in rules.MARKER_STARTS and not text[-length - 1 : -length].isalnum():
            return len(text) - length
    return None
