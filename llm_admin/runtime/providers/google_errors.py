"""From what google-genai, httpx and LangChain raise to kinds of errors."""

from __future__ import annotations

import json
import re
from typing import Any

from google.genai.errors import APIError, UnknownApiResponseError
from langchain_google_genai._common import GoogleGenerativeAIError

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers.failures import NO_JSON, chain_of, refusal, transport

SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")


def classify(exc: BaseException) -> CallFailed | None:
    """LangChain wraps what the library raised."""
    told = next((one for one in chain_of(exc) if isinstance(one, APIError)), None)
    if told is not None:
        return _refused(told)
    if found := transport(exc):
        return found
    if isinstance(exc, ValueError) and str(exc).startswith("contents are required"):
        return CallFailed(ErrorKind.BAD_REQUEST, "Gemini needs a message of the user, with some words in it")
    if isinstance(exc, UnknownApiResponseError | GoogleGenerativeAIError | json.JSONDecodeError):
        return CallFailed(ErrorKind.PROVIDER_DOWN, NO_JSON)
    return None


def _refused(exc: APIError) -> CallFailed:
    error = _error(exc.details)
    details = [one for one in error.get("details") or [] if isinstance(one, dict)]
    headers = getattr(exc.response, "headers", None) or {}
    request = getattr(exc.response, "request", None) if hasattr(exc.response, "_request") else None
    message = str(error.get("message") or exc.message or "")
    return refusal(
        exc.code if isinstance(exc.code, int) else None,
        message if message or set(error) <= {"message", "status"} else error,
        codes=[exc.status, *(one.get("reason") for one in details)],
        headers=headers,
        sent=request.headers if request is not None else {},
        retry_after=_retry_after(details),
    )


def _error(said: Any) -> dict[str, Any]:
    if isinstance(said, list) and said:
        said = said[0]
    if isinstance(said, dict) and isinstance(said.get("error"), dict):
        said = said["error"]
    return said if isinstance(said, dict) else {}


def _retry_after(details: list[dict[str, Any]]) -> float | None:
    """Gemini says it in the body and not in a header."""
    for one in details:
        if found := SECONDS.fullmatch(str(one.get("retryDelay", ""))):
            return float(found[1])
    return None
