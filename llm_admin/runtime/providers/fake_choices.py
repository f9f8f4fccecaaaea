"""What the demo model answers where a request says exactly what an answer looks like: a category, a number, yes or no,
or a text between two lines of dashes to rewrite, to reply to, or to read values from. Always the same for the same.
"""

from __future__ import annotations

import re
from typing import Any
from zlib import crc32

ONE_OF = re.compile(r"Answer with exactly one of these names and nothing else: ([^\n]+)")
NUMBER = re.compile(
    r"\banswer\b[^.\n]{0,20}\b(?:one|a) (?:whole )?number (?:from|between) (-?\d{1,9}) (?:to|and) (-?\d{1,9})", re.I
)
YES_NO = re.compile(r"\banswer\b[^.\n]{0,20}\byes or no\b", re.I)
BODY = re.compile(r"^-{3,}[ \t]*\n(.*?)\n-{3,}[ \t]*$", re.DOTALL | re.MULTILINE)
HYPE = re.compile(
    r"\b(?:we are |we're )?(?:thrilled|delighted|excited) to announce that\s+|"
    r"\b(?:very|really|truly|absolutely|incredibly|amazing(?:ly)?|revolutionary|game-changing|best-in-class|"
    r"world-class|cutting-edge|ultimate)\b,?\s*",
    re.I,
)
READERS: tuple[tuple[str, str], ...] = (
    (r"e-?mail", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    (r"date|due|day|until|when", r"\d{4}-\d\d-\d\d|\d{1,2}\.? (?:[A-Z][a-z]+) \d{4}|[A-Z][a-z]+ \d{1,2}, \d{4}"),
    (r"amount|total|price|sum|cost", r"\d{1,3}(?:,\d{3})*(?:\.\d+)?(?= ?(?:EUR|USD|GBP|€|\$))|(?<=[€$£])\d[\d,.]*\d"),
    (r"phone", r"\+?\d[\d /-]{6,}\d"),
    (r"number|reference|invoice|order|id$", r"\b[A-Z]{2,6}-?\d+\b|\b\d{4,}\b"),
)
LAST_LINE = re.compile(r"name|sender|from|customer|contact|who", re.I)


def told_answer(request: str, asked: str) -> str | None:
    """None when the request does not say what its answer looks like."""
    if found := ONE_OF.search(request):
        return _category(request, asked, [name.strip() for name in found[1].split(",")])
    if found := NUMBER.search(request):
        low, high = sorted((int(found[1]), int(found[2])))
        return str(_score(request, asked, low, high))
    if YES_NO.search(request):
        return "Yes" if _hash(asked) % 2 else "No"
    body = body_of(asked)
    if body and re.search(r"\brewrite\b", request, re.I):
        return _rewritten(body)
    if body and re.search(r"\breply\b", request, re.I):
        return _reply(body)
    return None


def body_of(text: str) -> str:
    """What stands between two lines of dashes."""
    found = BODY.search(text)
    return found[1].strip() if found else ""


def read_value(name: str, body: str) -> Any:
    """What a text says about a key with this name, as far as patterns can tell; else None."""
    for told, pattern in READERS:
        if re.search(told, name, re.I) and (found := re.search(pattern, body)):
            return _as_number(found[0]) if told.startswith("amount") else found[0]
    if LAST_LINE.search(name):
        return body.splitlines()[-1].strip(" .,-–") or None
    return None


def _as_number(text: str) -> float | int:
    number = float(text.replace(",", ""))
    return int(number) if number.is_integer() else number


def _category(request: str, asked: str, names: list[str]) -> str:
    """Whose name and description share most word beginnings with the text; else the last one: as a rule the rest."""
    text = _stems(asked)
    described = dict(re.findall(r"^- ([^:\n]+)(?:: ([^\n]*))?$", request, re.MULTILINE))
    scores = [len(text & _stems(f"{name} {described.get(name, '')}")) for name in names]
    best = max(scores)
    return names[scores.index(best)] if best else names[-1]


def _score(request: str, asked: str, low: int, high: int) -> int:
    """Higher the more words the text shares with what is said around it."""
    body = body_of(asked) or asked
    shared = len(_stems(body) & _stems(request.replace(body, "")))
    percent = min(97, 12 + _hash(body) % 20 + 30 * shared)
    return low + (high - low) * percent // 100


def _stems(text: str) -> set[str]:
    return {word[:5] for word in re.findall(r"[^\W\d_]{4,}", text.casefold()) if word not in COMMON}


def _rewritten(body: str) -> str:
    calm = re.sub(r"!+", ".", HYPE.sub("", body))
    return re.sub(r"(^|[.?] +)([a-z])", lambda m: m[1] + m[2].upper(), calm)


def _reply(body: str) -> str:
    words = body.split()
    begins = " ".join(words[:12]).rstrip(".,;:!?") + (" …" if len(words) > 12 else "")
    return (
        f"Thank you for writing to us. You say: “{begins}”.\n\nWe have looked at it and will get back to you with a "
        "solution by tomorrow. (A demo answer; no AI wrote it.)\n\nKind regards\nYour support team"
    )


def _hash(text: str) -> int:
    return crc32(" ".join(text.split()).encode(errors="replace"))


COMMON = {
    "with",
    "that",
    "this",
    "from",
    "have",
    "they",
    "your",
    "about",
    "what",
    "when",
    "which",
    "where",
    "there",
    "their",
}
