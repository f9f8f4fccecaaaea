"""Answers that are no stream although one was asked for: the libraries would skip them line by line, and we would see
an answer without words. As a hook of the HTTP client."""

from __future__ import annotations

import json
from typing import Any

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers.failures import WEB_PAGE, refusal

NO_STREAM = "did not stream its answer: is the base URL right?"


async def refuse(response: Any) -> None:
    """Raises CallFailed for a page, and for one JSON object: its error, where it tells one."""
    if not response.is_success:
        return
    kind = response.headers.get("content-type", "")
    if "html" in kind:
        raise CallFailed(ErrorKind.PROVIDER_DOWN, WEB_PAGE, status_code=response.status_code)
    if "json" in kind and _asked_for_stream(response.request):
        body = (await response.aread()).lstrip()
        if body.startswith(b"{"):  # else it may be a stream under a wrong name
            raise _told(body, response)


def told(error: Any, sent: Any) -> CallFailed:
    """An error in an answer that began well."""
    inner = error if isinstance(error, dict) else {}
    return refusal(None, error, codes=[inner.get("code"), inner.get("type")], sent=sent)


def _told(body: bytes, response: Any) -> CallFailed:
    try:
        error = json.loads(body).get("error")
    except (ValueError, RecursionError):
        error = None
    if error:
        return told(error, response.request.headers)
    return CallFailed(ErrorKind.PROVIDER_DOWN, NO_STREAM)


def _asked_for_stream(request: Any) -> bool:
    return b'"stream":true' in request.content.replace(b" ", b"")
