"""The demo provider: offline, deterministic, and able to fail in every way that a real one can.

The model name says how: "demo", "demo:429", "demo:slow:words=200". See BEHAVIOURS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers.base import EmbeddingResult, Endpoint, Parameters, Provider
from llm_admin.runtime.providers.fake_script import enqueue, forget, script

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

__all__ = ["BEHAVIOURS", "FakeFailure", "FakeProvider", "enqueue", "forget", "script"]


class FakeFailure(Exception):
    """What the demo model raises, as a provider's own library would; `classify` maps it."""

    def __init__(self, kind: ErrorKind, message: str, status: int | None = None, retry_after: float | None = None):
        super().__init__(message)
        self.kind, self.status, self.retry_after = kind, status, retry_after


SLOW_MS = 300

REFUSALS: dict[str, tuple[ErrorKind, str, int]] = {
    "401": (ErrorKind.AUTHENTICATION, "the demo model refuses this key, as it was told to", 401),
    "429": (ErrorKind.RATE_LIMIT, "the demo model has had enough requests, as it was told to", 429),
    "500": (ErrorKind.PROVIDER_DOWN, "the demo model has an internal error, as it was told to", 500),
    "context": (ErrorKind.CONTEXT_TOO_LONG, "the demo model's context is 0 tokens, as it was told to", 400),
    "filter": (ErrorKind.CONTENT_FILTER, "the demo model's content filter stopped this, as it was told to", 400),
}
BEHAVIOURS = {
    **{name: message for name, (_, message, _) in REFUSALS.items()},
    "slow": f"takes {SLOW_MS} ms for each word",
    "hang": "never answers, until the wait for the next piece is over",
    "cut": "breaks off in the middle",
    "unfinished": "ends in the middle without an error",
    "malformed": "answers JSON that ends in the middle",
    "nousage": "does not say how many tokens it used",
}
NUMBERS = ("words", "delay_ms")


def refusal(behaviour: str) -> FakeFailure:
    kind, message, status = REFUSALS[behaviour]
    return FakeFailure(kind, message, status, retry_after=2 if kind == ErrorKind.RATE_LIMIT else None)


class FakeProvider(Provider):
    modules = ("llm_admin.runtime.providers.fake_model",)
    label = "Demo (answers come from no AI)"
    needs_key = False
    supports_embeddings = True

    def build(self, endpoint: Endpoint, parameters: Parameters) -> BaseChatModel:
        from llm_admin.runtime.providers.fake_model import FakeChatModel

        name, *words = endpoint.provider_model.split(":")
        options = {k: v for k, v in endpoint.options.items() if k in (*NUMBERS, "script")}
        known = {k: v for k, v in parameters.items() if k in ("max_tokens", "stop", "response_format")}
        settings = {**options, **known, **_behaviour(words)}
        try:
            return FakeChatModel(model=name, patience=endpoint.first_token_timeout, **settings)
        except ValidationError as error:
            wrong = ", ".join(str(one["loc"][0]) for one in error.errors())
            raise CallFailed(ErrorKind.BAD_REQUEST, f"the demo model cannot use this value of {wrong}") from None

    async def list_models(self, endpoint: Endpoint) -> list[str]:
        return ["demo", *(f"demo:{behaviour}" for behaviour in BEHAVIOURS)]

    async def embed(self, endpoint: Endpoint, texts: list[str]) -> EmbeddingResult:
        from llm_admin.runtime.providers.fake_embeddings import vector

        settings = _behaviour(endpoint.provider_model.split(":")[1:])
        if settings.get("behaviour") in REFUSALS:
            raise self.classify(refusal(settings["behaviour"])) or AssertionError
        return EmbeddingResult([vector(text) for text in texts], sum(len(text.split()) for text in texts))

    def classify(self, exc: BaseException) -> CallFailed | None:
        if isinstance(exc, FakeFailure):
            return CallFailed(exc.kind, str(exc), status_code=exc.status, retry_after=exc.retry_after)
        return super().classify(exc)


def _behaviour(words: list[str]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for word in words:
        name, _, value = word.partition("=")
        if word in BEHAVIOURS:
            settings["behaviour"] = word
        elif name in NUMBERS and value.isdecimal():
            settings[name] = int(value)
        elif name == "script" and value:
            settings["script"] = value
        else:
            raise CallFailed(
                ErrorKind.BAD_REQUEST, f"the demo model does not know “{word}”; it knows {', '.join(BEHAVIOURS)}"
            )
    return settings
