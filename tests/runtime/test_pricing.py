"""Tokens times rates, to the nano-dollar."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_admin.runtime.pricing import cost_lines, cost_nano, total_nano
from llm_admin.schemas.plans import PricePlan, PriceTier
from llm_admin.schemas.usage import TokenUsage

FULL = PricePlan(
    id=1,
    input=Decimal("3"),
    output=Decimal("15"),
    cached_input=Decimal("0.3"),
    cache_write=Decimal("3.75"),
    reasoning=Decimal("20"),
    per_request=Decimal("0.005"),
    tiers=(
        PriceTier(200_000, input=Decimal(6), output=Decimal("22.5"), cached_input=Decimal("0.6")),
        PriceTier(500_000, input=Decimal(9)),
    ),
)
PLAIN = PricePlan(id=1, input=Decimal("2.5"), output=Decimal(10))


@pytest.mark.parametrize(
    ("price", "usage", "nano"),
    [
        (PLAIN, TokenUsage(1_000, 100), 2_500_000 + 1_000_000),
        (PLAIN, TokenUsage(1_000, 0, cached_input=400, cache_write=300), 2_500_000),  # as input where it has no rate
        (PLAIN, TokenUsage(1_000, 100, reasoning=60), 2_500_000 + 1_000_000),  # as output
        (PLAIN, TokenUsage(0, 0), 0),
        # 1000 plain, 4000 cached, 5000 written, 40 out, 60 reasoning, one request
        (
            FULL,
            TokenUsage(10_000, 100, cached_input=4_000, cache_write=5_000, reasoning=60),
            3_000_000 + 1_200_000 + 18_750_000 + 600_000 + 1_200_000 + 5_000_000,
        ),
        (FULL, TokenUsage(200_000, 0), 600_000_000 + 5_000_000),  # not more than 200,000
        (FULL, TokenUsage(200_001, 10), 1_200_006_000 + 225_000 + 5_000_000),
        # long calls: what is written costs what the tier does not say, reasoning too
        (
            FULL,
            TokenUsage(300_000, 10, cached_input=100_000, cache_write=100_000, reasoning=10),
            600_000_000 + 60_000_000 + 375_000_000 + 200_000 + 5_000_000,
        ),
        (FULL, TokenUsage(600_000, 10), 5_400_000_000 + 150_000 + 5_000_000),  # only the highest tier holds
    ],
)
def test_by_hand(price, usage, nano):
    assert cost_nano(price, usage) == nano


def test_half_a_nano_dollar_is_rounded_to_even():
    price = PricePlan(id=1, input=Decimal("0.0005"), output=Decimal(0))
    assert [cost_nano(price, TokenUsage(count, 0)) for count in (1, 2, 3, 5)] == [0, 1, 2, 2]


@pytest.mark.parametrize(
    ("price", "usage"),
    [
        (None, TokenUsage(1, 1)),
        (PLAIN, TokenUsage()),
        (PLAIN, TokenUsage(5, None)),
        (PLAIN, TokenUsage(None, 5)),
        (PLAIN, TokenUsage(-5, 5)),
        (PLAIN, TokenUsage(5, -1)),
    ],
)
def test_unknown_stays_unknown(price, usage):
    assert cost_nano(price, usage) is None


counts = st.one_of(st.none(), st.integers(-(10**6), 2**31 - 1))
rates = st.decimals(0, 999_999, places=6)


@given(
    usage=st.builds(TokenUsage, counts, counts, counts, counts, counts),
    price=st.builds(
        PricePlan,
        id=st.just(1),
        input=rates,
        output=rates,
        cached_input=st.none() | rates,
        cache_write=st.none() | rates,
        reasoning=st.none() | rates,
        per_request=st.none() | rates,
        tiers=st.tuples()
        | st.tuples(st.builds(PriceTier, st.integers(1, 10**6), st.none() | rates, st.none() | rates)),
    ),
)
def test_odd_counts_never_give_a_negative_cost_and_each_token_is_paid_once(usage, price):
    cost, lines = cost_nano(price, usage), cost_lines(price, usage)
    if lines is None:
        assert cost is None
        return
    assert 0 <= cost == total_nano(lines) < 2**63
    tokens = {line.kind: line.count for line in lines}
    assert sum(tokens.get(kind, 0) for kind in ("input", "cached_input", "cache_write")) == usage.input
    assert sum(tokens.get(kind, 0) for kind in ("output", "reasoning")) == usage.output
