"""Where a call goes and with which key, checked before any request."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers.base import Endpoint

# Without any key the libraries would take one from the environment, and send it to whatever server this is.
NO_KEY = "none"


def address(endpoint: Endpoint, default: str) -> tuple[str, str]:
    """Base URL and key. Raises CallFailed where a request could only fail, and less clearly."""
    url, key = endpoint.base_url.strip().rstrip("/") or default, endpoint.api_key.strip()
    if not (urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname):
        raise CallFailed(ErrorKind.PROVIDER_DOWN, f"the base URL “{url[:100]}” is no web address")
    if not key and url == default:
        raise CallFailed(ErrorKind.AUTHENTICATION, "the connection has no key")
    if not (key.isascii() and key.isprintable()):
        raise CallFailed(ErrorKind.AUTHENTICATION, "the key holds characters that no key has")
    return url, key


def option(endpoint: Endpoint, name: str) -> dict[str, Any]:
    found = endpoint.options.get(name) or {}
    if not isinstance(found, dict) or (name == "headers" and not all(isinstance(one, str) for one in found.values())):
        raise CallFailed(ErrorKind.BAD_REQUEST, f"the connection's option “{name}” must be a set of names and values")
    return found
