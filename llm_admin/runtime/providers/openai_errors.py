"""From what openai, httpx and LangChain raise to kinds of errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import openai

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers.openai_clients import WEB_PAGE

MAX_DETAIL = 300
BROKE_OFF = "the answer broke off"
# By name: httpx and its successor httpx2 have the same classes, and which one is in use depends on openai's version.
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
    r"context[ _](?:length|window|size)|prompt is too long|input is too long|too many (?:input )?tokens"
    r"|input tokens exceed|reduce the length",
    re.IGNORECASE,
)
TOO_LONG_CODES = {"context_length_exceeded", "string_above_max_length"}
FILTER_CODES = {"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"}
LIMIT_CODES = {"rate_limit_exceeded", "insufficient_quota", "billing_hard_limit_reached", "rate_limit_error"}
KEY_HEADERS = ("authorization", "api-key", "x-api-key")
KEY_CODES = {"invalid_api_key", "authentication_error"}


def classify(exc: BaseException) -> CallFailed | None:
    chain = list(_chain(exc))
    for one in chain:
        if isinstance(one, CallFailed):
            return one
    if isinstance(exc, openai.APIStatusError):
        return _refused(exc)
    if transport := _transport(chain):
        return transport
    if isinstance(exc, openai.APIResponseValidationError | json.JSONDecodeError):
        return CallFailed(ErrorKind.PROVIDER_DOWN, "did not answer with JSON: is the base URL right?")
    if isinstance(exc, openai.APITimeoutError):
        return CallFailed(ErrorKind.TIMEOUT, WAITED["ReadTimeout"])
    if isinstance(exc, openai.APIError):
        return _said_in_the_stream(exc)
    return _complaint_of_langchain(exc)


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__


def _transport(chain: list[BaseException]) -> CallFailed | None:
    for one in chain:
        name = type(one).__name__
        if name in WAITED:
            return CallFailed(ErrorKind.TIMEOUT, WAITED[name])
        if name in TRANSPORT:
            return CallFailed(ErrorKind.PROVIDER_DOWN, TRANSPORT[name])
    return None


def _refused(exc: openai.APIStatusError) -> CallFailed:
    status = exc.status_code
    if _is_web_page(exc):
        kind = _by_status(status) if status in (401, 403, 429) else ErrorKind.PROVIDER_DOWN
        detail = WEB_PAGE if status < 500 else f"the server has a problem (HTTP {status})"
    else:
        kind, detail = _kind(status, exc), _detail(exc) or f"HTTP {status}"
    return CallFailed(kind, detail, status_code=status, retry_after=_retry_after(exc.response.headers))


def _said_in_the_stream(exc: openai.APIError) -> CallFailed:
    code = exc.code or ""
    status = int(code) if code.isdecimal() and len(code) == 3 else None
    return CallFailed(_kind(status, exc), _detail(exc), status_code=status)


def _kind(status: int | None, exc: openai.APIError) -> ErrorKind:
    codes = {str(code) for code in (exc.code, exc.type, _inner_code(exc.body)) if code}
    if codes & FILTER_CODES:
        return ErrorKind.CONTENT_FILTER
    if codes & TOO_LONG_CODES or (status in (None, 400, 413, 422) and TOO_LONG.search(exc.message)):
        return ErrorKind.CONTEXT_TOO_LONG
    if codes & LIMIT_CODES:
        return ErrorKind.RATE_LIMIT
    if codes & KEY_CODES:
        return ErrorKind.AUTHENTICATION
    return _by_status(status)


def _by_status(status: int | None) -> ErrorKind:
    match status:
        case 401 | 403:
            return ErrorKind.AUTHENTICATION
        case 402 | 429:
            return ErrorKind.RATE_LIMIT
        case 408:
            return ErrorKind.TIMEOUT
        case 413:
            return ErrorKind.CONTEXT_TOO_LONG
        case int() if status < 500:
            return ErrorKind.BAD_REQUEST
        case _:
            return ErrorKind.PROVIDER_DOWN


def _inner_code(body: Any) -> str | None:
    """Azure says what its filter did one level deeper."""
    inner = body.get("innererror") if isinstance(body, dict) else None
    return inner.get("code") if isinstance(inner, dict) else None


def _is_web_page(exc: openai.APIStatusError) -> bool:
    return "html" in exc.response.headers.get("content-type", "") or str(exc.body or "").lstrip().startswith("<")


def _detail(exc: openai.APIError) -> str:
    """The provider's own words, short, without the key that was sent."""
    body = exc.body
    said = body.get("message") or body.get("detail") or body if isinstance(body, dict) else body or exc.message
    text = " ".join((said if isinstance(said, str) else json.dumps(said, default=str) if said else "").split())
    if exc.code == "insufficient_quota" and "quota" not in text:
        text = f"insufficient quota: {text}"
    for header in KEY_HEADERS:
        if key := exc.request.headers.get(header, "").rpartition(" ")[2]:
            text = text.replace(key, "•••")
    return text if len(text) <= MAX_DETAIL else f"{text[: MAX_DETAIL - 1]}…"


def _retry_after(headers: Any) -> float | None:
    """Seconds, from a number or from a date."""
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
    except ValueError:
        return None
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _complaint_of_langchain(exc: BaseException) -> CallFailed | None:
    """LangChain raises bare built-in exceptions for answers that are not chat completions."""
    message = str(exc)
    if isinstance(exc, ValueError) and message == "No generation chunks were returned":
        return CallFailed(ErrorKind.PROVIDER_DOWN, BROKE_OFF)
    if isinstance(exc, ValueError) and message.startswith("Unexpected response type"):
        return CallFailed(ErrorKind.PROVIDER_DOWN, "did not answer with JSON: is the base URL right?")
    if isinstance(exc, KeyError | TypeError) and "'choices'" in message:
        return CallFailed(ErrorKind.PROVIDER_DOWN, "did not answer with a chat completion: is the base URL right?")
    return None
