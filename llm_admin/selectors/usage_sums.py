"""Sums of what was read, by bucket and by dimension. Imports numpy: imported where numbers are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from llm_admin.rollups import bins, blocks, grouping
from llm_admin.rollups.blocks import Array, Block
from llm_admin.rollups.codes import value_of
from llm_admin.selectors.usage import Totals
from llm_admin.selectors.usage_reading import Part

PERCENTS = (50, 95)
MANY = 5_000  # values: more are numbered by sorting them
OF_SLICES = ("calls", "failed", "stopped", "hits", "priced", "cost", "input", "output")
OF_MODELS = ("cost", "paid_tokens", "hit_tokens")


class Sums:
    """Over `count` buckets."""

    def __init__(self, parts: Sequence[Part], count: int) -> None:
        self.cells, self.count = [_Cells(part) for part in parts if len(part.block)], count

    def totals(self, first: int, last: int) -> Totals:
        """Of the buckets from `first` up to but not including `last`."""
        sums = {name: sum(values[first:last]) for name, values in self._of_buckets.items()}
        if last - first == 1:
            found = {name: ranks[first] for name, ranks in self._times_of_buckets.items()}
        else:
            found = {name: _ranks(times[first:last].sum(axis=0)[None])[0] for name, times in self._times.items()}
        return _totals(sums, found, self._saved(first, last))

    def by(self, dimension: str, first: int, last: int) -> Iterator[tuple[Any, Totals]]:
        views = self._views(dimension)
        codes, indices = _numbered([view[dimension] for view in views])
        others = len(codes)  # where the cells of other buckets go
        indices = [
            np.where((view.bucket >= first) & (view.bucket < last), index, others)
            for view, index in zip(views, indices, strict=True)
        ]
        weights = {name: _sum(views, indices, name, others + 1).tolist() for name in OF_SLICES}
        times = _ranks(_histograms(views, indices, "latency", others + 1))
        models = self._saved_by_model(first, last) if dimension == "model" else {}
        for place, code in enumerate(codes.tolist()):
            if weights["calls"][place]:
                sums = {name: values[place] for name, values in weights.items()}
                found = {"latency": times[place], "first": (None, None)}
                yield value_of(dimension, code), _totals(sums, found, models.get(code))

    def by_bucket(self, dimension: str, name: str, where: str) -> dict[int, dict[Any, int]]:
        """Of the values for which `where` is not 0."""
        views = self._views(dimension)
        codes, indices = _numbered([view[dimension] for view in views])
        keys = [view.bucket * len(codes) + index for view, index in zip(views, indices, strict=True)]
        values, counted = (_sum(views, keys, one, self.count * len(codes)) for one in (name, where))
        found: dict[int, dict[Any, int]] = {}
        for place in np.flatnonzero(counted).tolist():
            bucket, code = divmod(place, len(codes))
            found.setdefault(bucket, {})[value_of(dimension, int(codes[code]))] = int(values[place])
        return found

    def _views(self, dimension: str) -> list[_View]:
        return [view for cells in self.cells if (view := cells.view(dimension)) is not None]

    @cached_property
    def _of_buckets(self) -> dict[str, list[int]]:
        views = self._views("")
        buckets = [view.bucket for view in views]
        return {name: _sum(views, buckets, name, self.count).tolist() for name in OF_SLICES}

    @cached_property
    def _times(self) -> dict[str, Array]:
        """By name, a histogram of each bucket."""
        views = self._views("")
        buckets = [view.bucket for view in views]
        return {name: _histograms(views, buckets, name, self.count) for name in blocks.TIMES}

    @cached_property
    def _times_of_buckets(self) -> dict[str, list[tuple[int | None, int | None]]]:
        return {name: _ranks(times) for name, times in self._times.items()}

    @cached_property
    def _by_model(self) -> tuple[list[int], dict[str, list[list[int]]]]:
        """(models, by name their sums in each bucket)"""
        views = self._views("model")
        codes, indices = _numbered([view["model"] for view in views])
        keys = [view.bucket * len(codes) + index for view, index in zip(views, indices, strict=True)]
        size = self.count * len(codes)
        return codes.tolist(), {
            name: _sum(views, keys, name, size).reshape(self.count, -1).tolist() for name in OF_MODELS
        }

    def _saved(self, first: int, last: int) -> int | None:
        """What the tokens of hits would have cost, at what a token of the same model cost on average in that time."""
        known = list(self._saved_by_model(first, last).values())
        return sum(known) if known else None

    def _saved_by_model(self, first: int, last: int) -> dict[int, int]:
        codes, sums = self._by_model
        cost, paid, hits = ([sum(column) for column in zip(*sums[name][first:last], strict=True)] for name in OF_MODELS)
        every = zip(codes, cost, paid, hits, strict=True)
        return {code: hit * cost // asked for code, cost, asked, hit in every if hit and asked}


class _View:
    """Cells that are told apart by one dimension at least. `weights` are made once, however often they are added up."""

    def __init__(self, block: Block, bucket: Array) -> None:
        self.block, self.bucket = block, bucket
        self._weights: dict[str, Array] = {}

    def __getitem__(self, name: str) -> Array:
        return self.block[name]

    def weights(self, name: str) -> Array:
        if name not in self._weights:
            self._weights[name] = grouping.weights(self.block[name])
        return self._weights[name]


class _Cells:
    def __init__(self, part: Part) -> None:
        self.part = part
        self.whole = _View(part.block, part.bucket)

    def view(self, dimension: str) -> _View | None:
        """The cells that tell a dimension's values apart, None: there are none; "": none is told apart."""
        if self.part.keys is None:
            return self.whole
        tag = blocks.DIMENSIONS.index(dimension) if dimension and dimension not in self.part.keys else blocks.ALL
        return self._by_tag.get(tag)

    @cached_property
    def _by_tag(self) -> dict[int, _View]:
        found, begin = {}, 0
        for tag, block in blocks.split(self.part.block, self.part.block["tag"]):
            found[tag] = _View(block, self.part.bucket[begin : begin + len(block)])
            begin += len(block)
        return found


def _numbered(columns: Sequence[Array]) -> tuple[Array, list[Array]]:
    """(the values that occur, for each column the place of each of its values among them)"""
    if not columns:
        return np.zeros(0, dtype=np.int64), []
    low, high = min(int(one.min()) for one in columns), max(int(one.max()) for one in columns)
    if high - low >= max(MANY, sum(map(len, columns))):
        codes = np.unique(np.concatenate([np.unique(one) for one in columns]))
        return codes, [np.searchsorted(codes, one) for one in columns]
    shifted = [one.astype(np.int64) - low for one in columns]
    there = np.zeros(high - low + 1, dtype=bool)
    for one in shifted:
        there[one] = True
    places = np.cumsum(there) - 1
    return np.flatnonzero(there) + low, [places[one] for one in shifted]


def _sum(views: Sequence[_View], indices: Sequence[Array], name: str, size: int) -> Array:
    total = np.zeros(size, dtype=np.int64)
    for view, index in zip(views, indices, strict=True):
        total += grouping.sum_by(index, view.weights(name), size)
    return total


def _histograms(views: Sequence[_View], indices: Sequence[Array], name: str, size: int) -> Array:
    """One of each index."""
    total = np.zeros(size * bins.COUNT, dtype=np.int64)
    for view, index in zip(views, indices, strict=True):
        entries = view.block.times[name]
        key = np.repeat(index * bins.COUNT, view[name]) + entries.bins
        total += grouping.sum_by(key, entries.counts, len(total))
    return total.reshape(size, bins.COUNT)


def _ranks(histograms: Array) -> list[tuple[int | None, int | None]]:
    """The percentiles of each row."""
    reached = np.cumsum(histograms, axis=1)
    total = reached[:, -1]
    found = []
    for percent in PERCENTS:
        rank = -(-percent * total // 100)
        place = (reached < rank[:, None]).sum(axis=1).clip(max=bins.COUNT - 1)
        values = bins.values_of(place).tolist()
        found.append([value if count else None for value, count in zip(values, total.tolist(), strict=True)])
    return list(zip(*found, strict=True))


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
