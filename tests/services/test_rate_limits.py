"""How many calls one person makes in a minute."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache

from llm_admin import run_prompt
from llm_admin.choices import ErrorKind, Role
from llm_admin.exceptions import InvalidInput
from llm_admin.models import Deployment, Membership
from llm_admin.services import actors, budget_gate, members, rate_limits, workspace_settings
from tests import factories
from tests.services.budget_calls import ask, refused, run

pytestmark = pytest.mark.django_db(transaction=True)
NOW = 1_800_000_000.0  # a whole number of steps


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def limit(system):
    def change(number):
        workspace_settings.change(system.workspace, actor=system, calls_per_minute=number)

    return change


class TestTheWindow:
    def take(self, at: float, limit: int = 3, user: int = 1) -> float | None:
        return rate_limits.take(1, user, limit, now=NOW + at)

    def test_so_many_and_no_more(self):
        assert [self.take(at) for at in (0, 1, 2)] == [None] * 3
        assert self.take(3) == 62  # the first ones leave with their step of five seconds

    def test_the_minute_slides(self):
        for at in (0, 20, 40):
            assert self.take(at) is None
        assert self.take(50) == 15
        assert self.take(65) is None
        assert self.take(66) == 19

    def test_never_more_than_the_limit_in_any_minute(self):
        made = [at for at in range(0, 600) if self.take(at) is None]
        assert all(sum(begin <= one < begin + 60 for one in made) <= 3 for begin in range(0, 600))
        assert len(made) >= 24  # and not much less

    def test_a_refusal_counts_nothing(self):
        for at in (0, 0, 0):
            assert self.take(at) is None
        assert all(self.take(at) is not None for at in range(1, 60))
        assert self.take(66) is None

    def test_the_time_that_is_said_is_enough(self):
        for at in (0, 7, 14):
            self.take(at)
        assert self.take(20 + self.take(20)) is None

    def test_each_person_for_themselves(self):
        assert [self.take(0, limit=1, user=user) for user in (1, 2)] == [None, None]
        assert rate_limits.take(2, 1, 1, now=NOW) is None  # and each workspace

    def test_a_cache_that_keeps_nothing_refuses_nothing(self, settings):
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
        assert [self.take(0, limit=1) for _ in range(3)] == [None] * 3

    def test_a_cache_on_disk_is_shared(self, settings, tmp_path):
        path = {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(tmp_path)}
        settings.CACHES = {"default": path}
        assert self.take(0, limit=1) is None
        assert self.take(0, limit=1) is not None


class TestTheGate:
    @pytest.fixture
    def ann(self, member):
        return member(username="ann")

    async def test_a_person_is_refused_with_the_seconds_to_wait(self, scope, limit, ann):
        await sync_to_async(limit)(2)
        await ask(run(scope, ann)), await ask(run(scope, ann))
        error = await refused(run(scope, ann))
        assert error.kind == ErrorKind.USER_LIMIT
        assert error.retry_after is not None
        assert 0 < error.retry_after <= 65
        assert error.detail.startswith("you may make 2 calls a minute; try again in ")

    async def test_of_many_at_once_so_many_are_let_through(self, scope, limit, ann):
        await sync_to_async(limit)(20)
        outcomes = await asyncio.gather(*(ask(run(scope, ann)) for _ in range(100)), return_exceptions=True)
        assert sum(not isinstance(one, Exception) for one in outcomes) == 20

    async def test_the_members_own_number_beats_the_workspaces(self, scope, limit, ann, member):
        bob = await sync_to_async(member)(username="bob")
        await sync_to_async(limit)(5)
        await sync_to_async(Membership.objects.filter(user=ann).update)(calls_per_minute=1)
        await ask(run(scope, ann))
        await refused(run(scope, ann))
        for _ in range(5):
            await ask(run(scope, bob))

    async def test_code_that_runs_for_nobody_has_no_limit(self, scope, limit):
        await sync_to_async(limit)(1)
        for _ in range(3):
            await ask(run(scope))

    async def test_a_row_of_a_batch_waits_for_its_turn(self, scope, limit, ann, monkeypatch):
        waited = []

        async def sleep(seconds):
            waited.append(seconds)
            cache.clear()

        await sync_to_async(limit)(1)
        await ask(run(scope, ann))
        monkeypatch.setattr(budget_gate.asyncio, "sleep", sleep)
        await ask(run(scope, ann, batch_id=1))
        assert len(waited) == 1

    async def test_a_cache_elsewhere_is_asked_in_a_thread(self, scope, limit, ann, settings, tmp_path):
        path = {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(tmp_path)}
        settings.CACHES = {"default": path}
        await sync_to_async(limit)(1)
        await ask(run(scope, ann))
        assert (await refused(run(scope, ann))).kind == ErrorKind.USER_LIMIT


class Gone(LocMemCache):
    """As Redis that cannot be reached."""

    def _down(self, *_args, **_kwargs):
        raise ConnectionRefusedError("Redis is down")

    get = get_many = set = set_many = add = incr = delete = delete_many = _down


class TestWithoutTheCache:
    """A shared cache that is down fails no call: nobody is counted, nothing is known of the others, nothing is kept."""

    @pytest.fixture(autouse=True)
    def _gone(self, settings, limit):
        limit(1)
        settings.CACHES = {"default": {"BACKEND": f"{__name__}.Gone"}}
        yield
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

    @pytest.mark.parametrize("limits", [{}, {"max_concurrency": 1, "requests_per_minute": 1, "tokens_per_minute": 1}])
    def test_runs_go_on(self, scope, member, limits, caplog):
        scope.cache_answers = "always"
        scope.save()
        Deployment.objects.update(**limits)
        other = Deployment.objects.get()
        other.pk = None
        other.save()
        slug, ann = factories.prompt(scope).slug, member(username="ann")
        assert all(run_prompt(slug, {"topic": "rain"}, user=ann).output for _ in range(2))
        assert "Redis is down" in caplog.text


class TestSettings:
    @pytest.mark.parametrize("number", [0, -1])
    def test_a_limit_is_at_least_one(self, limit, number):
        with pytest.raises(InvalidInput):
            limit(number)

    def test_a_member_gets_a_number_of_their_own_and_loses_it(self, system, member):
        member(username="ann")
        row = Membership.objects.with_scopes_disabled().get(user__username="ann")
        members.change_limit(row, actor=system, calls_per_minute=7)
        row.refresh_from_db()
        assert row.calls_per_minute == 7
        members.change_limit(row, actor=system, calls_per_minute=None)
        row.refresh_from_db()
        assert row.calls_per_minute is None

    def test_only_admins_change_it(self, workspace, member):
        from llm_admin.exceptions import PermissionRefused

        row = Membership.objects.with_scopes_disabled().get(user=member())
        with pytest.raises(PermissionRefused):
            members.change_limit(
                row, actor=actors.Actor(workspace, factories.user(), Role.OPERATOR), calls_per_minute=1
            )
