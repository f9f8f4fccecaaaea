"""From a provider's refusal to a kind of failure: by its own codes, its words, or its HTTP status."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.redaction import SHORTEST_SECRET

MAX_DETAIL = 300
BROKE_OFF = "the answer broke off"
NO_JSON = "did not answer with JSON: is the base URL right?"
NO_LIST = "did not answer with a list of models: is the base URL right?"
WEB_PAGE = "answered with a web page instead of JSON: is the base URL right?"
# By name: httpx and its successor httpx2 have the same classes, and which one is in use depends on the library.
TRANSPORT = {
    "ConnectError": "no connection to the server",
    "ReadError": BROKE_OFF,
    "WriteError": BROKE_OFF,
    "CloseError": BROKE_OFF,
    "RemoteProtocolError": BROKE_OFF,
    "LocalProtocolError": "the request could not be sent",
    "UnsupportedProtocol": "the base URL is no web address",
    "InvalidURL": "the base URL is no web address",
    "TooManyRedirects": "the server redirects in a circle: is the base URL right?",
    "DecodingError": "the answer could not be read",
    "ProxyError": "no connection through the proxy",
}
WAITED = {
    "ConnectTimeout": "no connection in time",
    "ReadTimeout": "no answer in time",
    "WriteTimeout": "the request could not be sent in time",
    "PoolTimeout": "too many requests are waiting for this server",
}
TOO_LONG = re.compile(
    r"context[ _]?(?:length|window|size|limit)|prompt is too long|input is too long|too many (?:input )?tokens"
    r"|input tokens exceed|reduce the length|maximum number of tokens allowed|`inputs` (?:tokens|must have less)",
    re.IGNORECASE,
)
FILTERED = re.compile(r"content ?policy ?violation|content management policy", re.IGNORECASE)
CODES: dict[ErrorKind, frozenset[str]] = {
    ErrorKind.CONTENT_FILTER: frozenset(
        {"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation", "PROHIBITED_CONTENT"}
    ),
    ErrorKind.CONTEXT_TOO_LONG: frozenset(
        {"context_length_exceeded", "string_above_max_length", "request_too_large", "model_max_prompt_tokens_exceeded"}
    ),
    ErrorKind.RATE_LIMIT: frozenset(
        {
            "rate_limit_exceeded",
            "insufficient_quota",
            "billing_hard_limit_reached",
            "rate_limit_error",
            "billing_error",
            "RESOURCE_EXHAUSTED",
        }
    ),
    ErrorKind.AUTHENTICATION: frozenset(
        {
            "invalid_api_key",
            "authentication_error",
            "permission_error",
            "API_KEY_INVALID",
            "UNAUTHENTICATED",
            "PERMISSION_DENIED",
        }
    ),
    ErrorKind.TIMEOUT: frozenset({"timeout_error", "DEADLINE_EXCEEDED"}),
    ErrorKind.PROVIDER_DOWN: frozenset({"overloaded_error", "api_error", "overloaded", "UNAVAILABLE", "INTERNAL"}),
}
UNKNOWN_MODEL = ("model_not_found", "model_not_supported")  # the latter of HuggingFace, with status 400
MAY_SPEAK = (None, 200, 400, 413, 422)  # of what is wrong with the text: the message decides
KEY_HEADERS = ("authorization", "api-key", "x-api-key", "x-goog-api-key")


def refusal(
    status: int | None,
    said: Any,
    *,
    codes: Iterable[Any] = (),
    headers: Mapping[str, str] | None = None,
    sent: Mapping[str, str] | None = None,
    retry_after: float | None = None,
) -> CallFailed:
    """`said`: the body or the message. `headers` of the answer; `sent`: of the request, whose keys are taken out."""
    told, codes = headers or {}, list(codes)
    if is_web_page(said, told):
        kind = by_status(status) if status in (401, 403, 429) else ErrorKind.PROVIDER_DOWN
        detail = WEB_PAGE if status is None or status < 500 else f"the server has a problem (HTTP {status})"
    else:
        words = message_of(said)
        kind, detail = kind_of(status, codes, words), short(words, sent or {}) or f"HTTP {status}"
    wait = retry_after if retry_after is not None else seconds_to_wait(told)
    failure = CallFailed(kind, detail, status_code=None if status == 200 else status, retry_after=wait)
    failure.unknown_model = any(code in UNKNOWN_MODEL for code in codes if isinstance(code, str))
    return failure


def kind_of(status: int | None, codes: Iterable[Any], message: str) -> ErrorKind:
    told = {str(code) for code in codes if code}
    speaks = status in MAY_SPEAK
    if told & CODES[ErrorKind.CONTENT_FILTER] or (speaks and FILTERED.search(message)):
        return ErrorKind.CONTENT_FILTER
    if told & CODES[ErrorKind.CONTEXT_TOO_LONG] or (speaks and TOO_LONG.search(message)):
        return ErrorKind.CONTEXT_TOO_LONG
    for kind in (ErrorKind.RATE_LIMIT, ErrorKind.AUTHENTICATION, ErrorKind.TIMEOUT, ErrorKind.PROVIDER_DOWN):
        if told & CODES[kind] and not (kind == ErrorKind.PROVIDER_DOWN and 400 <= (status or 0) < 500):
            return kind  # a status beats “api_error”, which Ollama says of everything
    return by_status(status)


def by_status(status: int | None) -> ErrorKind:
    match status:
        case 401 | 403:
            return ErrorKind.AUTHENTICATION
        case 402 | 429:
            return ErrorKind.RATE_LIMIT
        case 408 | 504:
            return ErrorKind.TIMEOUT
        case 413:
            return ErrorKind.CONTEXT_TOO_LONG
        case int() if 200 < status < 500:
            return ErrorKind.BAD_REQUEST
        case _:
            return ErrorKind.PROVIDER_DOWN


def chain_of(exc: BaseException | None) -> Iterator[BaseException]:
    """With its causes; each once, also where they go round in a circle."""
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        yield exc
        exc = exc.__cause__


def transport(exc: BaseException) -> CallFailed | None:
    """What happened between us and the server; or a CallFailed that was raised on the way."""
    chain = list(chain_of(exc))
    for one in chain:
        if isinstance(one, CallFailed):
            return one
    for one in chain:
        name = type(one).__name__
        if name in WAITED:
            return CallFailed(ErrorKind.TIMEOUT, WAITED[name])
        if name in TRANSPORT:
            return CallFailed(ErrorKind.PROVIDER_DOWN, TRANSPORT[name])
    return None


def is_web_page(said: Any, headers: Mapping[str, str]) -> bool:
    return "html" in headers.get("content-type", "") or (isinstance(said, str) and said.lstrip().startswith("<"))


def message_of(said: Any) -> str:
    """The provider's own words, out of the many shapes that a body has."""
    if isinstance(said, list) and len(said) == 1:
        return message_of(said[0])
    if isinstance(said, dict):
        said = said.get("message") or said.get("detail") or said.get("error") or said
    if isinstance(said, dict) and said.get("message"):
        said = said["message"]
    return " ".join((said if isinstance(said, str) else json.dumps(said, default=str) if said else "").split())


def short(text: str, sent: Mapping[str, str]) -> str:
    """Without the key that was sent."""
    for header in KEY_HEADERS:
        if len(key := sent.get(header, "").rpartition(" ")[2]) >= SHORTEST_SECRET:
            text = text.replace(key, "•••")
    return text if len(text) <= MAX_DETAIL else f"{text[: MAX_DETAIL - 1]}…"


def seconds_to_wait(headers: Mapping[str, str]) -> float | None:
    """From a number or from a date."""
    told = headers.get("retry-after", "")
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000)
        return max(0.0, float(told)) if told else None
    except ValueError:
        return _seconds_until(told)


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment  # “-0000”: in UTC as well
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None
