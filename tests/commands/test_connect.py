"""manage.py connect: what it makes, that it may be repeated, and one sentence for everything else."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from llm_admin.management.commands.connect import Command
from llm_admin.models import Connection, Deployment, DeploymentPrice, LanguageModel, Workspace
from llm_admin.services.resolving import load_model
from llm_admin.tenancy import workspace_scope
from tests import factories

pytestmark = pytest.mark.usefixtures("scope")
LOCAL = {"name": "Local", "base_url": "http://localhost:11434/v1", "model": "llama", "alias": "fast"}
PRICES = {"input_price": "0.15", "output_price": "0.6"}


def connect(provider="openai", **options):
    """(stdout, stderr)"""
    out, err = StringIO(), StringIO()
    given = [f"--{name.replace('_', '-')}={value}" for name, value in (LOCAL | options).items() if value is not None]
    flags = [one.removesuffix("=True") for one in given]
    call_command("connect", provider, *flags, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def counts():
    return [model.objects.count() for model in (Connection, LanguageModel, Deployment, DeploymentPrice)]


def test_a_model_that_can_be_called(workspace):
    out, _ = connect(**PRICES)
    plan = load_model(workspace.pk, "fast").deployments[0]
    assert (plan.provider, plan.provider_model) == ("openai", "llama")
    assert (plan.connection, plan.base_url) == ("Local", "http://localhost:11434/v1")
    assert (plan.price.input, plan.price.output) == (Decimal("0.15"), Decimal("0.6"))
    assert "Connection “Local” created." in out
    assert "Model “fast” created." in out
    assert "$0.15 in, $0.60 out" in out


def test_a_second_time_changes_nothing():
    connect(**PRICES, default=True)
    before = counts()
    out, _ = connect(**PRICES, default=True)
    assert out == "Nothing to change: it is connected like this already.\n"
    assert counts() == before


def test_what_changed_is_updated_by_name_and_alias(workspace):
    connect(**PRICES)
    before = counts()
    out, _ = connect(model="llama-2", base_url="http://localhost:9/v1", input_price="0.2", output_price="0.6")
    plan = load_model(workspace.pk, "fast").deployments[0]
    assert (plan.provider_model, plan.base_url) == ("llama-2", "http://localhost:9/v1")
    assert plan.price.input == Decimal("0.2")
    assert counts() == [*before[:3], before[3] + 1]  # the earlier price stays: logs refer to it
    assert "Connection “Local” updated." in out


def test_what_is_not_said_stays(monkeypatch):
    monkeypatch.setenv("LOCAL_KEY", "k")
    connect(api_key_env="LOCAL_KEY")
    connect(base_url=None)
    connection = Connection.objects.get(name="Local")
    assert (connection.base_url, connection.api_key_env) == ("http://localhost:11434/v1", "LOCAL_KEY")


def test_a_model_that_was_off_is_on_again():
    connect()
    LanguageModel.objects.filter(alias="fast").update(enabled=False)
    assert "switched on" in connect()[0]
    assert LanguageModel.objects.get(alias="fast").enabled


def test_default(workspace):
    connect()
    assert Workspace.objects.get().default_model.alias == "demo"
    connect(default=True)
    assert Workspace.objects.get().default_model.alias == "fast"


def test_another_workspace(workspace):
    other = factories.workspace()
    connect(workspace=other.slug)
    assert not LanguageModel.objects.filter(alias="fast").exists()
    with workspace_scope(other):
        assert LanguageModel.objects.filter(alias="fast").exists()


def test_a_variable_that_is_missing_is_a_warning(monkeypatch):
    monkeypatch.delenv("NOBODY_SET_THIS_KEY", raising=False)
    _, err = connect(api_key_env="NOBODY_SET_THIS_KEY")
    assert "NOBODY_SET_THIS_KEY is not set" in err
    assert Connection.objects.filter(name="Local").exists()


@pytest.mark.parametrize(
    ("provider", "options", "words"),
    [
        ("nobody", {}, "PROVIDER: There is no provider “nobody”. Known: fake, openai, anthropic, google, huggingface."),
        ("openai", {"base_url": None}, "--api-key-env: OpenAI or compatible needs a key"),
        ("openai", {"base_url": "localhost:11434"}, "--base-url: This is no web address"),
        ("openai", {"api_key_env": "SECRET_KEY"}, "--api-key-env: SECRET_KEY belongs to this server"),
        ("openai", {"api_key_env": "lower"}, "--api-key-env: Capital letters"),
        ("openai", {"alias": "Fast!"}, "--alias: Small letters"),
        ("openai", {"model": " "}, "--model: This field cannot be blank."),
        ("openai", {"input_price": "1"}, "Give both prices or none"),
        ("openai", {"input_price": "cheap", "output_price": "1"}, "“cheap” is no price"),
        ("openai", {"input_price": "-1", "output_price": "1"}, "--input-price: Ensure this value is greater"),
        ("openai", {"input_price": "nan", "output_price": "1"}, "is no price"),
        ("openai", {"alias": "demo"}, "“demo” runs on “Demo (no AI)” already"),
        ("openai", {"workspace": "nowhere"}, "There is no workspace “nowhere”."),
    ],
)
def test_one_sentence_and_nothing_is_changed(provider, options, words):
    before = counts()
    with pytest.raises(CommandError) as refused:
        connect(provider, **options)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.returncode == 1
    assert counts() == before


def test_a_shell_sees_a_sentence_about_a_price_too(capsys):
    """From a shell, a CommandError while arguments are read would be a traceback."""
    argv = ["manage.py", "connect", "openai", "--name=Local", "--model=llama", "--alias=fast", "--input-price=cheap"]
    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(argv)
    assert ended.value.code == 2
    assert "--input-price: “cheap” is no price; write dollars" in capsys.readouterr().err


def test_a_name_and_a_model_are_needed():
    with pytest.raises(CommandError, match="required: --model"):
        connect(model=None)
