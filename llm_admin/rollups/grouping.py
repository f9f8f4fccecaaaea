"""Adding up the cells of blocks: by some of their dimensions, and as summaries by each dimension alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from llm_admin.rollups.bins import COUNT
from llm_admin.rollups.blocks import ALL, DIMENSIONS, KEYS, SUMS, Array, Block, Histograms, concat, split

DENSE = 16  # possible keys for each one that there is: with more, sorting is faster than a table of all
EXACT_IN_FLOAT = 2**53


def group(block: Block, keep: Iterable[str]) -> Block:
    """The sums by the dimensions in `keep`, in their order; the others are 0 afterwards."""
    count = len(block)
    if not count:
        return block
    kept = set(keep)
    number, examples = _groups(*_joint_key([block[name] for name in KEYS if name in kept], count))
    size = len(examples)
    columns = {name: block[name][examples] if name in kept else np.zeros(size, dtype=np.int64) for name in KEYS}
    columns |= {name: sum_by(number, block[name], size) for name in SUMS}
    times = {}
    for name, entries in block.times.items():
        times[name], columns[name] = _merged(entries, np.repeat(number, block[name]), size)
    return Block(columns, times)


def _groups(key: Array, size: int) -> tuple[Array, Array]:
    """(of each cell the number of its group, of each group one of its cells); groups are in the order of their keys."""
    if size > DENSE * len(key):
        _, examples, number = np.unique(key, return_index=True, return_inverse=True)
        return number, examples
    example = np.full(size, -1)
    example[key] = np.arange(len(key))
    there = example >= 0
    return (np.cumsum(there) - 1)[key], example[there]


def weights(values: Array) -> Array:
    """As floats, which are added up fastest, where their sum is below 2**53: up to there floats are exact."""
    if len(values) and max(int(values.max()), -int(values.min())) * len(values) >= EXACT_IN_FLOAT:
        return values.astype(np.int64)
    return values.astype(np.float64)


def sum_by(index: Array, values: Array, size: int) -> Array:
    """Whole numbers, exact. `values`: as `weights` gives them, or any."""
    values = values if values.dtype == np.float64 else weights(values)
    if values.dtype == np.float64:
        return np.bincount(index, weights=values, minlength=size).astype(np.int64)
    sums = np.zeros(size, dtype=np.int64)
    np.add.at(sums, index, values)
    return sums


def _merged(entries: Histograms, cells: Array, count: int) -> tuple[Histograms, Array]:
    """The entries by their new cells, and how many each cell has."""
    if not len(cells):
        return entries, np.zeros(count, dtype=np.int64)
    key = cells * COUNT + entries.bins
    if count * COUNT <= DENSE * len(key):  # the counts of a block are far below 2**53, up to which floats are exact
        dense = np.bincount(key, weights=entries.counts).astype(np.int64)
        keys = np.flatnonzero(dense)
        return Histograms(keys % COUNT, dense[keys]), np.bincount(keys // COUNT, minlength=count)
    order, firsts = _runs(key)
    counts = np.add.reduceat(entries.counts[order].astype(np.int64), firsts)
    keys = key[order[firsts]]
    return Histograms(keys % COUNT, counts), np.bincount(keys // COUNT, minlength=count)


def _runs(key: Array) -> tuple[Array, Array]:
    """(the order that sorts the key, where in it each run of equal ones begins)"""
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    return order, np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))


def _joint_key(columns: list[Array], count: int) -> tuple[Array, int]:
    """(one number for each combination that occurs, what all of them are below)"""
    key, size = np.zeros(count, dtype=np.int64), 1
    for column in columns:
        low = int(column.min())
        span = int(column.max()) - low + 1
        if span > 4096:
            values, codes = np.unique(column, return_inverse=True)
            span = len(values)
        else:
            codes = column.astype(np.int64) - low
        if size * span >= 2**62:
            values, key = np.unique(key, return_inverse=True)
            size = len(values)
        key, size = key * span + codes, size * span
    return key, size


def summary(block: Block, names: Iterable[str], keys: Sequence[str] = ()) -> Block:
    """By `keys` alone, and by them and each of `names`. Times to the first token only by `keys` alone: nobody asks."""
    rest = _weights(_without_first(block))
    return concat([_tagged(block, keys, ""), *(_tagged(rest, keys, name) for name in names)])


def summaries(block: Block, numbers: Array, names: Iterable[str]) -> Iterator[tuple[int, Block]]:
    """The summary of the cells of each number, in their order."""
    block = Block(block.columns | {"tag": numbers}, block.times)
    rest = _weights(_without_first(block))
    parts, owners = [], []
    for name in ("", *names):
        part = group(rest if name else block, ("tag", name))
        owners.append(part["tag"])
        parts.append(_with_tag(part, name))
    yield from split(concat(parts), np.concatenate(owners))


def _tagged(block: Block, keys: Sequence[str], name: str) -> Block:
    return _with_tag(group(block, (*keys, name)), name)


def _with_tag(block: Block, name: str) -> Block:
    tag = np.full(len(block), DIMENSIONS.index(name) if name else ALL, dtype=np.int64)
    return Block(block.columns | {"tag": tag}, block.times)


def _without_first(block: Block) -> Block:
    none = np.zeros(0, dtype=np.int64)
    columns = block.columns | {"first": np.zeros(len(block), dtype=np.int64)}
    return Block(columns, block.times | {"first": Histograms(none, none)})


def _weights(block: Block) -> Block:
    """Sums as what they are added up as, so that this is done once."""
    return Block(block.columns | {name: weights(block[name]) for name in SUMS}, block.times)
