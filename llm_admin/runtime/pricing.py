"""What a call cost, in US nano-dollars (1e-9): tokens times the price per million, exactly. Unknown stays None."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from llm_admin.schemas.plans import PricePlan
from llm_admin.schemas.usage import TokenUsage

NANO_PER_MILLIONTH = Decimal(1000)  # dollars per million tokens -> nano-dollars per token


def cost_nano(price: PricePlan | None, usage: TokenUsage) -> int | None:
    if price is None or usage.input is None or usage.output is None:
        return None
    cached = min(usage.cached_input or 0, usage.input)
    cached_price = price.input if price.cached_input is None else price.cached_input
    dollars_per_million = (usage.input - cached) * price.input + cached * cached_price + usage.output * price.output
    return int((dollars_per_million * NANO_PER_MILLIONTH).to_integral_value(ROUND_HALF_EVEN))
