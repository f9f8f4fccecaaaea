"""From what openai, httpx and LangChain raise to kinds of errors."""

from __future__ import annotations

import json
from typing import Any

import openai

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers.failures import BROKE_OFF, NO_JSON, WAITED, kind_of, refusal, short, transport


def classify(exc: BaseException) -> CallFailed | None:
    if isinstance(exc, openai.APIStatusError):
        return _refused(exc)
    if found := transport(exc):
        return found
    if isinstance(exc, openai.APIResponseValidationError | json.JSONDecodeError):
        return CallFailed(ErrorKind.PROVIDER_DOWN, NO_JSON)
    if isinstance(exc, openai.APITimeoutError):
        return CallFailed(ErrorKind.TIMEOUT, WAITED["ReadTimeout"])
    if isinstance(exc, openai.APIError):
        return _said_in_the_stream(exc)
    return _complaint_of_langchain(exc)


def _refused(exc: openai.APIStatusError) -> CallFailed:
    said = exc.body or exc.message
    if exc.code == "insufficient_quota" and isinstance(said, dict) and "quota" not in str(said.get("message")):
        said = f"insufficient quota: {said.get('message')}"
    if not exc.body:  # the library's own words for an empty or unreadable body
        said = str(exc.body or "") if exc.body is not None else exc.message
    return refusal(exc.status_code, said, codes=_codes(exc), headers=exc.response.headers, sent=exc.request.headers)


def _said_in_the_stream(exc: openai.APIError) -> CallFailed:
    code = exc.code or ""
    status = int(code) if code.isdecimal() and len(code) == 3 else None
    return CallFailed(
        kind_of(status, _codes(exc), exc.message), short(exc.message, exc.request.headers), status_code=status
    )


def _codes(exc: openai.APIError) -> list[Any]:
    """Azure says what its filter did one level deeper."""
    inner = exc.body.get("innererror") if isinstance(exc.body, dict) else None
    return [exc.code, exc.type, inner.get("code") if isinstance(inner, dict) else None]


def _complaint_of_langchain(exc: BaseException) -> CallFailed | None:
    """LangChain raises bare built-in exceptions for answers that are not chat completions."""
    message = str(exc)
    if isinstance(exc, ValueError) and message == "No generation chunks were returned":
        return CallFailed(ErrorKind.PROVIDER_DOWN, BROKE_OFF)
    if isinstance(exc, ValueError) and message.startswith("Unexpected response type"):
        return CallFailed(ErrorKind.PROVIDER_DOWN, NO_JSON)
    if isinstance(exc, KeyError | TypeError) and "'choices'" in message:
        return CallFailed(ErrorKind.PROVIDER_DOWN, "did not answer with a chat completion: is the base URL right?")
    return None
