"""Runs against a local OpenAI-compatible server over real HTTP: right tokens, each failure in its own words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from llm_admin import RunFailed, run_prompt
from llm_admin.models import (
    Connection,
    Deployment,
    DeploymentPrice,
    InteractionLog,
    InteractionText,
    LanguageModel,
    Run,
)
from tests import factories
from tests.servers.openai_server import Behaviour, OpenAIServer

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "sk-proj-PLANTED0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="module")
def server():
    with OpenAIServer() as made:
        yield made


@pytest.fixture
def run(scope, server, settings):
    """run("429") asks the server's model of that name."""
    settings.LLM_ADMIN = {**settings.LLM_ADMIN, "CALL_TIMEOUT": 60, "FIRST_TOKEN_TIMEOUT": 60}
    connection = Connection.objects.create(
        workspace=scope, name="Local server", provider="openai", base_url=server.base_url, api_key=KEY
    )
    model = LanguageModel.objects.create(workspace=scope, alias="local", name="Local")
    deployment = Deployment.objects.create(model=model, connection=connection, provider_model="words")
    DeploymentPrice.objects.create(
        deployment=deployment, input_per_million=Decimal("0.15"), output_per_million=Decimal("0.6")
    )
    prompt = factories.prompt(scope)

    def start(name: str):
        Deployment.objects.filter(pk=deployment.pk).update(provider_model=name)
        deployment.save(update_fields=["weight"])  # a signal: the cached model is forgotten
        return run_prompt(prompt.slug, {"topic": "rain"}, model="local")

    return start


def test_tokens_and_cost_are_the_providers_tokens_times_the_price(run, server):
    result = run("words")
    log = InteractionLog.objects.get()
    assert result.output == InteractionText.objects.get(log_id=log.pk).answer
    assert len(result.output.split()) == 20
    assert log.output_tokens == 20
    assert log.cost_nano == log.input_tokens * 150 + 20 * 600
    assert log.first_token_ms is not None


def test_without_usage_tokens_and_cost_are_unknown(run):
    result = run("no-usage")
    assert result.ok
    assert (result.input_tokens, result.output_tokens, result.cost_nano) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("401", "authentication"),
        ("429", "rate_limit"),
        ("500", "provider_down"),
        ("hang", "timeout"),
        ("cut", "provider_down"),
        ("html", "provider_down"),
        ("404", "bad_request"),
        ("context", "context_too_long"),
    ],
)
def test_each_failure_ends_as_a_failed_run_of_its_kind_with_a_sentence(run, server, settings, name, kind):
    if name == "hang":
        settings.LLM_ADMIN = {**settings.LLM_ADMIN, "CALL_TIMEOUT": 2, "FIRST_TOKEN_TIMEOUT": 1}
        server.script("hang", Behaviour(hang=True))
    if name == "cut":
        server.script("cut", Behaviour(cut_after=5))
    if name == "html":
        server.script("html", Behaviour(body="<!doctype html><html><body>Welcome</body></html>"))
    with pytest.raises(RunFailed) as failure:
        run(name)
    stored = Run.objects.get()
    assert (stored.status, stored.error_kind, InteractionLog.objects.get().error_kind) == ("failed", kind, kind)
    sentence = str(failure.value)
    assert sentence.endswith(".")
    assert "PLANTED" not in sentence
    assert "Traceback" not in sentence


def test_a_connection_that_nobody_answers_is_provider_down(run):
    Connection.objects.filter(name="Local server").update(base_url="http://127.0.0.1:9/v1")
    with pytest.raises(RunFailed) as failure:
        run("words")
    assert failure.value.result.error_kind == "provider_down"
    assert "Local server" in str(failure.value)
