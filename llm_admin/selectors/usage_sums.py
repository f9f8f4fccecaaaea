"""Sums of what was read, by bucket and by dimension. Imports numpy: imported where numbers are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from llm_admin.rollups import bins, blocks
from llm_admin.rollups.blocks import Array, Histograms
from llm_admin.rollups.codes import value_of
from llm_admin.selectors.usage import Totals
from llm_admin.selectors.usage_reading import Part

EXACT_IN_FLOAT = 2**53
PERCENTS = (50, 95)
MANY = 5_000  # values: more are numbered by those that occur


class Sums:
    """Over `count` buckets."""

    def __init__(self, parts: Sequence[Part], count: int) -> None:
        self.cells, self.count = _Cells(parts), count

    def totals(self, first: int, last: int) -> Totals:
        """Of the buckets from `first` up to but not including `last`."""
        sums = {name: int(values[first:last].sum()) for name, values in self._of_buckets.items()}
        found = {name: _percentiles(values[first:last].sum(axis=0)) for name, values in self._times.items()}
        return _totals(sums, found, self._saved(first, last))

    def by(self, dimension: str, first: int, last: int) -> Iterator[tuple[Any, Totals]]:
        view = self.cells.within(first, last).view(dimension)
        codes, index = _numbered(view.columns[dimension])
        weights = {name: _sum_by(index, view.columns[name], len(codes)) for name in blocks.SUMS}
        times = view.percentiles("latency", index)
        models = self._saved_by(dimension, first, last)
        for place, code in enumerate(codes.tolist()):
            if weights["calls"][place]:
                sums = {name: int(values[place]) for name, values in weights.items()}
                found = {"latency": times.get(place, (None, None)), "first": (None, None)}
                yield value_of(dimension, code), _totals(sums, found, models.get(code))

    def by_bucket(self, dimension: str, name: str, where: str) -> dict[int, dict[Any, int]]:
        """Of the values for which `where` is not 0."""
        view = self.cells.view(dimension)
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
        view = self.cells.view("")
        return {name: _sum_by(view.bucket, view.columns[name], self.count) for name in blocks.SUMS}

    @cached_property
    def _times(self) -> dict[str, Array]:
        """By name, a histogram of each bucket."""
        view, size = self.cells.view(""), self.count * bins.COUNT
        found = {}
        for name in blocks.TIMES:
            entries = view.times[name]
            key = np.repeat(view.bucket * bins.COUNT, view.columns[name]) + entries.bins
            found[name] = _sum_by(key, entries.counts, size).reshape(self.count, bins.COUNT)
        return found

    @cached_property
    def _by_model(self) -> tuple[Array, dict[str, Array]]:
        """(models, by name their sums in each bucket)"""
        view = self.cells.view("model")
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


class _Cells:
    """All that was read, the cells by everything as one. `within` and `view` are made once for each of their kind."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.summaries = [part for part in parts if part.summary]
        self.whole = _as_one([part for part in parts if not part.summary])
        self._within: dict[tuple[int, int], _Cells] = {}

    def within(self, first: int, last: int) -> _Cells:
        """Those of the buckets from `first` up to but not including `last`."""
        if (first, last) not in self._within:
            some = [part for part in (*self.summaries, self.whole) if part is not None]
            self._within[first, last] = _Cells([_cut(part, first, last) for part in some])
        return self._within[first, last]

    def view(self, dimension: str) -> _View:
        """The cells that tell a dimension's values apart; "": none is told apart."""
        tag = blocks.DIMENSIONS.index(dimension) if dimension else blocks.ALL
        names = [*blocks.SUMS, *blocks.TIMES, *([dimension] if dimension else [])]
        chosen = [] if self.whole is None else [self.whole]
        for part in self.summaries:
            hit = part.block["tag"] == tag
            chosen.append(Part(blocks.select(part.block, hit), part.bucket[hit]))
        return _View(chosen, names)


def _as_one(parts: Sequence[Part]) -> Part | None:
    parts = [part for part in parts if len(part.block)]
    if len(parts) < 2:
        return parts[0] if parts else None
    names = set.intersection(*(set(part.block.columns) for part in parts))
    some = [blocks.Block({name: part.block[name] for name in names}, part.block.times) for part in parts]
    return Part(blocks.concat(some), np.concatenate([part.bucket for part in parts]))


def _cut(part: Part, first: int, last: int) -> Part:
    kept = (part.bucket >= first) & (part.bucket < last)
    if kept.all():
        return part
    return Part(blocks.select(part.block, kept), part.bucket[kept], part.summary)


class _View:
    def __init__(self, chosen: Sequence[Part], names: Sequence[str]) -> None:
        self.columns = {name: _joined([part.block[name] for part in chosen]) for name in names}
        self.bucket = _joined([part.bucket for part in chosen])
        self.times = {
            name: Histograms(
                _joined([part.block.times[name].bins for part in chosen]),
                _joined([part.block.times[name].counts for part in chosen]),
            )
            for name in blocks.TIMES
        }

    def percentiles(self, name: str, index: Array) -> dict[int, tuple[int | None, int | None]]:
        """By number of the value."""
        entries = self.times[name]
        key = np.repeat(index * bins.COUNT, self.columns[name]) + entries.bins
        if not len(key):
            return {}
        keys, places = _numbered(key)
        counts = _sum_by(places, entries.counts, len(keys))
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
    if len(arrays) == 1:
        return arrays[0]
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
    if len(values) and max(int(values.max()), -int(values.min())) * len(values) >= EXACT_IN_FLOAT:
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
