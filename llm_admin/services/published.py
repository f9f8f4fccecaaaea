"""Rows of published prices: made for deployments that have no price of their own, so that a log can name its price.

A row is never changed: when the list says something else, or the deployment runs something else, a later one follows.
"""

from __future__ import annotations

import datetime as dt
import sys

from django.utils import timezone

from llm_admin.choices import PriceSource
from llm_admin.models import Deployment, DeploymentPrice
from llm_admin.runtime import published_prices
from llm_admin.runtime.published_prices import Published, Source
from llm_admin.schemas.plans import PricePlan
from llm_admin.services import catalogue, prices

_looked: set[tuple[int, dt.datetime, Source | None, str]] = set()


class NotLoaded(Exception):
    """The price list is not in memory yet, and reading it here would hold up others."""


def load() -> None:
    """A second of work the first time."""
    import genai_prices.data_snapshot  # noqa: F401


def is_loaded() -> bool:
    return "genai_prices.data_snapshot" in sys.modules


def is_due(deployment: Deployment) -> bool:
    """Whether the list has to be asked: from the prices that are loaded, and at most once in a process."""
    now, source = timezone.now(), _source(deployment)
    current = prices.current(deployment, at=now)
    if current is not None and current.source == PriceSource.OWN:
        return False
    if current is None and source is None:
        return False
    if current is not None and source is not None and current.origin == _origin(source):
        return False
    return _key(deployment, source) not in _looked


def ensure(deployment: Deployment) -> None:
    if is_due(deployment):
        refresh(deployment)


def refresh(deployment: Deployment, *, may_load: bool = True) -> None:
    """Adds and ends rows where they are not what the list says. Raises NotLoaded."""
    source = _source(deployment)
    if source is not None and not may_load and not is_loaded():
        raise NotLoaded
    found = published_prices.published(source) if source else ()
    now = timezone.now()
    rows = DeploymentPrice._base_manager.filter(deployment=deployment, source=PriceSource.PUBLISHED)
    old = list(rows.filter(ends_at=None).order_by("starts_at", "id"))
    if source and found:
        _follow(deployment, source, found, old, now)
    elif old:
        _end(old, now)
    _looked.add(_key(deployment, source))
    catalogue.forget()


def _follow(
    deployment: Deployment, source: Source, found: tuple[Published, ...], old: list[DeploymentPrice], now: dt.datetime
) -> None:
    begun = [row for row in old if row.starts_at <= now]
    begins = now if begun or _ended_before(deployment) else min(deployment.created_at, now)
    wanted = _periods(found, begins)
    if begun and _says(begun[-1], source, wanted[0][1]):
        wanted = wanted[1:]
    _drop([row for row in old if row.starts_at > now])
    made = [_row(deployment, source, start, plan) for start, plan in wanted]
    DeploymentPrice._base_manager.bulk_create(made, ignore_conflicts=True)  # another process may have been first


def _ended_before(deployment: Deployment) -> bool:
    ended = DeploymentPrice._base_manager.filter(deployment=deployment, ends_at__isnull=False)
    return ended.exists()


def _periods(found: tuple[Published, ...], begins: dt.datetime) -> list[tuple[dt.datetime, PricePlan]]:
    """From `begins` on: what holds then, and what is announced."""
    dated = [(_midnight(one.starts_on), one.price) for one in found]
    before = [plan for start, plan in dated if start <= begins] or [dated[0][1]]
    return [(begins, before[-1]), *((start, plan) for start, plan in dated if start > begins)]


def _midnight(day: dt.date | None) -> dt.datetime:
    return dt.datetime.combine(day or dt.date.min, dt.time(), dt.UTC)


def _end(old: list[DeploymentPrice], now: dt.datetime) -> None:
    """What runs there now has no published price: from now on it is unknown."""
    _drop([row for row in old if row.starts_at > now])
    keys = [row.pk for row in old if row.starts_at <= now]
    DeploymentPrice._base_manager.filter(pk__in=keys).update(ends_at=now)


def _drop(planned: list[DeploymentPrice]) -> None:
    """No call can have used a price that has not begun."""
    if planned:
        DeploymentPrice._base_manager.filter(pk__in=[row.pk for row in planned]).delete()


def _says(row: DeploymentPrice, source: Source, plan: PricePlan) -> bool:
    """Whether the row is of this model, at these rates."""
    stored = prices.plan_of(row)
    same = [getattr(stored, name) == getattr(plan, name) for name in (*prices.RATES, "per_request", "tiers")]
    return all(same) and row.origin.startswith(f"{_name(source)}, ")


def _row(deployment: Deployment, source: Source, starts_at: dt.datetime, plan: PricePlan) -> DeploymentPrice:
    return DeploymentPrice(
        deployment=deployment,
        starts_at=starts_at,
        input_per_million=plan.input,
        output_per_million=plan.output,
        cached_input_per_million=plan.cached_input,
        cache_write_per_million=plan.cache_write,
        reasoning_per_million=plan.reasoning,
        per_request=plan.per_request,
        tiers=[prices.tier_to_json(tier) for tier in plan.tiers],
        source=PriceSource.PUBLISHED,
        origin=_origin(source),
    )


def _key(deployment: Deployment, source: Source | None) -> tuple[int, dt.datetime, Source | None, str]:
    return deployment.pk, deployment.created_at, source, published_prices.data_version()


def _source(deployment: Deployment) -> Source | None:
    connection = deployment.connection
    return published_prices.source_of(connection.provider, connection.base_url, deployment.provider_model)


def _name(source: Source) -> str:
    return f"{source.provider} {source.model}"[:140]


def _origin(source: Source) -> str:
    return f"{_name(source)}, {published_prices.DISTRIBUTION} {published_prices.data_version()}"
