"""Answers that are given again: who may have one, and when they are forgotten."""

from __future__ import annotations

import json
import time

import pytest

from llm_admin import RunFailed, arun_prompt, run_prompt, run_workflow
from llm_admin.choices import Role, StoreTexts
from llm_admin.exceptions import CallFailed, PermissionRefused
from llm_admin.models import Connection, Deployment, InteractionLog, LanguageModel, Run, Workspace
from llm_admin.runtime import cache as runtime_cache
from llm_admin.runtime.providers.fake import enqueue, forget
from llm_admin.runtime.providers.fake_script import script
from llm_admin.schemas.outputs import OutputSpec
from llm_admin.schemas.plans import PromptPlan
from llm_admin.schemas.prompts import Parameters, PromptSpec
from llm_admin.services import actors, answers, comparisons, documents, prompts, repeating, workspace_settings
from llm_admin.services.answers import CachedAnswers
from tests import factories
from tests.servers.openai_server import OpenAIServer
from tests.services.test_answer_keys import plan

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = "answers"
ZERO = Parameters(temperature=0)


@pytest.fixture
def says(scope):
    """says("one", "two"): what the demo model answers from now on. Counts what it was asked."""
    for connection in Connection.objects.all():
        connection.options = {"script": SCRIPT}
        connection.save()

    class Says:
        def __call__(self, *texts):
            enqueue(SCRIPT, *texts)

        @property
        def asked(self) -> int:
            return len(script(SCRIPT).requests)

    yield Says()
    forget(SCRIPT)


@pytest.fixture
def change(scope, system):
    """change(cache_answers="always"): the workspace's settings."""
    return lambda **values: workspace_settings.change(Workspace.objects.get(pk=scope.pk), actor=system, **values)


def make(scope, **details) -> str:
    return factories.prompt(scope, spec=factories.chat_spec(**({"parameters": ZERO} | details))).slug


def run(slug: str, topic: str = "rain", **more) -> str:
    return run_prompt(slug, {"topic": topic}, **more).output


def test_the_same_question_is_asked_once_and_logged_as_a_hit(scope, says):
    slug = make(scope)
    says("one", "two")
    assert [run(slug), run(slug)] == ["one", "one"]
    first, hit = InteractionLog.objects.order_by("id")
    assert (first.cached, hit.cached, hit.cost_nano, hit.status) == (False, True, 0, "succeeded")
    assert (hit.input_tokens, hit.output_tokens) == (first.input_tokens, first.output_tokens)
    assert (hit.deployment_id, hit.price_id, hit.prompt_id) == (None, None, first.prompt_id)
    assert says.asked == 1
    assert run(slug, "snow") == "two"


async def test_from_code_and_from_workflows_the_same_answer_comes(scope, says):
    from asgiref.sync import sync_to_async

    slug = await sync_to_async(make)(scope)
    says("one")
    assert (await arun_prompt(slug, {"topic": "rain"})).output == "one"
    assert (await arun_prompt(slug, {"topic": "rain"})).output == "one"
    assert says.asked == 1


def flow(scope, slug: str, **details) -> str:
    step = {"type": "llm", "id": "answer", "prompt": slug, **details}
    spec = {"inputs": [{"name": "topic"}], "steps": [step]}
    return factories.workflow(scope, spec=factories.WorkflowSpec.model_validate(spec)).slug


def test_a_workflow_gets_what_its_prompt_was_answered(scope, says):
    slug = make(scope)
    says("one")
    run(slug)
    assert run_workflow(flow(scope, slug), {"topic": "rain"}).output == "one"
    assert says.asked == 1
    assert [log.cached for log in InteractionLog.objects.order_by("id")] == [False, True]


# ---- which calls
@pytest.mark.parametrize(
    ("mode", "own", "temperature", "kept"),
    [
        ("deterministic", "", 0, True),
        ("deterministic", "", None, False),
        ("deterministic", "", 0.1, False),
        ("deterministic", "never", 0, False),
        ("deterministic", "always", 1, True),
        ("always", "", None, True),
        ("always", "deterministic", 1, False),
        ("always", "never", 0, False),
        ("never", "", 0, False),
        ("never", "deterministic", 0, True),
    ],
)
def test_the_workspace_says_and_a_prompt_may_say_otherwise(scope, says, change, mode, own, temperature, kept):
    change(cache_answers=mode)
    slug = make(scope, parameters=Parameters(temperature=temperature), cache=own)
    says("one", "two")
    run(slug)
    assert run(slug) == ("one" if kept else "two")


def test_the_setting_is_not_sent_and_saved_with_the_version(scope, says):
    slug = make(scope, cache="always")
    says("one")
    run(slug)
    assert Run.objects.get().prompt_version.spec["cache"] == "always"
    assert "cache" not in PromptSpec.model_validate(Run.objects.get().prompt_version.spec).call_parameters()


@pytest.mark.parametrize("name", ["gpt-5-mini", "openai/o3", "o4-mini", "GPT-5"])
def test_a_model_that_ignores_the_temperature_is_not_deterministic(scope, name):
    row, model = Run(workspace=scope, spec={}), plan(provider_model=name)
    assert not CachedAnswers(row).wanted({"temperature": 0}, None, model)
    always = PromptPlan(spec=factories.chat_spec(cache="always"))
    assert CachedAnswers(row).wanted({"temperature": 0}, always, model)


@pytest.mark.parametrize("name", ["gpt-4.1", "gpt-5-chat-latest", "claude-sonnet-4", "llama-o3d", "demo"])
def test_others_are(scope, name):
    assert CachedAnswers(Run(workspace=scope, spec={})).wanted({"temperature": 0}, None, plan(provider_model=name))


def test_where_no_texts_are_kept_no_answers_are(scope, says, change):
    slug = make(scope, cache="always")
    says("one", "two", "three")
    run(slug)
    change(store_texts=StoreTexts.NOTHING)
    assert [run(slug), run(slug)] == ["two", "three"]
    assert not InteractionLog.objects.filter(cached=True).exists()


def test_an_answer_with_a_secret_is_not_kept(scope, says):
    slug = make(scope)
    secret = "the key is sk-proj-PLANTED0123456789abcdefghijklmnop"
    says(secret, "two")
    run(slug)
    assert run(slug) == "two"


@pytest.mark.parametrize("bad", [CallFailed("bad_request", "no"), ["half ", CallFailed("bad_request", "broke")]])
def test_what_failed_is_not_kept(scope, says, bad):
    slug = make(scope)
    says(bad, "whole")
    with pytest.raises(RunFailed):
        run(slug)
    assert run(slug) == "whole"


@pytest.mark.parametrize(("name", "kept"), [("length", False), ("words", True)])
def test_what_was_cut_off_is_not_kept(scope, name, kept):
    with OpenAIServer() as server:
        deployment = Deployment.objects.get()
        deployment.provider_model = name
        deployment.save()
        connection = Connection.objects.get()
        connection.provider, connection.base_url = "openai", server.base_url
        connection.save()
        slug = make(scope)
        run(slug)
        run(slug)
        assert len(server.requests) == (1 if kept else 2)


def test_an_answer_that_could_not_be_used_is_asked_for_anew(scope, says):
    slug = make(scope, output=OutputSpec(format="json"))
    says("no JSON", '{"a": 1}')
    with pytest.raises(RunFailed):
        run(slug)
    assert run(slug) == '{"a": 1}'
    assert run(slug) == '{"a": 1}'
    assert says.asked == 2


def test_a_step_that_is_tried_again_asks_again(scope, says):
    slug = make(scope, output=OutputSpec(format="json"))
    retry = {"retries": 2, "delay": 0}
    says("no JSON", "still none", '{"a": 1}')
    result = run_workflow(flow(scope, slug, failure=retry), {"topic": "rain"})
    assert result.output == '{"a": 1}'
    assert run(slug) == '{"a": 1}'
    assert says.asked == 3


# ---- without the cache
def test_without_the_cache_it_asks_and_the_new_answer_is_kept(scope, says):
    slug = make(scope)
    says("one", "two")
    assert [run(slug), run(slug, cache=False), run(slug)] == ["one", "two", "two"]
    assert [log.cached for log in InteractionLog.objects.order_by("id")] == [False, False, True]


def test_running_again_says_for_itself(scope, says, system):
    slug = make(scope)
    says("one", "two")
    run(slug)
    before = Run.objects.get()
    assert repeating.again(before, actor=system, cache=False).spec["cache"] is False
    assert repeating.again(before, actor=system).spec["cache"] is True


def test_repeating_to_see_the_spread_asks_each_time(scope, system):
    prompt = factories.prompt(scope, spec=factories.chat_spec(parameters=ZERO))
    version = documents.version_of(prompt)
    choice = comparisons.Choice("v1", documents.spec_of(version), version)
    for times, key in ((3, "a" * 8), (1, "b" * 8)):
        made = comparisons.start(prompt, actor=system, choices=[choice], key=key, inputs={"topic": "rain"}, times=times)
        assert {one.spec["cache"] for one in made} == {times == 1}
    deadline = time.monotonic() + 60
    while Run.objects.filter(status__in=("pending", "running")).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# ---- what changes the question
def test_another_text_is_another_question_and_the_old_one_is_known_still(scope, says, system):
    slug = make(scope)
    says("one", "two")
    run(slug)
    prompt = prompts.get(actor=system, slug=slug)
    prompts.save_version(
        prompt, actor=system, spec=factories.chat_spec("New: {{topic}}", parameters=ZERO), publish=True
    )
    assert run(slug) == "two"
    assert run(slug, number=1) == "one"


def test_a_model_that_runs_elsewhere_is_asked_anew(scope, says):
    slug = make(scope)
    says("one", "two", "three", "four")
    run(slug)
    deployment = Deployment.objects.get()
    deployment.provider_model = "demo:words=7"
    deployment.save()
    assert run(slug) == "two"
    Deployment.objects.create(model=deployment.model, connection=deployment.connection, provider_model="demo:words=9")
    assert run(slug) == "three"
    connection = Connection.objects.get()
    connection.base_url = "http://127.0.0.1:9/v1"
    connection.save()
    assert run(slug) == "four"


def test_what_says_nothing_of_the_answer_keeps_it(scope, says):
    slug = make(scope)
    says("one")
    run(slug)
    LanguageModel.objects.update(name="Renamed", description="Better")
    for deployment in Deployment.objects.all():
        deployment.weight, deployment.requests_per_minute = 5, 100
        deployment.save()
    assert run(slug) == "one"


def test_workspaces_never_share(scope, says):
    slug = make(scope)
    says("one")
    run(slug)
    other = factories.workspace()
    from llm_admin.tenancy import workspace_scope

    with workspace_scope(other):
        Connection.objects.update(options={"script": SCRIPT})
        prompts.create(actor=actors.system(other), name="Same", slug=slug, spec=factories.chat_spec(parameters=ZERO))
        says("theirs")
        assert run_prompt(slug, {"topic": "rain"}, workspace=other).output == "theirs"
    assert run(slug) == "one"


def test_it_is_kept_for_as_long_as_the_workspace_says(scope, says, change, monkeypatch):
    change(cache_hours=2)
    slug = make(scope)
    says("one", "two")
    run(slug)
    now = time.time()
    monkeypatch.setattr(runtime_cache.time, "time", lambda: now + 3600)
    assert run(slug) == "one"
    monkeypatch.setattr(runtime_cache.time, "time", lambda: now + 2 * 3600 + 1)
    assert run(slug) == "two"


def test_emptied_it_asks_and_keeps_again(scope, says, system):
    slug = make(scope)
    says("one", "two")
    run(slug)
    answers.empty(scope.pk, actor=system)
    assert [run(slug), run(slug)] == ["two", "two"]


def test_only_who_changes_settings_empties_it(scope, member):
    author = actors.Actor(scope, member(Role.AUTHOR), Role.AUTHOR)
    with pytest.raises(PermissionRefused):
        answers.empty(scope.pk, actor=author)


def test_answers_may_have_a_cache_of_their_own(scope, says, settings):
    from django.core.cache import caches

    local = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": local}, "own": {"BACKEND": local, "LOCATION": "own"}}
    settings.LLM_ADMIN = {**settings.LLM_ADMIN, "ANSWER_CACHE": "own"}
    slug = make(scope)
    says("one", "two")
    run(slug)
    caches["default"].clear()
    assert run(slug) == "one"
    caches["own"].clear()
    assert run(slug) == "two"


@pytest.mark.parametrize(
    ("text", "counts", "logged"),
    [
        ("kept", {"input_tokens": "abc", "output_tokens": -1}, (None, None)),
        ("kept", {"input_tokens": 10**30, "output_tokens": [1]}, (None, None)),
        ("kept", {"input_tokens": 7, "output_tokens": True}, (7, None)),
        ("ke\x00pt", {}, None),
        ("ke\ud800pt", {}, None),
    ],
)
def test_an_entry_that_somebody_spoiled_fails_no_run(scope, says, text, counts, logged):
    slug = make(scope)
    says("one", "two")
    run(slug)
    entry = json.dumps({"at": time.time(), "answer": [{"text": text, "info": counts}]})
    store = runtime_cache.store_of("default")
    (key,) = [key.split(":", 2)[2] for key in store._cache if ":answer:" in key]
    store.set(key, entry)
    assert run(slug) == ("kept" if logged else "two")
    last = InteractionLog.objects.latest("id")
    assert (last.cached, last.status) == (logged is not None, "succeeded")
    assert logged is None or (last.input_tokens, last.output_tokens) == logged
