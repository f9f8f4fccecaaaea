"""A webhook: one POST with a signed body, through the guard of everything that goes out (docs/adr/0010)."""

from __future__ import annotations

import asyncio
import email.utils
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from llm_admin.exceptions import CallFailed
from llm_admin.outgoing import OutgoingRefused, guarded_async_client

TIMEOUT = 10.0  # seconds for everything: name, connection, request, answer
READ = 2_000  # bytes of an answer that we look at
LONGEST_WAIT = 24 * 3600  # seconds; a server that says later is asked then all the same
USER_AGENT = "LLM-Console-Monitor/1"
LATER = (408, 425, 429)
GONE = 410


@dataclass(frozen=True)
class Outcome:
    """`problem`: a sentence, which may be long, or "" when it was taken. `final`: trying again would not help.
    `wait`: seconds, as the server said."""

    status_code: int | None = None
    problem: str = ""
    final: bool = False
    wait: float | None = None


def new_secret() -> str:
    return "whsec_" + secrets.token_urlsafe(32)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"v1={digest.hexdigest()}"


def headers(delivery_id: str, secret: str, body: bytes, *, now: float | None = None) -> dict[str, str]:
    timestamp = str(int(time.time() if now is None else now))
    return {
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",  # what is refused is read as it comes: nothing can swell up
        "User-Agent": USER_AGENT,
        "X-LLM-Console-Delivery": delivery_id,
        "X-LLM-Console-Timestamp": timestamp,
        "X-LLM-Console-Signature": signature(secret, timestamp, body),
    }


async def post(url: str, secret: str, delivery_id: str, payload: dict[str, Any]) -> Outcome:
    """Never raises for what a server, a name or a network does."""
    import httpx

    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        async with asyncio.timeout(TIMEOUT):
            return await _post(httpx, url, headers(delivery_id, secret, body), body)
    except (TimeoutError, httpx.TimeoutException):
        return Outcome(problem=f"No answer within {TIMEOUT:.0f} seconds.")
    except OutgoingRefused as refused:
        return Outcome(problem=_masked(_sentence(refused.detail), url), final=True)
    except CallFailed as failure:
        return Outcome(problem=_masked(_sentence(failure.detail), url))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        said = f"{type(error).__name__}: {error}".rstrip(": ")
        return Outcome(problem=_masked(f"The server could not be reached ({said}).", url))


async def _post(httpx: Any, url: str, sent: dict[str, str], body: bytes) -> Outcome:
    async with (
        guarded_async_client(httpx, timeout=TIMEOUT, follow_redirects=False) as client,
        client.stream("POST", url, content=body, headers=sent) as response,
    ):
        said = b""
        if not response.is_success:
            async for some in response.aiter_raw():
                said += some
                if len(said) >= READ:
                    break
        return outcome(response.status_code, response.headers, said[:READ], url)


def outcome(status: int, answered: Any, said: bytes, url: str) -> Outcome:
    if 200 <= status < 300:
        return Outcome(status)
    if 300 <= status < 400:
        words = "The server sends requests on to another address. Enter that one, if it is right."
        return Outcome(status, words, final=True)
    text = " ".join("".join(c if c.isprintable() else " " for c in said.decode(errors="replace")).split())
    words = f"The server answered {status}" + (f": {_masked(text, url)}" if text else ".")
    wait = retry_after(answered.get("retry-after", "")) if status in LATER or status >= 500 else None
    return Outcome(status, words, final=status == GONE, wait=wait)


def retry_after(value: str, *, now: float | None = None) -> float | None:
    """Seconds from now: of a number, or of a date. None when it says neither."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:9]), LONGEST_WAIT))
    try:
        moment = email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, moment - (time.time() if now is None else now)), LONGEST_WAIT)


def _masked(text: str, url: str) -> str:
    """Servers repeat what they were asked for, and the address of a chat's webhook is a secret. Keys of connections
    are masked by whoever stores it: finding them may read the database."""
    parts = urlsplit(url)
    for piece in (url, f"{parts.path}?{parts.query}", parts.path, parts.query):
        if len(piece) > 1:
            text = text.replace(piece, "•••")
    return text


def _sentence(detail: str) -> str:
    return f"{detail[:1].upper()}{detail[1:]}{'' if detail.endswith(('.', '?')) else '.'}"


def host_of(url: str) -> str:
    """All of an address that people are shown."""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        return ""
