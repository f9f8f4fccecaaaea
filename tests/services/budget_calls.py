"""Calls as the runtime makes them, for tests of budgets: asked at the gate, recorded, settled."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from asgiref.sync import sync_to_async
from django.utils import timezone
from uuid_utils.compat import uuid7

from llm_admin.choices import CallStatus, Role
from llm_admin.exceptions import CallFailed
from llm_admin.jobs.writer import WRITER
from llm_admin.models import Budget, BudgetUse, Run
from llm_admin.schemas.plans import DeploymentPlan, ModelPlan, PricePlan
from llm_admin.schemas.records import CallRecord, CallStart
from llm_admin.services import actors, budgets
from llm_admin.services.budget_gate import BudgetGate, settle

NANO = 10**9
WORDS = [{"role": "user", "content": "x" * 384}]  # 96 tokens, and 4 for the message


def budget(where: Any, **values: Any) -> Budget:
    values = {"name": "Team", "unit": "calls", "limit": 20, "period": "month"} | values
    return budgets.save(Budget(**values), actor=actors.system(where))


def run(where: Any, owner: Any = None, **values: Any) -> Run:
    return Run(pk=uuid7(), workspace=where, owner=owner, kind="prompt", **values)


def model(price: tuple[str, str] | None = ("1", "2"), *more: tuple[str, str] | None) -> ModelPlan:
    """Dollars per million tokens, in and out, of each place."""
    places = tuple(
        DeploymentPlan(n, "fake", "demo", "Demo", "", "", price=_price(one)) for n, one in enumerate((price, *more), 1)
    )
    return ModelPlan(1, "demo", "Demo", places)


def _price(amounts: tuple[str, str] | None) -> PricePlan | None:
    return PricePlan(1, *map(Decimal, amounts)) if amounts else None


def start(**values: Any) -> CallStart:
    values = {"path": "", "started_at": timezone.now(), "messages": WORDS, "model_id": 1} | values
    return CallStart(**values)


def record(begun: CallStart, **values: Any) -> CallRecord:
    values = {
        "status": CallStatus.SUCCEEDED,
        "answer": "Yes.",
        "latency_ms": 10,
        "first_token_ms": 5,
        "input_tokens": 100,
        "output_tokens": 10,
        "cost_nano": 1000,
    } | values
    return CallRecord(start=begun, **values)


async def ask(of: Run, *, of_model: ModelPlan | None = None, **values: Any) -> CallStart:
    """Raises CallFailed when it is refused."""
    begun = start(**values)
    begun.ticket = await BudgetGate(of).admit(begun, of_model or model())
    return begun


async def end(begun: CallStart, **values: Any) -> None:
    if (operation := settle(record(begun, **values))) is not None:
        await WRITER.write(operation)


async def call(of: Run, *, of_model: ModelPlan | None = None, **values: Any) -> None:
    await end(await ask(of, of_model=of_model), **values)


async def refused(of: Run, **values: Any) -> CallFailed:
    try:
        await ask(of, **values)
    except CallFailed as error:
        return error
    raise AssertionError("let through")


def use(of: Budget) -> BudgetUse:
    return BudgetUse.objects.with_scopes_disabled().get(budget=of)


ause = sync_to_async(use)
make = sync_to_async(budget)


def actor_of(where: Any, person: Any, role: str = Role.OPERATOR) -> actors.Actor:
    return actors.Actor(where, person, role)
