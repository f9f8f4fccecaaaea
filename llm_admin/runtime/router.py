"""Which deployment answers a call: the first one that may, in the order of priority and weight; the next one when it
fails before a word was shown; the same ones again, after a pause, when all were busy or down.

An answer that broke off after somebody saw a part of it is never silently begun again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.context import Context, Routes
from llm_admin.schemas.plans import DeploymentPlan, ModelPlan
from llm_admin.schemas.records import Attempt
from llm_admin.schemas.usage import TokenUsage

FIRST_PAUSE = 0.5  # seconds; doubled with each round, and shortened at random by up to a half
LONGEST_PAUSE = 20.0
POLL = 0.1  # seconds, while all are full by our own limits
LEAST = 1.0  # seconds: with less left until the deadline nobody else is asked
SAME_AGAIN = frozenset((ErrorKind.RATE_LIMIT, ErrorKind.PROVIDER_DOWN))
NEXT_ONE = SAME_AGAIN | {ErrorKind.TIMEOUT, ErrorKind.AUTHENTICATION, ErrorKind.CONTEXT_TOO_LONG}
NO_MONEY = ("quota", "credit", "balance", "billing")
UNFORESEEN = CallFailed(ErrorKind.INTERNAL)  # not the provider's doing
SHOWN = "it was not begun anew, because a part of the answer had been shown"

Ask = Callable[[DeploymentPlan], Awaitable[TokenUsage]]


class InOrder:
    """Routes for who knows nothing of limits and failures."""

    async def order(self, model: ModelPlan) -> list[DeploymentPlan]:
        return sorted(model.deployments, key=lambda one: one.priority)

    async def begin(self, deployment: DeploymentPlan, tokens: int) -> float | None:
        return None

    async def ended(
        self, deployment: DeploymentPlan, tokens: int, usage: TokenUsage, failure: CallFailed | None
    ) -> None:
        return None


IN_ORDER = InOrder()


@dataclass(slots=True)
class Round:
    """Once through all deployments. `failures`: of those that were asked; `full`: seconds until one has room."""

    failures: list[CallFailed] = field(default_factory=list)
    full: list[float] = field(default_factory=list)


class Router:
    """Of one call. `shown()`: whether somebody has seen a part of the answer."""

    def __init__(self, context: Context, model: ModelPlan, tokens: int, ask: Ask, shown: Callable[[], bool]) -> None:
        self.routes: Routes = context.routes or IN_ORDER
        self.model, self.tokens, self.ask, self.shown = model, tokens, ask, shown
        self.deadline = time.monotonic() + context.call_timeout
        self.least = min(LEAST, context.call_timeout / 10)
        self.retries = context.call_retries
        self.attempts: list[Attempt] = []
        self.noted: CallFailed | None = None  # what the last of them ended with

    async def answer(self) -> None:
        """Raises CallFailed, the last one's, when nobody answered in time; the ones before are in `attempts`."""
        done = 0
        while True:
            tried = Round()
            if await self._once(tried):
                return
            pause = self._pause(tried, done)
            if pause is None:
                raise self._failure(tried)
            done += bool(tried.failures)
            if self.attempts and tried.failures:
                self.attempts[-1].waited_ms = round(pause * 1000)
            await asyncio.sleep(pause)

    async def _once(self, tried: Round) -> bool:
        candidates = await self.routes.order(self.model)
        for place, deployment in enumerate(candidates, start=1):
            if place > 1 and time.monotonic() + self.least > self.deadline:
                break
            wait = await self.routes.begin(deployment, self.tokens)
            if wait is not None:
                tried.full.append(wait)
            elif await self._try(deployment, tried, last=place == len(candidates)):
                return True
        return False

    async def _try(self, deployment: DeploymentPlan, tried: Round, *, last: bool) -> bool:
        began = time.perf_counter()
        failure: CallFailed | None
        usage, failure = TokenUsage(), UNFORESEEN
        try:
            usage = await self.ask(deployment)
            failure = None
            return True
        except CallFailed as error:
            failure = error
        except asyncio.CancelledError:
            failure = CallFailed(ErrorKind.CANCELLED)
            raise
        finally:
            await self.routes.ended(deployment, self.tokens, usage, failure)
        failure.connection, failure.model = deployment.connection, self.model.name
        if self.shown():
            failure.detail = f"{failure.detail}; {SHOWN}" if self._may_go_on(failure) else failure.detail
            raise failure
        if not self._may_go_on(failure):
            raise failure
        self._note(deployment, failure, began)
        tried.failures.append(failure)
        return False

    def _may_go_on(self, failure: CallFailed) -> bool:
        if failure.kind == ErrorKind.BAD_REQUEST:
            return failure.unknown_model or failure.status_code in (None, 404)
        return failure.kind in NEXT_ONE

    def _note(self, deployment: DeploymentPlan, failure: CallFailed, began: float) -> None:
        name = f"{deployment.provider_model} at {deployment.connection}"
        took = round((time.perf_counter() - began) * 1000)
        self.attempts.append(Attempt(deployment.id, name, failure.kind, failure.detail, took))
        self.noted = failure

    def _pause(self, tried: Round, done: int) -> float | None:
        """Seconds until the next round; None: there is none."""
        again = [one for one in tried.failures if _again(one)]
        if tried.full:
            wait = min(tried.full) * random.uniform(0.5, 1)  # noqa: S311 - not a secret
            pause = min(max(wait, POLL / 2), 1.0)
        elif again and done < self.retries:
            told = min(one.retry_after or 0 for one in again)
            pause = max(told, min(FIRST_PAUSE * 2**done, LONGEST_PAUSE) * random.uniform(0.5, 1))  # noqa: S311
        else:
            return None
        return pause if time.monotonic() + pause < self.deadline else None

    def _failure(self, tried: Round) -> CallFailed:
        if tried.failures:
            return tried.failures[-1]
        if tried.full:
            soon = f"; the next is possible in about {max(1, round(min(tried.full)))} s"
            return CallFailed(
                ErrorKind.RATE_LIMIT, f"the limits that are set here are reached{soon}", model=self.model.name
            )
        detail = f"the model “{self.model.name}” runs nowhere yet; an operator can add a deployment"
        return CallFailed(ErrorKind.BAD_REQUEST, detail)


def _again(failure: CallFailed) -> bool:
    """Whether the same deployment may do better in a moment."""
    return failure.kind in SAME_AGAIN and not any(word in failure.detail.lower() for word in NO_MONEY)
