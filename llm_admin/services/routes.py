"""The runtime's Routes over Django's cache: balancing, limits, and the rest of deployments that fail."""

from __future__ import annotations

import asyncio
import random
import time

from llm_admin.choices import ErrorKind
from llm_admin.conf import settings
from llm_admin.exceptions import CallFailed
from llm_admin.schemas.plans import DeploymentPlan, ModelPlan
from llm_admin.schemas.usage import TokenUsage
from llm_admin.services import route_state as state
from llm_admin.services.connection_health import note_outcome
from llm_admin.services.route_state import WELL, Rest

SICK = frozenset((ErrorKind.RATE_LIMIT, ErrorKind.PROVIDER_DOWN, ErrorKind.TIMEOUT, ErrorKind.AUTHENTICATION))
UNSAID = frozenset((ErrorKind.CANCELLED, ErrorKind.INTERRUPTED, ErrorKind.INTERNAL))  # our doing, not the provider's
LONGEST_REST = 600.0
MORE = 10.0  # seconds that a place in flight outlives the longest call
FRESH = 1.0  # seconds that what the shared cache said is believed here

_known: dict[int, tuple[float, Rest]] = {}


class SharedRoutes:
    """Of one run."""

    def __init__(self) -> None:
        self._slots: dict[tuple[object, int], str] = {}

    async def order(self, model: ModelPlan) -> list[DeploymentPlan]:
        deployments = model.deployments
        if len(deployments) < 2:
            return list(deployments)
        rests = {one.id: await _rest(one.id) for one in deployments}
        now = time.time()
        awake = [one for one in deployments if rests[one.id].until <= now]
        return await _probed(balanced(awake), rests) if awake else balanced(list(deployments))

    async def begin(self, deployment: DeploymentPlan, tokens: int) -> float | None:
        limits = (deployment.max_concurrency, deployment.requests_per_minute, deployment.tokens_per_minute)
        if limits == (None, None, None):
            return None
        task = asyncio_task()  # a cache elsewhere is asked in a thread, where none is known
        return await state.ask(lambda: self._begin(deployment, tokens, task), None)

    def _begin(self, deployment: DeploymentPlan, tokens: int, task: object) -> float | None:
        slot = None
        if most := deployment.max_concurrency:
            slot = state.take_slot(deployment.id, most, settings().CALL_TIMEOUT + MORE)
            if slot is None:
                return 0.1
        wait = None
        if limit := deployment.requests_per_minute:
            wait = state.take_share(deployment.id, "requests", 1, limit)
        if wait is None and (limit := deployment.tokens_per_minute):
            wait = state.take_share(deployment.id, "tokens", tokens, limit)
            if wait is not None and deployment.requests_per_minute:
                state.count(deployment.id, "requests", -1)
        if slot and wait is not None:
            state.leave_slot(slot)
        elif slot:
            self._slots[task, deployment.id] = slot
        return wait

    async def ended(
        self, deployment: DeploymentPlan, tokens: int, usage: TokenUsage, failure: CallFailed | None
    ) -> None:
        slot = self._slots.pop((asyncio_task(), deployment.id), None)
        used = (usage.input or 0) + (usage.output or 0)
        if slot or (deployment.tokens_per_minute and used):
            await state.ask(lambda: _give_back(deployment, slot, used - tokens if used else 0), None)
        rest = after(await _rest(deployment.id), failure)
        if rest != _known.get(deployment.id, (0.0, WELL))[1]:
            _known[deployment.id] = (time.monotonic() + FRESH, rest)
            await state.ask(lambda: state.set_rest(deployment.id, rest), None)
        elif rest.failures:
            await state.ask(lambda: state.leave_probe(deployment.id), None)
        note_outcome(deployment.connection_id, failure)


def asyncio_task() -> object:
    return asyncio.current_task()


def _give_back(deployment: DeploymentPlan, slot: str | None, tokens: int) -> None:
    if slot:
        state.leave_slot(slot)
    if deployment.tokens_per_minute and tokens:
        state.count(deployment.id, "tokens", tokens)


def balanced(deployments: list[DeploymentPlan]) -> list[DeploymentPlan]:
    """By priority; within one at random, each first as often as its share of the weights (Efraimidis and Spirakis,
    “Weighted random sampling with a reservoir”, 2006)."""
    return sorted(deployments, key=lambda one: (one.priority, -(random.random() ** (1 / max(one.weight, 1)))))  # noqa: S311


def after(before: Rest, failure: CallFailed | None) -> Rest:
    """What is known of a deployment after a call to it."""
    if failure is not None and failure.kind in UNSAID:
        return before
    if failure is None or failure.kind not in SICK:
        return WELL
    failures, limits = before.failures + 1, settings()
    told = failure.retry_after or 0
    if failures < limits.COOL_DOWN_FAILURES and not told:
        return Rest(failures, before.until, before.rests)
    pause = min(limits.COOL_DOWN_SECONDS * 2**before.rests, LONGEST_REST)
    return Rest(failures, time.time() + (min(told, LONGEST_REST) or pause), before.rests + (not told))


async def _rest(deployment: int) -> Rest:
    known = _known.get(deployment)
    if known and known[0] > time.monotonic():
        return known[1]
    rest = await state.ask(lambda: state.rest_of(deployment), WELL)
    _known[deployment] = (time.monotonic() + FRESH, rest)
    return rest


async def _probed(ordered: list[DeploymentPlan], rests: dict[int, Rest]) -> list[DeploymentPlan]:
    """After a rest one call at a time tries whether a deployment is well again; for the others it comes last."""
    last: list[DeploymentPlan] = []
    for place, one in enumerate(ordered):
        if not rests[one.id].until or await _may_probe(one.id):
            return [*ordered[place:], *last]
        last.append(one)
    return last


async def _may_probe(deployment: int) -> bool:
    return await state.ask(lambda: state.take_probe(deployment, settings().CALL_TIMEOUT), otherwise=True)


def forget() -> None:
    """What this process remembers; for tests."""
    _known.clear()
