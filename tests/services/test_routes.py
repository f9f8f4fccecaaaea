"""What is known of deployments: limits of a minute, places in flight, rests and probes."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.models import Connection, Deployment
from llm_admin.runtime.router import Router
from llm_admin.schemas.plans import DeploymentPlan, ModelPlan
from llm_admin.schemas.usage import TokenUsage
from llm_admin.services import route_state as state
from llm_admin.services import routes, routing_words
from llm_admin.services.routes import Rest, SharedRoutes, after

DOWN = CallFailed(ErrorKind.PROVIDER_DOWN, "503")


@pytest.fixture(autouse=True)
def nothing_known():
    cache.clear()
    routes.forget()


@pytest.fixture
def clock(monkeypatch):
    now = [600_000.0]  # the beginning of a minute
    monkeypatch.setattr(state.time, "time", lambda: now[0])
    return now


def plan(number=1, **details):
    return DeploymentPlan(number, "fake", "m", f"C{number}", "", "", **details)


def begin(deployment, tokens=10, known=None):
    return asyncio.run((known or SharedRoutes()).begin(deployment, tokens))


def test_without_limits_everything_may_begin():
    assert begin(plan()) is None


def test_requests_a_minute(clock):
    limited = plan(requests_per_minute=3)
    assert [begin(limited) for _ in range(3)] == [None] * 3
    assert begin(limited) == pytest.approx(60)
    clock[0] += 60
    wait = begin(limited)
    assert wait is not None, "the minute before still counts in full at the beginning of the next"
    clock[0] += wait + 0.01
    assert begin(limited) is None


def test_a_call_larger_than_the_limit_is_let_through_when_nothing_else_was(clock):
    assert begin(plan(tokens_per_minute=100), tokens=5_000) is None


def test_tokens_are_put_right_when_they_are_known(clock):
    limited, known = plan(tokens_per_minute=1_000), SharedRoutes()

    async def call(about, used):
        wait = await known.begin(limited, about)
        if wait is None:
            await known.ended(limited, about, TokenUsage(used, 0), None)
        return wait

    assert asyncio.run(call(600, 100)) is None
    assert asyncio.run(call(600, 100)) is None
    assert asyncio.run(call(900, 900)) is not None


def test_places_in_flight_are_given_back():
    limited = plan(max_concurrency=2)

    async def three():
        known = SharedRoutes()
        started = []

        async def one(failure):
            wait = await known.begin(limited, 1)
            started.append(wait)
            await asyncio.sleep(0)
            if wait is None:
                await known.ended(limited, 1, TokenUsage(), failure)

        await asyncio.gather(one(None), one(DOWN), one(None))
        return started, await known.begin(limited, 1)

    started, later = asyncio.run(three())
    assert [one is None for one in started] == [True, True, False]
    assert later is None


def test_failures_in_a_row_rest_and_one_probe_finds_out():
    model = ModelPlan(1, "fast", "Fast", (plan(1), plan(2, priority=2)))

    async def story():
        known = SharedRoutes()
        for _ in range(3):
            await known.ended(plan(1), 1, TokenUsage(), DOWN)
        resting = [one.id for one in await known.order(model)]
        state.set_rest(1, Rest(3, 1.0, 1))
        routes.forget()
        probing = [[one.id for one in await known.order(model)] for _ in range(2)]
        await known.ended(plan(1), 1, TokenUsage(1, 1), None)
        return resting, probing, [one.id for one in await known.order(model)]

    assert asyncio.run(story()) == ([2], [[1, 2], [2, 1]], [1, 2]), "while one tries it, it comes last for the others"


def test_what_may_be_tried_again_is_there_when_the_others_fail():
    """Calls that the first one answers do not use up the second one's trial."""
    model = ModelPlan(1, "fast", "Fast", (plan(1), plan(2, priority=2)))

    async def story():
        known = SharedRoutes()
        state.set_rest(2, Rest(3, 1.0, 1))
        return [[one.id for one in await known.order(model)] for _ in range(3)]

    assert asyncio.run(story()) == [[1, 2]] * 3


def test_after_a_trial_that_failed_the_next_one_is_not_held_up(clock):
    model = ModelPlan(1, "fast", "Fast", (plan(1), plan(2, priority=2)))

    async def story():
        known = SharedRoutes()
        state.set_rest(1, Rest(3, 1.0, 1))
        tried = [one.id for one in await known.order(model)]
        await known.ended(plan(1), 1, TokenUsage(), DOWN)
        resting = [one.id for one in await known.order(model)]
        clock[0] = state.rest_of(1).until + 1
        return tried, resting, [one.id for one in await known.order(model)]

    assert asyncio.run(story()) == ([1, 2], [2], [1, 2])


def test_a_cache_that_is_gone_fails_no_call(monkeypatch):
    """With a shared cache that cannot be reached, calls go on without limits."""

    class Gone:
        def __getattr__(self, name):
            raise ConnectionError("no route to the cache")

    model = ModelPlan(1, "fast", "Fast", (plan(1, requests_per_minute=1, max_concurrency=1), plan(2, priority=2)))
    monkeypatch.setattr(state, "_backend", object)
    monkeypatch.setattr(state, "cache", Gone())

    async def story():
        known = SharedRoutes()
        for _ in range(2):
            first = (await known.order(model))[0]
            assert await known.begin(first, 1) is None
            await known.ended(first, 1, TokenUsage(1, 1), DOWN)
        return first.id

    assert asyncio.run(story()) == 1


def test_when_all_rest_all_are_asked():
    model = ModelPlan(1, "fast", "Fast", (plan(1), plan(2, priority=2)))

    async def story():
        known = SharedRoutes()
        for number in (1, 2):
            for _ in range(3):
                await known.ended(plan(number), 1, TokenUsage(), DOWN)
        return [one.id for one in await known.order(model)]

    assert asyncio.run(story()) == [1, 2]


def test_a_thousand_calls_over_70_and_30_land_within_four_points():
    random.seed(5)
    model = ModelPlan(1, "fast", "Fast", (plan(1, weight=70), plan(2, weight=30), plan(3, weight=99, priority=2)))
    asked = Counter()

    async def ask(deployment):
        asked[deployment.id] += 1
        return TokenUsage(1, 1)

    async def calls():
        context = SimpleNamespace(routes=SharedRoutes(), call_timeout=60, call_retries=0)
        for _ in range(1000):
            await Router(context, model, 10, ask, lambda: False).answer()

    asyncio.run(calls())
    assert abs(asked[1] - 700) <= 40
    assert asked[1] + asked[2] == 1000


def test_retry_after_is_a_rest_at_once(clock):
    rest = after(Rest(), CallFailed(ErrorKind.RATE_LIMIT, "wait", retry_after=20))
    assert rest.until == clock[0] + 20


def test_rests_grow_up_to_ten_minutes(clock):
    rest = Rest()
    spans = []
    for _ in range(9):
        rest = after(rest, DOWN)
        spans.append(max(0, rest.until - clock[0]))
    assert spans == [0, 0, 30, 60, 120, 240, 480, 600, 600]


@pytest.mark.parametrize("kind", ["bad_request", "content_filter", "context_too_long"])
def test_a_refusal_shows_that_it_is_well(kind):
    assert after(Rest(2), CallFailed(ErrorKind(kind), "no")) == Rest()


@pytest.mark.parametrize("kind", ["cancelled", "interrupted"])
def test_what_we_ended_ourselves_says_nothing(kind):
    assert after(Rest(2), CallFailed(ErrorKind(kind))) == Rest(2)


@given(st.lists(st.floats(0, 30), max_size=60))
def test_no_sixty_seconds_have_many_more_calls_than_the_limit(steps):
    """Of a minute's window that slides: at most the limit, and what the even spread of the minute before hides."""
    cache.clear()
    now, taken = 600_000.0, []
    for step in steps:
        now += step
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(state.time, "time", lambda now=now: now)
            if state.take_share(1, "requests", 1, 5) is None:
                taken.append(now)
    assert all(sum(1 for one in taken if at - 60 < one <= at) <= 10 for at in taken)


def test_who_rests_is_said(clock):
    places = [Deployment(pk=pk, provider_model=f"m{pk}", connection=Connection(name="Here")) for pk in (1, 2)]
    state.set_rest(1, Rest(3, clock[0] + 290, 1))
    state.set_rest(2, Rest(3, clock[0] - 1, 1))
    assert routing_words.sentences(places)[1:] == [
        "Now m1 at Here rests after 3 failures in a row, for about 5 minutes more: until then calls go to the others. "
        "Testing its connection ends this at once when it works."
    ]
    assert len(routing_words.sentences(places[:1])) == 1, "the only one is asked even so"


def test_weights_of_nothing_share_evenly():
    """No form makes them; code may."""
    places = [Deployment(provider_model=name, connection=Connection(name="Here"), weight=0) for name in ("a", "b")]
    assert routing_words.sentences(places) == ["Calls go to a at Here (50 %) and b at Here (50 %)."]
