"""Prices that providers publish: genai-prices' data as it was installed. Nothing here asks the network.

The library takes a second to import and 75 MB, so it is imported when a price is looked up for the first time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from llm_admin.schemas.plans import PricePlan, PriceTier

DISTRIBUTION = "genai-prices"
# A provider's own addresses only: a server that merely speaks OpenAI's language has prices of its own. Azure is left
# out on purpose: what a deployment is called there says nothing about the model behind it.
HOSTS = {
    "api.anthropic.com": "anthropic",
    "api.cerebras.ai": "cerebras",
    "api.cohere.ai": "cohere",
    "api.cohere.com": "cohere",
    "api.deepseek.com": "deepseek",
    "api.fireworks.ai": "fireworks",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.moonshot.ai": "moonshotai",
    "api.novita.ai": "novita",
    "api.openai.com": "openai",
    "api.perplexity.ai": "perplexity",
    "api.together.xyz": "together",
    "api.together.ai": "together",
    "api.x.ai": "x-ai",
    "api.z.ai": "zai",
    "generativelanguage.googleapis.com": "google",
    "openrouter.ai": "openrouter",
}
HUGGINGFACE_ROUTER = "router.huggingface.co"  # the model's name says who runs it: "openai/gpt-oss-20b:groq"
OWN_ADDRESS = {  # where a connection of this kind goes when it has no base URL
    "anthropic": "api.anthropic.com",
    "google": "generativelanguage.googleapis.com",
    "huggingface": HUGGINGFACE_ROUTER,
    "openai": "api.openai.com",
}
KINDS = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cached_input",
    "cache_write_mtok": "cache_write",
    "output_reasoning_mtok": "reasoning",
}
# What no log counts: the price of a plain call cannot be told. (Perplexity's fee of a request depends on its search.)
NOT_COUNTED = {"output_citation_mtok", "requests_kcount"}
DIGITS = 6  # behind the point, as the table stores them


@dataclass(frozen=True)
class Published:
    """From `starts_on` on (UTC); None: always. `price.id` is 0: it is no row yet."""

    starts_on: dt.date | None
    price: PricePlan


@dataclass(frozen=True)
class Source:
    """Whose price list holds, and under which name: cheap to find out, without the library."""

    provider: str
    model: str


def data_version() -> str:
    return version(DISTRIBUTION)


def source_of(kind: str, base_url: str, model: str) -> Source | None:
    """None: nobody publishes prices for what answers there."""
    host = _host(base_url or f"https://{OWN_ADDRESS.get(kind, '')}")
    if kind == "fake" or not model:
        return None
    if host == HUGGINGFACE_ROUTER:
        name, _, runner = model.rpartition(":")
        return Source(f"huggingface_{runner}", name) if name else None
    return Source(HOSTS[host], model.removeprefix("models/")) if host in HOSTS else None


def _host(address: str) -> str:
    """ "" for one that is no web address, or that a provider would not use."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return (parts.hostname or "").lower() if parts.scheme == "https" else ""


@lru_cache(maxsize=500)
def published(source: Source) -> tuple[Published, ...]:
    """Oldest first; empty when the list does not have the model, or has no price that can be computed from a log."""
    from genai_prices.data_snapshot import get_snapshot
    from genai_prices.types import ModelPrice

    provider = next((one for one in get_snapshot().providers if one.id == source.provider), None)
    model = provider.find_model(source.model) if provider else None
    if model is None:
        return ()
    if isinstance(model.prices, ModelPrice):
        found = [Published(None, plan)] if (plan := _plan(model.prices)) else []
        return tuple(found)
    return tuple(_dated(model.prices))


def _dated(conditional: Iterable[Any]) -> list[Published]:
    """A price that changes with the time of day is no price for us: it is unknown which one a call had."""
    from genai_prices.types import StartDateConstraint

    found: list[Published] = []
    for one in conditional:
        plan = _plan(one.prices)
        if plan is None or not isinstance(one.constraint, StartDateConstraint | None):
            return []
        found.append(Published(one.constraint.start_date if one.constraint else None, plan))
    return sorted(found, key=lambda one: one.starts_on or dt.date.min)


def _plan(prices: Any) -> PricePlan | None:
    told = {name: value for name, value in vars(prices).items() if value is not None}
    if "input_mtok" not in told or told.keys() & NOT_COUNTED or not _has_output(told):
        return None
    rates = {ours: told[theirs] for theirs, ours in KINDS.items() if theirs in told}
    base = {kind: _exact(_at(value, 0)) for kind, value in rates.items()}
    starts = sorted({tier.start for value in rates.values() for tier in getattr(value, "tiers", ())})
    tiers = tuple(PriceTier(start, **_tier(rates, start + 1)) for start in starts)
    if None in base.values() or any(None in _tier(rates, start + 1).values() for start in starts):
        return None
    return PricePlan(
        id=0,
        input=base["input"] or Decimal(0),
        output=base.get("output") or Decimal(0),
        cached_input=base.get("cached_input"),
        cache_write=base.get("cache_write"),
        reasoning=base.get("reasoning"),
        tiers=tiers,
    )


def _has_output(told: dict[str, Any]) -> bool:
    """Embeddings put out no tokens; a model that puts out only sounds or images has no price per answer in words."""
    return "output_mtok" in told or not any(name.startswith("output_") for name in told)


def _tier(rates: dict[str, Any], tokens: int) -> dict[str, Decimal | None]:
    """Every rate that depends on the length, as it is for a call of so many input tokens."""
    return {kind: _exact(_at(value, tokens)) for kind, value in rates.items() if hasattr(value, "tiers")}


def _at(price: Any, tokens: int) -> Decimal:
    if isinstance(price, Decimal):
        return price
    reached = [tier.price for tier in sorted(price.tiers, key=lambda one: one.start) if tokens > tier.start]
    found: Decimal = reached[-1] if reached else price.base
    return found


def _exact(amount: Decimal) -> Decimal | None:
    """None: it has more digits than the table keeps, and a rounded price would be a wrong one."""
    return amount if amount == round(amount, DIGITS) else None
