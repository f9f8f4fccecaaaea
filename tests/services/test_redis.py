"""What is kept in Django's cache, in a real Redis: the same as in memory, and calls go on when it is gone."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache

from llm_admin import run_prompt
from llm_admin.choices import CacheAnswers, ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.models import InteractionLog
from llm_admin.schemas.plans import DeploymentPlan
from llm_admin.schemas.prompts import Parameters
from llm_admin.schemas.usage import TokenUsage
from llm_admin.services import health, rate_limits, route_state, routes, workspace_settings
from llm_admin.services.routes import SharedRoutes
from tests import factories
from tests.servers.redis_server import Redis

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
DOWN = CallFailed(ErrorKind.PROVIDER_DOWN, "503")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Redis(tmp_path_factory.mktemp("redis")).start()
    yield made
    made.stop()


@pytest.fixture
def redis(server, settings):
    if server.process is None:
        server.start()
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": server.url}}
    cache.clear()
    routes.forget()
    yield server
    routes.forget()


def plan(number=1, **details):
    return DeploymentPlan(number, "fake", "m", f"C{number}", "", "", **details)


def begin(deployment, tokens=10):
    return asyncio.run(SharedRoutes().begin(deployment, tokens))


@pytest.fixture
def prompt(scope, system):
    workspace_settings.change(scope, actor=system, cache_answers=CacheAnswers.DETERMINISTIC)
    return factories.prompt(scope, spec=factories.chat_spec(parameters=Parameters(temperature=0))).slug


def test_limits_of_a_minute_are_counted_there(redis):
    limited = plan(requests_per_minute=3)
    assert [begin(limited) for _ in range(3)] == [None] * 3
    assert begin(limited) > 0
    assert begin(plan(2, requests_per_minute=3)) is None


def test_places_in_flight_are_taken_there(redis):
    assert [begin(plan(max_concurrency=2)) is None for _ in range(3)] == [True, True, False]


def test_a_rest_is_known_to_everybody(redis):
    sick = plan()

    async def fails():
        known = SharedRoutes()
        for _ in range(3):
            await known.ended(sick, 10, TokenUsage(), DOWN)

    asyncio.run(fails())
    routes.forget()  # another process knows only what is there
    assert route_state.rest_of(1).failures == 3
    assert route_state.rest_of(1).until > 0


def test_calls_of_a_person_in_many_threads_at_once(redis):
    with ThreadPoolExecutor(20) as threads:
        outcomes = list(threads.map(lambda _: rate_limits.take(1, 1, 7), range(40)))
    assert outcomes.count(None) == 7


def test_an_answer_is_given_again(redis, prompt):
    first, second = run_prompt(prompt, {"topic": "rain"}), run_prompt(prompt, {"topic": "rain"})
    assert first.output == second.output
    logs = InteractionLog.objects.order_by("created_at")
    assert list(logs.values_list("cached", flat=True)) == [False, True]


def test_without_it_calls_go_on_and_the_health_page_says_so(redis, prompt, scope):
    redis.stop()
    assert run_prompt(prompt, {"topic": "rain"}).status == "succeeded"
    assert run_prompt(prompt, {"topic": "rain"}).status == "succeeded"
    assert not InteractionLog.objects.filter(cached=True).exists()
    assert begin(plan(requests_per_minute=1)) is None
    assert rate_limits.take(1, 1, 1) is None
    (checked,) = health.run(["cache"], workspace=scope)
    assert checked.finding.state == health.State.BROKEN
