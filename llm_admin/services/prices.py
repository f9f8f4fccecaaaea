"""What a million tokens costs at a deployment: prices from a date on, entered here or published by the provider."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Case, Exists, OuterRef, Prefetch, QuerySet, Value, When
from django.utils import timezone

from llm_admin.choices import PriceSource
from llm_admin.exceptions import Conflict, InvalidInput, NotFound, Problem
from llm_admin.models import Deployment, DeploymentPrice, InteractionLog
from llm_admin.schemas.plans import PricePlan, PriceTier
from llm_admin.services.validation import clean
from llm_admin.tenancy import workspace_scope

if TYPE_CHECKING:
    from llm_admin.services.actors import Actor

RATES = ("input", "output", "cached_input", "cache_write", "reasoning")
MOST_TIERS = 10
MOST = Decimal(999_999)  # dollars, as the table's columns hold them


def add(
    deployment: Deployment,
    *,
    actor: Actor,
    input_per_million: Decimal,
    output_per_million: Decimal,
    cached_input_per_million: Decimal | None = None,
    cache_write_per_million: Decimal | None = None,
    reasoning_per_million: Decimal | None = None,
    per_request: Decimal | None = None,
    tiers: Sequence[PriceTier] = (),
    starts_at: dt.datetime | None = None,
) -> DeploymentPrice:
    """US dollars. Valid from now on when no time is given; calls that were logged before keep their cost."""
    actor.require("add_deploymentprice")
    price = DeploymentPrice(
        deployment=deployment,
        starts_at=starts_at or timezone.now(),
        input_per_million=input_per_million,
        output_per_million=output_per_million,
        cached_input_per_million=cached_input_per_million,
        cache_write_per_million=cache_write_per_million,
        reasoning_per_million=reasoning_per_million,
        per_request=per_request,
        tiers=_checked(tiers),
    )
    with workspace_scope(actor.workspace):
        _require_ours(deployment)
        clean(price)
        price.save()
    return price


def _checked(tiers: Sequence[PriceTier]) -> list[dict[str, Any]]:
    """Raises InvalidInput at ("tiers", position)."""
    problems = [Problem(("tiers",), f"A price has at most {MOST_TIERS} tiers.")] if len(tiers) > MOST_TIERS else []
    for number, tier in enumerate(tiers):
        if words := _wrong_with(tier, [one.above for one in tiers[:number]]):
            problems.append(Problem(("tiers", number), words))
    if problems:
        raise InvalidInput(problems)
    return [tier_to_json(tier) for tier in sorted(tiers, key=lambda one: one.above)]


def _wrong_with(tier: PriceTier, earlier: list[int]) -> str:
    amounts = [amount for name in RATES if (amount := getattr(tier, name)) is not None]
    if not 0 < tier.above < 10**9:
        return "Say above how many input tokens the tier begins, e.g. 200000."
    if tier.above in earlier:
        return f"There are two tiers above {tier.above:,} tokens."
    if not amounts:
        return f"Give at least one rate for calls above {tier.above:,} input tokens."
    if any(not amount.is_finite() or not 0 <= amount <= MOST for amount in amounts):
        return f"A rate is between 0 and {MOST:,} dollars."
    return ""


def delete(price: DeploymentPrice, *, actor: Actor) -> None:
    """Raises Conflict when a logged cost was computed with it, and for a published one, which would come back."""
    actor.require("delete_deploymentprice")
    with workspace_scope(actor.workspace), transaction.atomic():
        _require_ours(price.deployment)
        if price.source == PriceSource.PUBLISHED:
            raise Conflict("This price comes from the provider's price list. Add a price of your own to replace it.")
        if InteractionLog.objects.filter(price=price).exists():
            raise Conflict("Costs in the logs were computed with this price. Add a later one instead.")
        price.delete()


def with_prices(rows: QuerySet[Deployment]) -> QuerySet[Deployment]:
    """Each price knows whether logs use it (`used`; of published ones, which stay anyway, nobody asks); newest first.

    No call is older than the price it has, which spares the look at all the others: logs have no index by price.
    """
    logs = InteractionLog.objects.filter(price_id=OuterRef("pk"), created_at__gte=OuterRef("starts_at"))
    used = Case(When(source=PriceSource.OWN, then=Exists(logs)), default=Value(value=True))
    return rows.select_related("connection").prefetch_related(
        Prefetch("prices", queryset=DeploymentPrice.objects.annotate(used=used))
    )


def current(deployment: Deployment, *, at: dt.datetime | None = None) -> DeploymentPrice | None:
    """From the prices that are loaded already, as a list page has them."""
    return in_force(deployment.prices.all(), at or timezone.now())


def in_force(rows: Iterable[DeploymentPrice], at: dt.datetime) -> DeploymentPrice | None:
    """The newest that began; one entered here beats every published one, however new that is."""
    begun = [row for row in rows if row.starts_at <= at and (row.ends_at is None or at < row.ends_at)]
    return max(begun, key=lambda row: (row.source == PriceSource.OWN, row.starts_at, row.pk), default=None)


def plan_of(row: DeploymentPrice) -> PricePlan:
    return PricePlan(
        id=row.pk,
        input=row.input_per_million,
        output=row.output_per_million,
        cached_input=row.cached_input_per_million,
        cache_write=row.cache_write_per_million,
        reasoning=row.reasoning_per_million,
        per_request=row.per_request,
        tiers=tuple(tier_from_json(tier) for tier in row.tiers),
    )


def tier_to_json(tier: PriceTier) -> dict[str, Any]:
    rates = {name: amount for name in RATES if (amount := getattr(tier, name)) is not None}
    return {"above": tier.above} | {name: f"{amount.normalize():f}" for name, amount in rates.items()}


def tier_from_json(stored: Mapping[str, Any]) -> PriceTier:
    return PriceTier(int(stored["above"]), **{name: Decimal(stored[name]) for name in RATES if name in stored})


# ---- in words


NAMES = {
    "input": "Input",
    "output": "Output",
    "cached_input": "Cached input",
    "cache_write": "Cache write",
    "reasoning": "Reasoning",
}


def dollars(amount: Decimal) -> str:
    """Exact, with two decimals or more: a price of $1.1034 must not look like $1.10."""
    digits = max(2, -int(amount.normalize().as_tuple().exponent))
    return f"${amount:,.{digits}f}"


def text(price: DeploymentPrice) -> str:
    return f"{dollars(price.input_per_million)} in, {dollars(price.output_per_million)} out"


def source_text(price: DeploymentPrice) -> str:
    return f"Published: {price.origin}" if price.source == PriceSource.PUBLISHED else "Entered here"


def further(price: DeploymentPrice) -> list[str]:
    """What a price has beside its three common amounts, a phrase each."""
    plan = plan_of(price)
    found = []
    if plan.cache_write is not None:
        found.append(f"Cache write {dollars(plan.cache_write)}")
    if plan.reasoning is not None:
        found.append(f"Reasoning {dollars(plan.reasoning)}")
    if plan.per_request:
        found.append(f"{dollars(plan.per_request)} per request")
    return found + [_tier_text(tier) for tier in plan.tiers]


def _tier_text(tier: PriceTier) -> str:
    given = {name: amount for name in RATES if (amount := getattr(tier, name)) is not None}
    rates = ", ".join(f"{NAMES[name].lower()} {dollars(amount)}" for name, amount in given.items())
    return f"Above {tier.above:,} input tokens: {rates}"


def _require_ours(deployment: Deployment) -> None:
    if not Deployment.objects.filter(pk=deployment.pk).exists():
        raise NotFound("There is no such deployment in this workspace.")
