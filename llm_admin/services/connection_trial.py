"""Trying a connection: does the provider answer, with this address and this key?"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed, NotFound
from llm_admin.models import Connection
from llm_admin.services import connections

if TYPE_CHECKING:
    from llm_admin.runtime.providers import Endpoint, Provider
    from llm_admin.services.actors import Actor

TIMEOUT = 15.0  # seconds
# For operators, who can do something about it; authors get other words (runtime/errors.py).
ADVICE = {
    ErrorKind.AUTHENTICATION: "Enter the key once more, or check with the provider that it is still valid.",
    ErrorKind.RATE_LIMIT: "Address and key are right. Look at the limits and the credit of your account there.",
    ErrorKind.TIMEOUT: "Check the base URL, and that this machine may reach that server (firewall, proxy).",
    ErrorKind.PROVIDER_DOWN: "Check the base URL (many end in /v1), and that the server runs and answers this machine.",
}
OTHER_ADVICE = "Check the base URL (many end in /v1) and the kind of the connection."


@dataclass(frozen=True)
class Trial:
    """What came of trying a connection. `problem` and `advice` are sentences, "" when it works."""

    milliseconds: float
    models: list[str] = field(default_factory=list)
    problem: str = ""
    advice: str = ""


def try_out(connection: Connection, *, actor: Actor) -> Trial:
    """Asks the provider for its models, as every later call would: same address, same key."""
    actor.require("change_connection")
    if connection.workspace_id != actor.workspace.pk:
        raise NotFound("There is no such connection in this workspace.")
    if problem := connections.missing_variable(connection) or _unreadable(connection):
        return Trial(0, problem=problem)
    started = time.perf_counter()
    try:
        models = _list_models(connection)
    except CallFailed as failure:
        return _failed(failure, _since(started))
    return Trial(_since(started), models=models)


def _list_models(connection: Connection) -> list[str]:
    from llm_admin.runtime.providers import PROVIDERS
    from llm_admin.services.execution import run_async

    if connection.provider not in PROVIDERS:
        raise NotFound(f"The provider “{connection.provider}” is not installed here any more.")
    return run_async(_ask(connections.provider_of(connection.provider), _endpoint(connection)))


async def _ask(provider: Provider, endpoint: Endpoint) -> list[str]:
    try:
        async with asyncio.timeout(TIMEOUT):
            return await provider.list_models(endpoint)
    except TimeoutError:
        raise CallFailed(ErrorKind.TIMEOUT, f"no answer within {TIMEOUT:.0f} seconds") from None


def _endpoint(connection: Connection) -> Endpoint:
    from llm_admin.runtime.providers import Endpoint

    return Endpoint(
        provider=connection.provider,
        provider_model="",
        base_url=connection.base_url,
        api_key=connection.secret(),
        timeout=TIMEOUT,
        first_token_timeout=TIMEOUT,
        options=connection.options,
    )


def _failed(failure: CallFailed, milliseconds: float) -> Trial:
    from llm_admin.services.secrets import redactor

    detail = redactor().text(failure.detail)
    problem = f"{failure.kind.label}: {detail}" if detail else failure.kind.label
    return Trial(milliseconds, problem=problem.rstrip(".") + ".", advice=ADVICE.get(failure.kind, OTHER_ADVICE))


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _unreadable(connection: Connection) -> str:
    """The field library answers with the cipher text when it cannot decrypt; it must not travel as a key."""
    if connection.secret().startswith("gAAAAA"):
        return "The stored key cannot be read any more, because SECRET_KEY was changed. Enter the key again."
    return ""
