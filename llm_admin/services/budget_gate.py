"""The runtime's Gate: refuses a call before it costs, when a budget has no room for it or a person makes too many.

A workspace without budgets and limits pays one look into a dictionary. Whoever records a call gives its record to
`settle`, and writes the operation that comes back together with the log.
"""

from __future__ import annotations

import asyncio
from functools import partial
from uuid import UUID, uuid4

from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache

from llm_admin.choices import BudgetScope, ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.jobs.writer import WRITER
from llm_admin.models import Run
from llm_admin.schemas.plans import ModelPlan
from llm_admin.schemas.records import CallRecord, CallStart
from llm_admin.services import budget_ledger, budget_rules, budget_words, rate_limits
from llm_admin.services.budget_estimates import estimate
from llm_admin.services.budget_ledger import Claim, Refusal
from llm_admin.services.budget_rules import Caller, Rule, Rules

expire = budget_ledger.expire


class BudgetGate:
    """Of one run."""

    def __init__(self, run: Run) -> None:
        self.run = run

    async def admit(self, start: CallStart, model: ModelPlan) -> UUID | None:
        rules = await budget_rules.of_workspace(self.run.workspace_id)
        owner = self.run.owner_id
        if owner is not None and (limit := rules.limit_of(owner)) is not None:
            await self._take_turn(owner, limit)
        counting = await self._counting(rules, start) if rules.budgets else []
        return await self._reserve(counting, start, model) if counting else None

    async def _take_turn(self, owner: int, limit: int) -> None:
        """A row of a batch waits for its turn: the batch goes on slower, instead of failing."""
        take = partial(rate_limits.take, self.run.workspace_id, owner, limit)
        while (seconds := await _near_or_far(take)) is not None:
            if self.run.batch_id is None:
                words = budget_words.too_many(limit, seconds)
                raise CallFailed(ErrorKind.USER_LIMIT, words, retry_after=seconds)
            await asyncio.sleep(seconds)

    async def _counting(self, rules: Rules, start: CallStart) -> list[Rule]:
        run, groups = self.run, budget_rules.NOBODY
        if run.owner_id and any(rule.scope == BudgetScope.GROUP for rule in rules.budgets):
            groups = await budget_rules.groups_of(run.owner_id)
        caller = Caller(run.workspace_id, run.owner_id, run.workflow_id, groups)
        return [rule for rule in rules.budgets if rule.counts(caller, start)]

    async def _reserve(self, rules: list[Rule], start: CallStart, model: ModelPlan) -> UUID:
        ticket = uuid4()

        def reserve() -> Refusal | None:
            claim = Claim(ticket, self.run.pk, start.started_at, estimate(start, model))
            return budget_ledger.reserve(claim, rules)

        try:
            refused = await WRITER.write(reserve)
        except asyncio.CancelledError:
            WRITER.post(partial(budget_ledger.release, ticket))  # after the reservation, if that was made yet
            raise
        if refused is not None:
            raise CallFailed(ErrorKind.BUDGET, budget_words.refusal(refused, self.run.workspace))
        return ticket


def settle(record: CallRecord) -> partial[None] | None:
    """For the writer, in one transaction with the call's log. None: nothing was reserved."""
    if record.start.ticket is None:
        return None
    return partial(budget_ledger.settle, record.start.ticket, budget_ledger.used_by(record))


async def _near_or_far(take: partial[float | None]) -> float | None:
    """A cache elsewhere is asked in a thread, so that the loop does not wait for the network."""
    return take() if isinstance(caches["default"], LocMemCache) else await asyncio.to_thread(take)
