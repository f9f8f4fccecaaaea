"""System checks: what is misconfigured, and what to do about it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from pydantic import ValidationError

from llm_admin import conf
from llm_admin.schemas.base import problems_of

BACKEND = "llm_admin.auth.WorkspaceBackend"
NO_REDIS = "Install it with: pip install 'redis>=6.4', or take CACHE_URL away."
MIDDLEWARE = "llm_admin.middleware.WorkspaceMiddleware"


@register(Tags.compatibility)
def check_llm_admin_setting(**_: Any) -> list[CheckMessage]:
    try:
        conf.settings()
    except ValidationError as error:
        known = ", ".join(conf.Settings.model_fields)
        return [
            Error(
                f"LLM_ADMIN: {problem}", hint=f"Correct it in your settings. Known keys: {known}.", id="llm_admin.E001"
            )
            for problem in problems_of(error)
        ]
    return []


@register(Tags.caches)
def check_answer_cache(**_: Any) -> list[CheckMessage]:
    name = getattr(django_settings, "LLM_ADMIN", {}).get("ANSWER_CACHE", "default")
    if name in django_settings.CACHES:
        return []
    hint = f'Add "{name}" to CACHES, or name one of: {", ".join(django_settings.CACHES)}.'
    return [Error(f"LLM_ADMIN: ANSWER_CACHE names no cache: “{name}”.", hint=hint, id="llm_admin.E005")]


@register(Tags.caches)
def check_redis(**_: Any) -> list[CheckMessage]:
    backends = {str(cache.get("BACKEND", "")) for cache in django_settings.CACHES.values()}
    if "django.core.cache.backends.redis.RedisCache" not in backends or find_spec("redis"):
        return []
    return [Error("A cache is in Redis, but its client is not installed.", hint=NO_REDIS, id="llm_admin.E006")]


@register(Tags.security)
def check_backend(**_: Any) -> list[CheckMessage]:
    if BACKEND in django_settings.AUTHENTICATION_BACKENDS:
        return []
    hint = f'Add "{BACKEND}" to AUTHENTICATION_BACKENDS: roles of members are read there.'
    return [Error("Nobody but superusers can use the console.", hint=hint, id="llm_admin.E002")]


@register(Tags.security)
def check_middleware(**_: Any) -> list[CheckMessage]:
    order = list(django_settings.MIDDLEWARE)
    authentication = "django.contrib.auth.middleware.AuthenticationMiddleware"
    if MIDDLEWARE in order and authentication in order and order.index(authentication) < order.index(MIDDLEWARE):
        return []
    hint = f'Put "{MIDDLEWARE}" after "{authentication}" in MIDDLEWARE.'
    return [Error("No page of the console would know its workspace.", hint=hint, id="llm_admin.E003")]


@register(Tags.security)
def check_salt(**_: Any) -> list[CheckMessage]:
    if getattr(django_settings, "SALT_KEY", None):
        return []
    hint = "Set SALT_KEY to a constant text (or a list of them): connection keys are encrypted with it and SECRET_KEY."
    return [Error("Connection keys cannot be encrypted.", hint=hint, id="llm_admin.E004")]


@register(Tags.database)
def check_sqlite(**_: Any) -> list[CheckMessage]:
    database = django_settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        return []
    if database.get("OPTIONS", {}).get("transaction_mode") == "IMMEDIATE":
        return []
    hint = 'Set DATABASES["default"]["OPTIONS"]["transaction_mode"] = "IMMEDIATE", and a "timeout" of some seconds.'
    return [Warning("SQLite may answer “database is locked” under load.", hint=hint, id="llm_admin.W001")]
