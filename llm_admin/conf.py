"""The `LLM_ADMIN` setting as one typed, validated object: `conf.settings()`.

Only what an operator sets at deployment lives here; what a running team changes is on the workspace settings page.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_network
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from pydantic import BaseModel, ConfigDict, Field, field_validator

HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[\w.-]+):(?P<port>\d{1,5})")


def split_port(entry: str) -> tuple[str, int | None]:
    """Of a host, host:port, address, [address]:port or range."""
    if match := HOST_AND_PORT.fullmatch(entry.strip()):
        return match["host"].strip("[]"), int(match["port"])
    return entry.strip().strip("[]"), None


class Settings(BaseModel):
    """Every key of LLM_ADMIN, its type, default and meaning (docs/configuration.md is made from this)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    CALL_TIMEOUT: float = Field(
        default=120, gt=0, description="Seconds that one model call may take in all, before it fails as *timeout*."
    )
    FIRST_TOKEN_TIMEOUT: float = Field(
        default=60,
        gt=0,
        description="Seconds to wait for the next piece of an answer (the first one included) before *timeout*.",
    )
    CALL_RETRIES: int = Field(
        default=2,
        ge=0,
        description="How often all deployments of a model are tried again, after a pause, when each was busy or down.",
    )
    COOL_DOWN_FAILURES: int = Field(
        default=3, ge=1, description="After so many failures in a row a deployment rests, if the model has others."
    )
    COOL_DOWN_SECONDS: float = Field(
        default=30,
        gt=0,
        description="How long it rests the first time; twice as long each time that the probe afterwards fails, "
        "up to ten minutes.",
    )
    LEASE_SECONDS: float = Field(
        default=10,
        ge=1,
        description="How long a process may be silent before its running runs count as *interrupted*. "
        "Leases are renewed three times in this span.",
    )
    CHECKPOINT_SECONDS: float = Field(
        default=0.5, gt=0, description="While an answer streams, what has arrived is stored at most this often."
    )
    STREAM_COALESCE_MS: int = Field(
        default=25, ge=0, description="Tokens that arrive within this many milliseconds travel to the page together."
    )
    STREAM_COALESCE_BUSY_MS: int = Field(
        default=50, ge=0, description="The same, while more than 300 answers stream in this process."
    )
    MAX_INPUT_CHARACTERS: int = Field(
        default=2_000_000, ge=1_000, description="Largest text of one input or message, in characters."
    )
    RUN_CONCURRENCY: int = Field(
        default=1_000, ge=1, description="Runs that one process executes at the same time; more wait their turn."
    )
    MAIL_FROM: str = Field(
        default="",
        description="The sender of mails: about approvals, to the owners of budgets, from monitors. "
        "Empty: none are sent.",
    )
    PUBLIC_URL: str = Field(
        default="http://127.0.0.1:8000", description="Where people reach this console: what links in mails begin with."
    )
    ANSWER_CACHE: str = Field(
        default="default",
        description="The name in Django's CACHES of the cache that keeps answers. Several processes share what they "
        "keep only when it is one outside of them, such as Redis.",
    )
    ANSWER_CACHE_CHARACTERS: int = Field(
        default=200_000, ge=1_000, description="Longer answers are not kept in the cache, in characters."
    )
    METRICS_TOKEN: str = Field(
        default="",
        pattern=r"^(\S{16,})?$",
        description="What Prometheus sends to read `/metrics` (as a bearer token), at least 16 characters. Empty: only "
        "signed-in operators may.",
    )
    EXTRA_SECRETS: list[str] = Field(
        default_factory=list,
        description="Further values (besides every connection's key) that are masked wherever text is stored.",
    )
    OUTGOING_PRIVATE_HOSTS: list[str] = Field(
        default_factory=list,
        description="Hosts inside your own network that connections and webhooks may reach, such as "
        "`localhost:11434` for Ollama: hosts, host:port, addresses, or ranges such as `10.0.0.0/8`. "
        "Everything else there is refused: loopback, "
        "private and link-local addresses, however they are written and whatever name leads to them.",
    )

    @field_validator("OUTGOING_PRIVATE_HOSTS")
    @classmethod
    def _are_hosts(cls, entries: list[str]) -> list[str]:
        for entry in entries:
            host, _ = split_port(entry)
            if "/" in host or ":" in host:
                ip_network(host, strict=False)  # raises ValueError that says what is wrong with it
            elif not re.fullmatch(r"[\w.-]+", host):
                raise ValueError(f"“{entry}” is no host, host:port, address or range.")
        return entries


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Raises pydantic.ValidationError; the system check llm_admin.E001 shows each problem with its key."""
    raw: dict[str, Any] = getattr(django_settings, "LLM_ADMIN", {})
    return Settings.model_validate(raw)


def _forget(*, setting: str, **_: object) -> None:
    if setting == "LLM_ADMIN":
        settings.cache_clear()


setting_changed.connect(_forget, dispatch_uid="llm_admin.conf")
