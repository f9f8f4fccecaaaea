"""What a call cost, in US nano-dollars (1e-9): tokens times the price per million, exactly. Unknown stays None."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from llm_admin.schemas.plans import PricePlan, PriceTier
from llm_admin.schemas.usage import TokenUsage

NANO_PER_MILLIONTH = Decimal(1000)  # dollars per million tokens -> nano-dollars per token
NANO = Decimal(10) ** 9


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars per million tokens, for calls with more than `above` input tokens."""

    above: int
    input: Decimal
    cached_input: Decimal
    cache_write: Decimal
    output: Decimal
    reasoning: Decimal


@dataclass(frozen=True, slots=True)
class CostLine:
    """`kind` is a field of Rates, or "per_request", whose `rate` is dollars per call and `count` 1."""

    kind: str
    count: int
    rate: Decimal
    nano: Decimal  # exact, not rounded


def cost_nano(price: PricePlan | None, usage: TokenUsage) -> int | None:
    lines = cost_lines(price, usage)
    return None if lines is None else total_nano(lines)


def total_nano(lines: list[CostLine]) -> int:
    return int(sum((line.nano for line in lines), Decimal(0)).to_integral_value(ROUND_HALF_EVEN))


def cost_lines(price: PricePlan | None, usage: TokenUsage) -> list[CostLine] | None:
    """One a kind of token that the call has. None: no price, or the provider did not count.

    Providers' counts of parts (cached, written, reasoning) may be odd: a part is at most its whole, never below 0.
    """
    if price is None or _unknown(usage.input) or _unknown(usage.output):
        return None
    whole_input, whole_output = usage.input or 0, usage.output or 0
    rates = rates_for(price, whole_input)
    cached = _part(usage.cached_input, whole_input)
    written = _part(usage.cache_write, whole_input - cached)
    reasoning = _part(usage.reasoning, whole_output) if rates.reasoning != rates.output else 0
    counts = {
        "input": whole_input - cached - written,
        "cached_input": cached,
        "cache_write": written,
        "output": whole_output - reasoning,
        "reasoning": reasoning,
    }
    lines = [_line(kind, count, getattr(rates, kind)) for kind, count in counts.items() if count]
    if price.per_request:
        lines.append(CostLine("per_request", 1, price.per_request, price.per_request * NANO))
    return lines


def rates_for(price: PricePlan, input_tokens: int) -> Rates:
    """The highest tier that a call of so many input tokens reaches holds for all of its tokens."""
    reached = [tier for tier in price.tiers if input_tokens > tier.above]
    tier = max(reached, key=lambda one: one.above, default=PriceTier(0))
    into = _first(tier.input, price.input)
    out = _first(tier.output, price.output)
    return Rates(
        above=tier.above,
        input=into,
        cached_input=_first(tier.cached_input, price.cached_input, into),
        cache_write=_first(tier.cache_write, price.cache_write, into),
        output=out,
        reasoning=_first(tier.reasoning, price.reasoning, out),
    )


def _line(kind: str, count: int, rate: Decimal) -> CostLine:
    return CostLine(kind, count, rate, count * rate * NANO_PER_MILLIONTH)


def _unknown(count: int | None) -> bool:
    return count is None or count < 0


def _part(count: int | None, whole: int) -> int:
    return min(max(count or 0, 0), whole)


def _first(*amounts: Decimal | None) -> Decimal:
    return next((amount for amount in amounts if amount is not None), Decimal(0))
