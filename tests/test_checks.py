"""System checks: each misconfiguration is named, with what to do; a right configuration is silent."""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings
from django.core.checks import run_checks

from llm_admin import checks
from llm_admin.conf import Settings


def found(tags=None):
    return {message.id: message for message in run_checks(tags=tags) if (message.id or "").startswith("llm_admin.")}


def test_our_own_settings_are_right(db):
    assert found() == {}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"CALL_TIMEOUTS": 5}, "CALL_TIMEOUTS: This is not known here."),
        ({"CALL_TIMEOUT": 0}, "CALL_TIMEOUT: This must be more than 0"),
        ({"CALL_TIMEOUT": "soon"}, "CALL_TIMEOUT: This must be a number."),
        ({"EXTRA_SECRETS": "one"}, "EXTRA_SECRETS: This must be a list."),
        ({"RUN_CONCURRENCY": 0}, "RUN_CONCURRENCY: This must be at least 1"),
    ],
)
def test_e001_names_the_key(settings, value, words):
    settings.LLM_ADMIN = value
    error = found()["llm_admin.E001"]
    assert words in error.msg
    assert "CALL_TIMEOUT" in error.hint
    assert error.is_serious()


def test_e001_names_every_problem(settings):
    settings.LLM_ADMIN = {"NONSENSE": 1, "CALL_TIMEOUT": -1}
    messages = [message for message in run_checks() if message.id == "llm_admin.E001"]
    assert len(messages) == 2
    assert all(name in messages[0].hint for name in Settings.model_fields)


def test_e005_the_cache_of_answers_exists(settings):
    settings.LLM_ADMIN = {"ANSWER_CACHE": "nowhere"}
    assert "nowhere" in found()["llm_admin.E005"].msg
    settings.LLM_ADMIN = {"ANSWER_CACHE": "default"}
    assert "llm_admin.E005" not in found()


def test_e006_redis_needs_its_client(settings, monkeypatch):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://x"}}
    assert "llm_admin.E006" not in found()
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    assert "pip install" in found()["llm_admin.E006"].hint


def test_e002_roles_need_the_backend(settings):
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    assert "llm_admin.auth.WorkspaceBackend" in found()["llm_admin.E002"].hint


OURS = "llm_admin.middleware.WorkspaceMiddleware"


@pytest.mark.parametrize("order", ["missing", "first"])
def test_e003_the_middleware_comes_after_authentication(settings, order):
    without = [name for name in django_settings.MIDDLEWARE if name != OURS]
    settings.MIDDLEWARE = without if order == "missing" else [OURS, *without]
    assert OURS in found()["llm_admin.E003"].hint


def test_e004_keys_need_a_salt(settings):
    del settings.SALT_KEY
    assert "SALT_KEY" in found()["llm_admin.E004"].hint


def database(**options):
    return {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "OPTIONS": options}}


@pytest.mark.parametrize(
    ("databases", "warned"),
    [
        (database(), True),
        (database(transaction_mode="DEFERRED"), True),
        (database(transaction_mode="IMMEDIATE"), False),
        ({"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "x"}}, False),
    ],
)
def test_w001_sqlite_locks_at_once(monkeypatch, databases, warned):
    from llm_admin.checks import check_sqlite

    monkeypatch.setattr(django_settings, "DATABASES", databases)
    messages = check_sqlite()
    assert [message.id for message in messages] == (["llm_admin.W001"] if warned else [])
    assert all("IMMEDIATE" in message.hint and not message.is_serious() for message in messages)
