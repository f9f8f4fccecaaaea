"""Trying a connection: does the provider answer, with this address and this key, and how long does a call take?"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed, NotFound
from llm_admin.models import Connection, Deployment
from llm_admin.outgoing import OutgoingRefused
from llm_admin.services import connection_health, connections
from llm_admin.services.secrets import redactor
from llm_admin.tenancy import workspace_scope

if TYPE_CHECKING:
    from llm_admin.runtime.probing import Answered
    from llm_admin.runtime.providers import Endpoint, Provider
    from llm_admin.services.actors import Actor

TIMEOUT = 15.0  # seconds, for the list and again for the call
# Names of what does not chat, as providers list them among the others.
NO_CHAT = re.compile(r"embed|whisper|tts|dall-e|image|audio|realtime|moderation|transcribe|rerank|bge|babbage|davinci")
# For operators, who can do something about it; authors get other words (runtime/errors.py).
ADVICE = {
    ErrorKind.AUTHENTICATION: "Enter the key once more, or check with the provider that it is still valid.",
    ErrorKind.RATE_LIMIT: "Address and key are right. Look at the limits and the credit of your account there.",
    ErrorKind.TIMEOUT: "Check the base URL, and that this machine may reach that server (firewall, proxy).",
    ErrorKind.PROVIDER_DOWN: "Check the base URL (many end in /v1), and that the server runs and answers this machine.",
}
OTHER_ADVICE = "Check the base URL (many end in /v1) and the kind of the connection."
CALL_ADVICE = "The key and the address are right. Check the name of the model on the page of the model that uses it."


@dataclass(frozen=True)
class TinyCall:
    """A real call of some tokens. `cost_nano` None: not known. `problem`: the model did not answer."""

    model: str
    milliseconds: float | None = None
    first_ms: float | None = None
    cost_nano: int | None = None
    problem: str = ""


@dataclass(frozen=True)
class Trial:
    """What came of trying a connection. `problem` and `advice` are sentences, "" when it works."""

    milliseconds: float
    models: list[str] = field(default_factory=list)
    problem: str = ""
    advice: str = ""
    call: TinyCall | None = None

    def in_words(self) -> str:
        return f"{self.problem} {self.advice}" if self.problem else f"It works: {len(self.models)} models."


def try_out(connection: Connection, *, actor: Actor) -> Trial:
    """Asks the provider for its models, then makes a tiny call; stores what came of it as its health."""
    actor.require("change_connection")
    if connection.workspace_id != actor.workspace.pk:
        raise NotFound("There is no such connection in this workspace.")
    if problem := connections.missing_variable(connection) or unreadable(connection):
        trial = Trial(0, problem=problem)
    else:
        trial = _with_a_call(connection, listing(connection))
    remember(connection, trial)
    return trial


def remember(connection: Connection, trial: Trial) -> None:
    """As the connection's health, with the time of the call where there was one."""
    called = trial.call.milliseconds if trial.call else None
    milliseconds = None if trial.problem else round(trial.milliseconds if called is None else called)
    connection_health.forget(connection.pk)
    if not trial.problem:
        connection_health.wake(connection.pk)
    connection_health.store(connection.pk, healthy=not trial.problem, problem=trial.problem, check_ms=milliseconds)


def listing(connection: Connection, *, key: str | None = None) -> Trial:
    """The first half: the provider's models. `key`: instead of the one that is stored."""
    from llm_admin.services.execution import run_async

    provider, endpoint = _provider(connection), _endpoint(connection, key=key)
    started = time.perf_counter()
    try:
        models = run_async(_list(provider, endpoint))
    except CallFailed as failure:
        return _failed(failure, _since(started), key)
    return Trial(_since(started), models=models)


def unreadable(connection: Connection) -> str:
    """The field library answers with the cipher text when it cannot decrypt; it must not travel as a key."""
    if connection.secret().startswith("gAAAAA"):
        return "The stored key cannot be read any more, because SECRET_KEY was changed. Enter the key again."
    return ""


def _with_a_call(connection: Connection, trial: Trial) -> Trial:
    """Of a model that people use, or else of the first that the provider lists: that one may be no chat model at all,
    so only a failure of the former says that the connection does not work."""
    if trial.problem or not _provider(connection).supports_chat:
        return trial
    deployment = _deployment(connection)
    names = [name for name in trial.models if not NO_CHAT.search(name.lower())]
    if deployment is None and not names:
        return trial
    call, failure = _call(connection, deployment.provider_model if deployment else names[0], deployment)
    if failure is None or deployment is None:
        return Trial(trial.milliseconds, trial.models, call=call)
    advice = CALL_ADVICE if failure.kind == ErrorKind.BAD_REQUEST else ADVICE.get(failure.kind, OTHER_ADVICE)
    return Trial(trial.milliseconds, trial.models, f"{deployment.provider_model}: {call.problem}", advice, call)


def _deployment(connection: Connection) -> Deployment | None:
    with workspace_scope(connection.workspace):
        rows = Deployment.objects.filter(connection=connection, enabled=True, model__enabled=True)
        return rows.select_related("connection").order_by("priority", "pk").first()


def _call(connection: Connection, model: str, deployment: Deployment | None) -> tuple[TinyCall, CallFailed | None]:
    from llm_admin.services.execution import run_async

    try:
        answered = run_async(_ask(_provider(connection), _endpoint(connection, model)))
    except CallFailed as failure:
        return TinyCall(model, problem=_masked(failure)), failure
    return TinyCall(model, answered.milliseconds, answered.first_ms, _cost(deployment, answered)), None


def _cost(deployment: Deployment | None, answered: Answered) -> int | None:
    from llm_admin.runtime.pricing import cost_nano
    from llm_admin.services.resolving import deployment_plan

    if deployment is None:
        return None
    with workspace_scope(deployment.connection.workspace):
        return cost_nano(deployment_plan(deployment).price, answered.usage)


async def _list(provider: Provider, endpoint: Endpoint) -> list[str]:
    from llm_admin.runtime.probing import names

    try:
        async with asyncio.timeout(TIMEOUT):
            return await names(provider, endpoint)
    except TimeoutError:
        raise CallFailed(ErrorKind.TIMEOUT, f"no answer within {TIMEOUT:.0f} seconds") from None


async def _ask(provider: Provider, endpoint: Endpoint) -> Answered:
    from llm_admin.runtime.probing import ask

    try:
        async with asyncio.timeout(TIMEOUT):
            return await ask(provider, endpoint)
    except TimeoutError:
        raise CallFailed(ErrorKind.TIMEOUT, f"no answer within {TIMEOUT:.0f} seconds") from None


def _provider(connection: Connection) -> Provider:
    from llm_admin.runtime.providers import PROVIDERS

    if connection.provider not in PROVIDERS:
        raise NotFound(f"The provider “{connection.provider}” is not installed here any more.")
    return connections.provider_of(connection.provider)


def _endpoint(connection: Connection, model: str = "", *, key: str | None = None) -> Endpoint:
    from llm_admin.runtime.providers import Endpoint

    return Endpoint(
        provider=connection.provider,
        provider_model=model,
        base_url=connection.base_url,
        api_key=connection.secret() if key is None else key,
        timeout=TIMEOUT,
        first_token_timeout=TIMEOUT,
        options=connection.options,
    )


def _failed(failure: CallFailed, milliseconds: float, key: str | None) -> Trial:
    advice = "" if isinstance(failure, OutgoingRefused) else ADVICE.get(failure.kind, OTHER_ADVICE)
    return Trial(milliseconds, problem=_masked(failure, key), advice=advice)


def _masked(failure: CallFailed, key: str | None = None) -> str:
    words = connection_health.words_of(failure)
    return redactor().text(words.replace(key, "•••") if key else words)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
