"""LLM_ADMIN as a typed object, and the page that is made from it."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import override_settings
from pydantic import ValidationError

from llm_admin import conf

ROOT = Path(__file__).resolve().parent.parent
GENERATOR = ROOT / "bin" / "_docs_config.py"


def test_defaults():
    assert conf.settings().CALL_TIMEOUT == 120
    assert conf.settings().EXTRA_SECRETS == []


def test_a_changed_setting_is_read_at_once():
    before = conf.settings()
    with override_settings(LLM_ADMIN={"CALL_TIMEOUT": 5}):
        assert conf.settings().CALL_TIMEOUT == 5
        assert conf.settings().LEASE_SECONDS == before.LEASE_SECONDS
    assert conf.settings().CALL_TIMEOUT == 120


def test_it_is_read_once():
    assert conf.settings() is conf.settings()


@pytest.mark.parametrize("value", [{"CALL_TIMEOUT": 0}, {"UNKNOWN": 1}, {"STREAM_COALESCE_MS": -1}])
def test_nonsense_is_refused_loudly(settings, value):
    settings.LLM_ADMIN = value
    with pytest.raises(ValidationError):
        conf.settings()


def test_it_cannot_be_changed_by_accident():
    with pytest.raises(ValidationError):
        conf.settings().CALL_TIMEOUT = 1


# ---- docs/configuration.md


def test_the_page_is_up_to_date():
    done = subprocess.run([sys.executable, GENERATOR, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_key_and_variable_has_a_meaning():
    page = runpy.run_path(str(GENERATOR))["page"]()
    for name, field in conf.Settings.model_fields.items():
        assert f"| `{name}` |" in page
        assert len(field.description) > 20
    for name in ("SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "DATABASE_URL"):
        assert f"| `{name}` |" in page
    assert all(line.count("|") == 5 or line.count("|") == 4 for line in page.splitlines() if line.startswith("|"))


def test_a_variable_without_a_meaning_is_noticed():
    generator = runpy.run_path(str(GENERATOR))
    with pytest.raises(SystemExit, match="NEW_ONE"):
        generator["_described"](generator["VARIABLES"], generator["read_variables"]() | {"NEW_ONE": "x"})
