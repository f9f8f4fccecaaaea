"""What is stored of sums is what comes out of them again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_admin.rollups import blocks, grouping
from llm_admin.rollups.codes import STATUSES

cells = st.lists(
    st.fixed_dictionaries(
        {
            "status": st.sampled_from([0, *STATUSES.values(), 255]),
            "cached": st.sampled_from([0, 1]),
            "model": st.integers(0, 10**6),
            "calls": st.integers(1, 10**5),
            "cost": st.integers(0, 10**13),
            "input": st.integers(0, 10**10),
            "output": st.integers(0, 10**10),
            "free": st.integers(0, 10**5),
        }
    ),
    min_size=1,
    max_size=20,
)


def block_of(some: list[dict[str, int]]) -> blocks.Block:
    """As cells of calls are that agree in their status and in whether the cache answered."""
    columns = {name: np.array([one.get(name, 0) for one in some], dtype=np.int64) for name in blocks.COLUMNS}
    calls, tokens, cached = columns["calls"], columns["input"] + columns["output"], columns["cached"]
    free = np.array([one["free"] for one in some])
    columns["failed"] = calls * (columns["status"] == STATUSES["failed"])
    columns["stopped"] = calls * (columns["status"] >= STATUSES["cancelled"])
    columns["hits"], columns["hit_tokens"] = calls * cached, tokens * cached
    columns["priced"] = np.maximum(calls - free, 0)
    columns["paid_tokens"] = np.maximum(tokens - free, 0) * (1 - cached)
    columns["latency"] = calls * 0 + 1
    columns["first"] = calls * 0
    one = np.ones(len(some), dtype=np.int64)
    return blocks.Block(columns, {"latency": blocks.Histograms(one * 200, calls), "first": empty()})


def empty() -> blocks.Histograms:
    return blocks.Histograms(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


def same(one: blocks.Block, other: blocks.Block) -> bool:
    return all((one[name] == other[name]).all() for name in blocks.COLUMNS)


@given(cells)
def test_what_is_packed_comes_out_again(some):
    block = block_of(some)
    found, owner = blocks.unpack(*([one] for one in blocks.pack(blocks.stored(block))))
    assert same(block, found)
    assert (found.times["latency"].counts == block["calls"]).all()
    assert not owner.any()


@given(cells)
def test_sums_of_cells_that_tell_no_status_apart_come_out_again(some):
    whole = grouping.summary(block_of(some), ["model"])
    found, _ = blocks.unpack(*([one] for one in blocks.pack(blocks.stored(whole))))
    assert same(whole, found)


@given(cells)
def test_blocks_of_the_earlier_form_say_the_same(some):
    block = block_of(some)
    earlier = blocks._packed([blocks._narrow(block[name]) for name in blocks.COLUMNS])
    assert same(block, blocks.unpack([blocks.repacked(earlier)])[0])


@pytest.mark.parametrize("value", [1, 10**17])
def test_sums_are_exact_whatever_their_size(value):
    block = block_of([{"calls": 1, "cost": value + n, "free": 0} for n in range(3)])
    assert grouping.group(block, ())["cost"].tolist() == [3 * value + 3]
