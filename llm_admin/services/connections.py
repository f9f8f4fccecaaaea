"""Connections: accounts with providers. A key goes in here and never comes out again."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from llm_admin import outgoing
from llm_admin.exceptions import Conflict, InvalidInput, Problem
from llm_admin.models import Connection
from llm_admin.services import connection_health
from llm_admin.services.connection_health import note_outcome as note_outcome
from llm_admin.services.validation import clean
from llm_admin.tenancy import workspace_scope

if TYPE_CHECKING:
    from llm_admin.runtime.providers import Provider
    from llm_admin.services.actors import Actor

# What must never be sent to somebody's server, although it stands in our environment.
OWN_VARIABLES = re.compile(
    r"^(?:SECRET_KEY.*|SALT_KEY|DJANGO_.*|DATABASE.*|REDIS.*|CELERY.*|PG[A-Z]+|AWS_SECRET_ACCESS_KEY|.*PASSW(?:OR)?D.*"
    r"|.*_(?:URL|URI|DSN)|ALLOWED_HOSTS|CSRF_.*|DEBUG|PATH|HOME|USER|SHELL|LANG|PWD|TERM|HOSTNAME|PYTHON.*)$"
)


def provider_choices() -> list[tuple[str, str]]:
    from llm_admin.runtime.providers import PROVIDERS

    return [(name, provider_of(name).title) for name in PROVIDERS.names()]


def provider_label(name: str) -> str:
    from llm_admin.runtime.providers import PROVIDERS

    return provider_of(name).title if name in PROVIDERS else f"{name} (not installed)"


def save(connection: Connection, *, actor: Actor, key: str = "", remove_key: bool = False) -> Connection:
    """Stores the (unsaved) object's fields. An empty `key` keeps the stored one. Raises InvalidInput."""
    actor.require("change_connection" if connection.pk else "add_connection")
    if not connection.pk:
        connection.workspace = actor.workspace
    with workspace_scope(actor.workspace), transaction.atomic():
        stored = _stored(connection)
        connection.base_url = connection.base_url.strip().rstrip("/")
        if problems := check(connection, key=key, remove_key=remove_key):
            raise InvalidInput(problems)
        if connection.api_key_env or remove_key:
            connection.api_key = None
        else:
            connection.api_key = key.strip() or (stored.api_key if stored else None)
        _note_change(connection, stored)
        clean(connection, exclude={"base_url", "api_key"})
        connection.save()
    return connection


def _note_change(connection: Connection, stored: Connection | None) -> None:
    """Another key or address: what was known of its health is known no longer."""
    key_before = (stored.api_key, stored.api_key_env) if stored else (None, "")
    if (connection.api_key, connection.api_key_env) != key_before:
        connection.key_changed_at = timezone.now()
    elif stored is None or _place(stored) == _place(connection):
        return
    connection.healthy = connection.checked_at = connection.check_ms = None
    connection.problem = ""
    connection_health.forget(connection.pk)
    if connection.pk:
        connection_health.wake(connection.pk)


def _place(connection: Connection) -> tuple[Any, ...]:
    return connection.provider, connection.base_url, connection.options


def check(connection: Connection, *, key: str = "", remove_key: bool = False) -> list[Problem]:
    """What is wrong with these values, beside the fields' own rules; open the scope around it."""
    from llm_admin.runtime.providers import PROVIDERS

    if connection.provider not in PROVIDERS:
        known = ", ".join(PROVIDERS.names())
        return [Problem(("provider",), f"There is no provider “{connection.provider}”. Known: {known}.")]
    return [
        *_check_name(connection),
        *_check_address(connection.base_url.strip()),
        *_check_key(connection, key.strip(), remove_key=remove_key),
    ]


def _check_name(connection: Connection) -> list[Problem]:
    """The table's constraint says it too, but a form without the workspace does not ask it."""
    if Connection.objects.filter(name=connection.name).exclude(pk=connection.pk).exists():
        return [Problem(("name",), "There is a connection of this name already.")]
    return []


def _check_address(url: str) -> list[Problem]:
    if not url:
        return []
    place = ("base_url",)
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return [Problem(place, "This is no web address. It begins with http:// or https://.")]
    if parts.username or parts.password or parts.query or parts.fragment:
        return [Problem(place, "Only the address: no user name, password, “?” or “#”. A key has its own field.")]
    refused = outgoing.problem_of(url)
    return [Problem(place, refused)] if refused else []


def _check_key(connection: Connection, key: str, *, remove_key: bool) -> list[Problem]:
    variable = connection.api_key_env
    if key and (variable or remove_key):
        other = "the name of a variable" if variable else "“Remove the stored key”"
        return [Problem(("key",), f"Give either a key or {other}, not both.")]
    if variable:
        return _check_variable(variable)
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        return [Problem(("key",), "This key holds spaces or characters that no key has. Copy it once more.")]
    stored = _stored(connection)
    keeps = bool(stored and stored.api_key) and not remove_key
    if not key and keeps and stored and _origin(stored) != _origin(connection):
        return [Problem(("key",), "The address changed. Enter the key again: a stored key goes to no other server.")]
    provider = provider_of(connection.provider)
    if provider.needs_key and not connection.base_url and not key and not keeps:
        return [Problem(("key",), f"{provider.label} needs a key here, or a variable that holds it.")]
    return []


def _check_variable(name: str) -> list[Problem]:
    if OWN_VARIABLES.match(name):
        words = f"{name} belongs to this server and is sent to nobody. Name a variable that holds a provider's key."
        return [Problem(("api_key_env",), words)]
    return []


def missing_variable(connection: Connection) -> str:
    """A sentence when the variable that should hold the key is not there, else ""."""
    name = connection.api_key_env
    if not name or os.environ.get(name):
        return ""
    return f"The variable {name} is not set in the environment of this server. Set it and start the server again."


def delete(connection: Connection, *, actor: Actor) -> None:
    """Raises Conflict while a model runs on it."""
    actor.require("delete_connection")
    with workspace_scope(actor.workspace):
        try:
            connection.delete()
        except ProtectedError:
            names = sorted({one.model.name for one in connection.deployments.select_related("model")})
            raise Conflict(
                f"“{connection}” is used by {', '.join(names)}. Let them run on another connection first."
            ) from None


def provider_of(name: str) -> Provider:
    from llm_admin.runtime.providers import get_provider

    return get_provider(name)


def _stored(connection: Connection) -> Connection | None:
    return Connection.objects.filter(pk=connection.pk).first() if connection.pk else None


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is no number
    except ValueError:
        return None
    return parts


def _origin(connection: Connection) -> tuple[Any, ...]:
    """Which server gets the key."""
    provider = connection.provider
    parts = _split(connection.base_url.strip() or provider_of(provider).default_base_url)
    return (provider, parts.scheme, parts.hostname, parts.port) if parts else (provider,)
