"""What the test server can do: a behaviour for each request, and models that have one by their name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PAGE = "<!doctype html><html><body><h1>Welcome to nginx!</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one request is answered. The default: twenty words, usage at the end."""

    words: int = 20
    text: str | None = None  # instead of numbered words
    echo: bool = False  # the last user message
    usage: dict[str, Any] | None = field(default_factory=dict)  # {}: as counted; None: absent
    usage_so_far: bool = False  # also with every word
    delay_ms: float = 0
    gate: bool = False  # after the first word, each further one waits for release()
    hang: bool = False  # no answer at all
    hang_after: int | None = None  # words
    cut_after: int | None = None  # words, then the connection breaks
    end_after: int | None = None  # words, then the answer ends properly but without a finish_reason and [DONE]
    error_after: tuple[int, dict[str, Any]] | None = None  # words, then an error inside the stream
    garbage_after: int | None = None  # words, then a line that is not JSON
    finish: str = "stop"
    done: bool = True
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None  # a dict goes as JSON, a text as HTML


def error(status: int, message: str, *, code: str | None = None, kind: str = "invalid_request_error", **headers: str):
    """An error in OpenAI's real shape."""
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return Behaviour(status=status, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


MODELS: dict[str, Behaviour] = {
    "words": Behaviour(),
    "echo": Behaviour(echo=True),
    "no-usage": Behaviour(usage=None),
    "null-usage": Behaviour(usage={"prompt_tokens": None, "completion_tokens": None, "total_tokens": None}),
    "usage-so-far": Behaviour(usage_so_far=True),
    "usage-so-far-cut": Behaviour(usage_so_far=True, end_after=5),
    "gate": Behaviour(gate=True),
    "401": error(
        401, "Incorrect API key provided: {key}. You can find your key at example.com.", code="invalid_api_key"
    ),
    "403": error(403, "You may not sample from this model.", code="forbidden"),
    "429": error(429, "Rate limit reached for requests.", code="rate_limit_exceeded", kind="requests", retry_after="7"),
    "quota": error(429, "You exceeded your current quota.", code="insufficient_quota", kind="insufficient_quota"),
    "500": error(500, "The server had an error while processing your request.", kind="server_error"),
    "503": error(503, "The engine is overloaded.", kind="server_error"),
    "404": error(404, "The model `404` does not exist.", code="model_not_found"),
    "400": error(400, "Unknown parameter: 'wings'.", code="unknown_parameter"),
    "context": error(
        400,
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        code="context_length_exceeded",
    ),
    "context-by-message": error(400, "prompt is too long: 9000 tokens > 8192 maximum"),
    "filter": error(400, "The response was filtered by the content management policy.", code="content_filter"),
    "filter-at-end": Behaviour(finish="content_filter", end_after=None),
    "length": Behaviour(finish="length"),
    "hang": Behaviour(hang=True),
    "stall": Behaviour(hang_after=3),
    "cut": Behaviour(cut_after=5),
    "cut-at-once": Behaviour(cut_after=0),
    "no-finish": Behaviour(end_after=5),
    "empty": Behaviour(end_after=0),
    "garbage": Behaviour(garbage_after=3),
    "error-in-stream": Behaviour(error_after=(3, {"message": "Upstream is overloaded", "code": 502})),
    "html": Behaviour(body=PAGE),
    "html-404": Behaviour(status=404, body=PAGE),
    "html-502": Behaviour(status=502, body=PAGE),
    "html-403": Behaviour(status=403, body=PAGE),
    "slow": Behaviour(delay_ms=100),
}


MODEL_LIST = {"object": "list", "data": [{"id": name, "object": "model"} for name in ("gpt-test", *MODELS)]}
