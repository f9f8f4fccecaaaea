"""What a call cost, in US nano-dollars (1e-9): tokens times the price per million, exactly. Unknown stays None."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from llm_admin.schemas.plans import PricePlan

NANO_PER_MILLIONTH = Decimal(1000)  # dollars per million tokens -> nano-dollars per token


def cost_nano(
    price: PricePlan | None,
    *,
    input_tokens: int | None,
    output_tokens: int | None,
    cached_input_tokens: int | None = None,
) -> int | None:
    """`input_tokens` includes the cached ones, as providers report it."""
    if price is None or input_tokens is None or output_tokens is None:
        return None
    cached = min(cached_input_tokens or 0, input_tokens)
    cached_price = price.input if price.cached_input is None else price.cached_input
    dollars_per_million = (input_tokens - cached) * price.input + cached * cached_price + output_tokens * price.output
    return int((dollars_per_million * NANO_PER_MILLIONTH).to_integral_value(ROUND_HALF_EVEN))
