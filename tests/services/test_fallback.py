"""A model with several deployments over real HTTP: who answers when one refuses, hangs, breaks off, or says wait."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter

import pytest
from django.db import connections as databases
from django.urls import reverse

from llm_admin import RunFailed, run_prompt
from llm_admin.choices import Role
from llm_admin.jobs.writer import WRITER
from llm_admin.models import Connection, Deployment, InteractionLog, LanguageModel
from llm_admin.services import connection_health, routes
from tests import factories
from tests.servers.openai_server import OpenAIServer

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "sk-proj-PLANTED0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="module")
def server():
    with OpenAIServer() as made:
        yield made


@pytest.fixture
def ask(scope, server, settings):
    """ask("503", "words") -> a run whose model has deployments of these names, in this priority."""
    settings.LLM_ADMIN = {**settings.LLM_ADMIN, "FIRST_TOKEN_TIMEOUT": 1, "CALL_TIMEOUT": 20}
    where = {"provider": "openai", "base_url": server.base_url, "api_key": KEY}
    connection = Connection.objects.create(workspace=scope, name="Local server", **where)
    model = LanguageModel.objects.create(workspace=scope, alias="local", name="Local")
    prompt = factories.prompt(scope)

    def go(*names, **details):
        if list(model.deployments.values_list("provider_model", flat=True)) != list(names):
            model.deployments.all().delete()
            for place, name in enumerate(names, start=1):
                Deployment.objects.create(model=model, connection=connection, provider_model=name, priority=place)
        return run_prompt(prompt.slug, {"topic": "rain"}, model="local")

    routes.forget()
    return go


def deployments():
    return Deployment.objects.filter(model__alias="local").order_by("priority")


def tried(log):
    return [(one["deployment"].split(" at ")[0], one["error_kind"]) for one in log.tried or []]


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        ("503", "provider_down"),
        ("401", "authentication"),
        ("429", "rate_limit"),
        ("404", "bad_request"),
        ("hang", "timeout"),
        ("cut-at-once", "provider_down"),
        ("html-502", "provider_down"),
        ("context", "context_too_long"),
    ],
)
def test_the_next_deployment_answers(ask, first, kind):
    result = ask(first, "words")
    assert len(result.output.split()) == 20
    log = InteractionLog.objects.get()
    assert log.status == "succeeded"
    assert Deployment.objects.get(pk=log.deployment_id).provider_model == "words"
    assert tried(log) == [(first, kind)]


@pytest.mark.parametrize("first", ["cut", "stall", "error-in-stream"])
def test_an_answer_that_broke_off_is_not_silently_begun_again(ask, first):
    with pytest.raises(RunFailed) as caught:
        ask(first, "words")
    assert "not begun anew, because a part of the answer had been shown" in str(caught.value)
    log = InteractionLog.objects.get()
    assert (log.status, log.tried) == ("failed", None)
    assert Deployment.objects.get(pk=log.deployment_id).provider_model == first


def test_all_attempts_are_in_the_log_when_nobody_answers(ask):
    with pytest.raises(RunFailed):
        ask("503", "429", "500")
    assert tried(InteractionLog.objects.get()) == [("503", "provider_down"), ("429", "rate_limit")]


def test_a_busy_provider_is_asked_again_after_what_it_said(ask, settings):
    """The test server says 7 seconds: with four left there is no use in waiting."""
    settings.LLM_ADMIN = {**settings.LLM_ADMIN, "CALL_RETRIES": 2, "CALL_TIMEOUT": 4}
    with pytest.raises(RunFailed, match="takes no more requests"):
        ask("429")
    assert InteractionLog.objects.get().tried is None


def test_a_deployment_that_fails_again_and_again_rests_and_is_tried_after_it(ask, settings, server):
    settings.LLM_ADMIN = {**settings.LLM_ADMIN, "COOL_DOWN_FAILURES": 2, "COOL_DOWN_SECONDS": 2}
    for _ in range(4):
        ask("503", "words")
    assert [tried(log) for log in InteractionLog.objects.order_by("id")] == [[("503", "provider_down")]] * 2 + [[], []]
    first = deployments().first()
    routes.state.set_rest(first.pk, routes.Rest(2, 1.0, 0))  # its rest is over
    routes.forget()
    Deployment.objects.filter(pk=first.pk).update(provider_model="echo")
    first.save(update_fields=["weight"])
    ask("echo", "words")
    log = InteractionLog.objects.order_by("id").last()
    assert Deployment.objects.get(pk=log.deployment_id).provider_model == "echo", "the probe found it well"
    assert routes.state.rest_of(first.pk) == routes.WELL


def test_what_calls_find_out_is_the_connection_s_health(ask, server):
    def health():
        WRITER.write_sync(lambda: None)  # what was posted before is stored now
        return Connection.objects.values_list("healthy", "problem").get(name="Local server")

    assert health() == (None, "")
    connection_health.forget()
    with pytest.raises(RunFailed):
        ask("401")
    healthy, problem = health()
    assert (healthy, problem.split(":")[0]) == (False, "Key refused")
    assert KEY not in problem
    time.sleep(connection_health.APART)
    ask("words")
    assert health() == (True, "")


def test_calls_that_go_well_store_no_news(ask, monkeypatch):
    connection_health.forget()
    stored = []
    monkeypatch.setattr(connection_health, "store", lambda *_, **news: stored.append(news))
    for _ in range(5):
        ask("words")
    WRITER.write_sync(lambda: None)
    assert stored == [{"healthy": True, "problem": ""}]


def test_a_place_that_is_deleted_while_it_answers(ask, server, member, login):
    """The answer arrives, and its pages do without the place's name."""
    before = len(server.requests)

    def delete():
        server.wait_for(before + 1)
        Deployment._base_manager.all().delete()
        databases.close_all()
        server.release(99)

    deleting = threading.Thread(target=delete)
    deleting.start()
    result = ask("gate", "words")
    deleting.join()
    assert result.ok
    log = InteractionLog.objects.get()
    assert (log.status, Deployment.objects.filter(pk=log.deployment_id).exists()) == ("succeeded", False)
    operator = login(member(Role.OPERATOR))
    for page in (
        reverse("admin:llm_admin_interactionlog_change", args=[log.pk]),
        reverse("admin:llm_admin_interactionlog_changelist"),
        reverse("admin:llm_admin_run_change", args=[log.run_id]),
    ):
        assert operator.get(page).status_code == 200, page


def test_weights_share_the_calls(ask, scope):
    ask("words", "echo")
    heavy, light = deployments()
    Deployment.objects.filter(pk=heavy.pk).update(priority=1, weight=70)
    light.priority, light.weight = 1, 30
    light.save()
    InteractionLog.objects.all().delete()
    random.seed(11)
    for _ in range(60):
        ask("words", "echo")
    shares = Counter(InteractionLog.objects.values_list("deployment_id", flat=True))
    assert shares[heavy.pk] > shares[light.pk] > 5
