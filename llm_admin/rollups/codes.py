"""What is stored as a number in place of a word or a key. Numbers are never given anew: old blocks hold them."""

from __future__ import annotations

import hashlib
from typing import Any

SOURCES = {"studio": 1, "admin": 2, "code": 3, "command": 4, "batch": 5}
STATUSES = {"succeeded": 1, "failed": 2, "cancelled": 3, "interrupted": 4}
ERRORS = {
    "": 0,
    "authentication": 1,
    "rate_limit": 2,
    "timeout": 3,
    "context_too_long": 4,
    "content_filter": 5,
    "bad_request": 6,
    "provider_down": 7,
    "parse_error": 8,
    "declined": 9,
    "budget": 10,
    "user_limit": 11,
    "function": 12,
    "interrupted": 13,
    "cancelled": 14,
    "internal": 15,
}
WORDS: dict[str, dict[str, int]] = {"source": SOURCES, "status": STATUSES, "error": ERRORS}
NONE = 0  # of a key: the log names none. Others are one higher than the key
UNKNOWN = 255  # of a word that has no number


def key_of(primary_key: Any) -> int:
    """Of a person: the host's user model may have keys that are no numbers."""
    if primary_key is None:
        return NONE
    if isinstance(primary_key, int):
        return primary_key + 1
    return int.from_bytes(hashlib.blake2b(str(primary_key).encode(), digest_size=8).digest(), "big") >> 2


def code_of(dimension: str, value: Any) -> int:
    if dimension in WORDS:
        return WORDS[dimension].get(str(value), UNKNOWN)
    return int(value) if dimension == "cached" else key_of(value)


def value_of(dimension: str, code: int) -> int | str | bool | None:
    """The other way round. Not for keys that are no numbers."""
    if dimension in WORDS:
        return {number: word for word, number in WORDS[dimension].items()}.get(code, "")
    if dimension == "cached":
        return bool(code)
    return None if code == NONE else code - 1
