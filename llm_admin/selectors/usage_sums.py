"""Sums of what was read, by bucket and by dimension. Imports numpy: imported where numbers are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from llm_admin.rollups import bins, blocks
from llm_admin.rollups.blocks import Array, Histograms
from llm_admin.rollups.codes import value_of
from llm_admin.selectors.usage import Totals
from llm_admin.selectors.usage_reading import Part

EXACT_IN_FLOAT = 2**53
Kept = npt.NDArray[np.bool_]
PERCENTS = (50, 95)
MANY = 5_000  # values: more are numbered by those that occur


class Sums:
    """Over `count` buckets."""

    def __init__(self, parts: Sequence[Part], count: int) -> None:
        self.parts, self.count = parts, count

    def totals(self, first: int, last: int) -> Totals:
        """Of the buckets from `first` up to but not including `last`."""
        sums = {name: int(values[first:last].sum()) for name, values in self._of_buckets.items()}
        found = {name: _percentiles(values[first:last].sum(axis=0)) for name, values in self._times.items()}
        return _totals(sums, found, self._saved(first, last))

    def by(self, dimension: str, first: int, last: int) -> Iterator[tuple[Any, Totals]]:
        view = _View(self.parts, dimension)
        within = (view.bucket >= first) & (view.bucket < last)
        codes, index = _numbered(view.columns[dimension])
        weights = {name: _sum_by(index, view.columns[name] * within, len(codes)) for name in blocks.SUMS}
        times = view.percentiles("latency", index, within)
        models = self._saved_by(dimension, first, last) if "model" in view.columns else {}
        for place, code in enumerate(codes.tolist()):
            if weights["calls"][place]:
                sums = {name: int(values[place]) for name, values in weights.items()}
                found = {"latency": times.get(place, (None, None)), "first": (None, None)}
                yield value_of(dimension, code), _totals(sums, found, models.get(code))

    def by_bucket(self, dimension: str, name: str, where: str) -> dict[int, dict[Any, int]]:
        """Of the values for which `where` is not 0."""
        view = _View(self.parts, dimension)
        if not len(view.bucket):
            return {}
        codes, index = _numbered(view.columns[dimension])
        key = view.bucket * len(codes) + index
        size = self.count * len(codes)
        values, counted = (_sum_by(key, view.columns[one], size) for one in (name, where))
        found: dict[int, dict[Any, int]] = {}
        for place in np.flatnonzero(counted).tolist():
            bucket, code = divmod(place, len(codes))
            found.setdefault(bucket, {})[value_of(dimension, int(codes[code]))] = int(values[place])
        return found

    @cached_property
    def _of_buckets(self) -> dict[str, Array]:
        view = _View(self.parts, "")
        return {name: _sum_by(view.bucket, view.columns[name], self.count) for name in blocks.SUMS}

    @cached_property
    def _times(self) -> dict[str, Array]:
        """By name, a histogram of each bucket."""
        view, size = _View(self.parts, ""), self.count * bins.COUNT
        found = {}
        for name in blocks.TIMES:
            cells, entries = view.entries(name)
            key = view.bucket[cells] * bins.COUNT + entries.bins
            found[name] = _sum_by(key, entries.counts, size).reshape(self.count, bins.COUNT)
        return found

    @cached_property
    def _by_model(self) -> tuple[Array, dict[str, Array]]:
        """(models, by name their sums in each bucket)"""
        view = _View(self.parts, "model")
        codes, index = _numbered(view.columns["model"])
        key, size = view.bucket * len(codes) + index, self.count * len(codes)
        names = ("cost", "paid_tokens", "hit_tokens")
        return codes, {name: _sum_by(key, view.columns[name], size).reshape(self.count, -1) for name in names}

    def _saved(self, first: int, last: int) -> int | None:
        """What the tokens of hits would have cost, at what a token of the same model cost on average in that time."""
        known = list(self._saved_by("model", first, last).values())
        return sum(known) if known else None

    def _saved_by(self, dimension: str, first: int, last: int) -> dict[int, int]:
        if dimension != "model":
            return {}
        codes, sums = self._by_model
        of = {name: values[first:last].sum(axis=0).tolist() for name, values in sums.items()}
        every = zip(codes.tolist(), of["cost"], of["paid_tokens"], of["hit_tokens"], strict=True)
        return {code: hit * cost // asked for code, cost, asked, hit in every if hit and asked}


class _View:
    """The cells that tell a dimension's values apart ("": none is told apart), of all parts."""

    def __init__(self, parts: Sequence[Part], dimension: str) -> None:
        tag = blocks.DIMENSIONS.index(dimension) if dimension else blocks.ALL
        names = [*blocks.SUMS, *blocks.TIMES, *([dimension] if dimension else [])]
        chosen = [(part.block, part.bucket) for part in parts if not part.summary]
        for part in parts:
            if part.summary:
                hit = part.block["tag"] == tag
                chosen.append((blocks.select(part.block, hit), part.bucket[hit]))
        self.columns = {name: _joined([block[name] for block, _ in chosen]) for name in names}
        self.bucket = _joined([bucket for _, bucket in chosen])
        self._chosen = [block for block, _ in chosen]

    def entries(self, name: str) -> tuple[Array, Histograms]:
        """(the cell of each entry of the histograms, the entries)"""
        times = [block.times[name] for block in self._chosen]
        entries = Histograms(_joined([one.bins for one in times]), _joined([one.counts for one in times]))
        return np.repeat(np.arange(len(self.bucket)), self.columns[name]), entries

    def percentiles(
        self, name: str, index: Array, within: npt.NDArray[np.bool_]
    ) -> dict[int, tuple[int | None, int | None]]:
        """By number of the value."""
        cells, entries = self.entries(name)
        kept = within[cells]
        key = index[cells[kept]] * bins.COUNT + entries.bins[kept]
        if not len(key):
            return {}
        keys, places = _numbered(key)
        counts = _sum_by(places, entries.counts[kept], len(keys))
        keys, counts = keys[counts > 0], counts[counts > 0]
        owners, firsts = np.unique(keys // bins.COUNT, return_index=True)
        reached = np.cumsum(counts)
        before = np.concatenate([[0], reached])[firsts]
        sums = np.add.reduceat(counts, firsts)
        found = []
        for percent in PERCENTS:
            rank = -(-percent * sums // 100)
            found.append(bins.values_of(keys[np.searchsorted(reached, before + rank)] % bins.COUNT).tolist())
        return dict(zip(owners.tolist(), zip(*found, strict=True), strict=True))


def _joined(arrays: Sequence[Array]) -> Array:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.int64)


def _numbered(values: Array) -> tuple[Array, Array]:
    """(the values, the place of each one among them); the values of a small range are not sorted first."""
    if not len(values):
        return np.zeros(1, dtype=np.int64), values.astype(np.int64)
    low, high = int(values.min()), int(values.max())
    if high - low < max(MANY, len(values)):
        return np.arange(low, high + 1), values.astype(np.int64) - low
    codes, index = np.unique(values, return_inverse=True)
    return codes, index


def _sum_by(index: Array, values: Array, size: int) -> Array:
    """Whole numbers, exact: floats hold all of them up to 2**53."""
    if len(values) and float(np.abs(values).sum(dtype=np.float64)) >= EXACT_IN_FLOAT:
        sums = np.zeros(size, dtype=np.int64)
        np.add.at(sums, index, values)
        return sums
    return np.bincount(index, weights=values, minlength=size).astype(np.int64)


def _percentiles(counts: Array) -> tuple[int | None, int | None]:
    low, high = (bins.percentile(counts, percent) for percent in PERCENTS)
    return low, high


def _totals(sums: dict[str, int], times: dict[str, tuple[int | None, int | None]], saved: int | None) -> Totals:
    (p50, p95), (first_p50, first_p95) = times["latency"], times["first"]
    return Totals(
        calls=sums["calls"],
        errors=sums["failed"],
        stopped=sums["stopped"],
        cost_nano=sums["cost"] if sums["priced"] or not sums["calls"] else None,
        unknown_cost=sums["calls"] - sums["priced"],
        input_tokens=sums["input"],
        output_tokens=sums["output"],
        p50_ms=p50,
        p95_ms=p95,
        first_p50_ms=first_p50,
        first_p95_ms=first_p95,
        cached=sums["hits"],
        saved_nano=saved,
    )
