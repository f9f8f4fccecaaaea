"""A block: the calls of some time as cells, each the sums over the calls that agree in every dimension.

Stored as two compressed strings of columns: `cells`, and `times` (the histograms), which not every reader needs. The
columns of many blocks are joined without looking at each block, which is what makes reading hundreds of them fast.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard

from llm_admin.rollups.bins import COUNT

Array = npt.NDArray[Any]  # whole numbers of any width

# `tag`: the quarter of an hour within the UTC day in a person's block, the dimension in a summary, else 0.
KEYS = (
    "tag",
    "model",
    "deployment",
    "prompt",
    "version",
    "workflow",
    "user",
    "source",
    "status",
    "error",
    "cached",
)
# `priced`: calls of known cost. `paid_tokens`: of calls of known cost that the model answered; `hit_tokens`: of those
# that the cache answered. `failed`, `stopped`, `hits`: calls.
SUMS = ("calls", "failed", "stopped", "hits", "priced", "cost", "input", "output", "paid_tokens", "hit_tokens")
TIMES = ("latency", "first")  # as columns: how many entries of the histograms belong to a cell
COLUMNS = (*KEYS, *SUMS, *TIMES)
DIMENSIONS = KEYS[1:]
PAIRED = ("model", "deployment", "source", "status", "error", "cached")  # of few values, each of many calls
ALL = len(DIMENSIONS)  # the tag of a summary's cell that has everything
TYPES = (np.dtype("u1"), np.dtype("<u2"), np.dtype("<u4"), np.dtype("<i8"))
NUMBER_OF = {one: number for number, one in enumerate(TYPES)}
LEVEL = 3
DENSE = 2_000_000  # numbers
_local = threading.local()


@dataclass
class Histograms:
    """Entries in the order of their cells."""

    bins: Array
    counts: Array


@dataclass
class Block:
    """`columns` by name, of one length; `times` by name, absent where they were not read."""

    columns: dict[str, Array]
    times: dict[str, Histograms]

    def __len__(self) -> int:
        return len(self.columns["calls"])

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]


def pack(block: Block) -> tuple[bytes, bytes]:
    """(cells, times) of a narrow block."""
    times = [part for name in TIMES for part in (block.times[name].bins, block.times[name].counts)]
    return _packed([block[name] for name in COLUMNS]), _packed(times)


def _packed(columns: list[Array]) -> bytes:
    """First the type and the length of each."""
    head = struct.pack(f"<{'BI' * len(columns)}", *(one for c in columns for one in (NUMBER_OF[c.dtype], len(c))))
    return _contexts()[0].compress(b"".join([head, *(column.tobytes() for column in columns)]))


def _unpacked(data: bytes, count: int, wanted: Sequence[int]) -> list[Array]:
    """Those columns of `count` whose places are `wanted`, in this order."""
    raw = _contexts()[1].decompress(data)
    head = struct.unpack_from(f"<{'BI' * count}", raw)
    offset, found = struct.calcsize(f"<{'BI' * count}"), []
    for place in range(count):
        kind, length = TYPES[head[2 * place]], head[2 * place + 1]
        if place in wanted:
            found.append(np.frombuffer(raw, kind, length, offset))
        offset += kind.itemsize * length
    return found


def narrow(block: Block) -> Block:
    """With the smallest types that hold it."""
    columns = {name: _narrow(block[name]) for name in COLUMNS}
    times = {name: Histograms(_narrow(entries.bins), _narrow(entries.counts)) for name, entries in block.times.items()}
    return Block(columns, times)


def _narrow(values: Array) -> Array:
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    kinds = (one for one in TYPES[:-1] if low >= 0 and high <= np.iinfo(one).max)
    return values.astype(next(kinds, TYPES[-1]), copy=False)


def _contexts() -> tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor]:
    """Of this thread: making them costs more than a small block does."""
    found: tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor] | None = getattr(_local, "contexts", None)
    if found is None:
        found = _local.contexts = zstandard.ZstdCompressor(level=LEVEL), zstandard.ZstdDecompressor()
    return found


def unpack(
    cells: Sequence[bytes], times: Sequence[bytes] | None = None, *, columns: Iterable[str] = COLUMNS
) -> tuple[Block, Array]:
    """Many blocks as one, with the number of the block that each cell comes from. Without `times`, no histograms."""
    wanted = [place for place, name in enumerate(COLUMNS) if name in set(columns)]
    parts = [_unpacked(one, len(COLUMNS), wanted) for one in cells]
    lengths = [len(one[0]) for one in parts]
    found = {COLUMNS[place]: _joined([part[n] for part in parts]) for n, place in enumerate(wanted)}
    block = Block(found, {} if times is None else _unpack_times(times))
    return block, np.repeat(np.arange(len(cells)), lengths)


def _unpack_times(times: Sequence[bytes]) -> dict[str, Histograms]:
    count = 2 * len(TIMES)
    parts = [_unpacked(one, count, range(count)) for one in times]
    joined = [_joined([part[place] for part in parts]) for place in range(count)]
    return {name: Histograms(joined[2 * n], joined[2 * n + 1]) for n, name in enumerate(TIMES)}


def _joined(arrays: Sequence[Array]) -> Array:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.int64)


def concat(blocks: Sequence[Block]) -> Block:
    columns = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0].columns}
    times = {
        name: Histograms(
            np.concatenate([block.times[name].bins for block in blocks]),
            np.concatenate([block.times[name].counts for block in blocks]),
        )
        for name in blocks[0].times
    }
    return Block(columns, times)


def select(block: Block, mask: npt.NDArray[np.bool_]) -> Block:
    times = {}
    for name, entries in block.times.items():
        kept = np.repeat(mask, block[name])
        times[name] = Histograms(entries.bins[kept], entries.counts[kept])
    return Block({name: values[mask] for name, values in block.columns.items()}, times)


def split(block: Block, values: Array) -> Iterator[tuple[int, Block]]:
    """The block of each value, in their order; `values`: one for each cell."""
    if not len(block):
        return
    if (values[1:] < values[:-1]).any():
        order = np.argsort(values, kind="stable")
        block, values = take(block, order), values[order]
    bounds = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(values)]
    ends = {key: np.concatenate([[0], np.cumsum(block[key], dtype=np.int64)])[bounds].tolist() for key in block.times}
    for place, (start, end) in enumerate(pairwise(bounds)):
        times = {}
        for key, entries in block.times.items():
            first, last = ends[key][place], ends[key][place + 1]
            times[key] = Histograms(entries.bins[first:last], entries.counts[first:last])
        yield int(values[start]), Block({key: part[start:end] for key, part in block.columns.items()}, times)


def take(block: Block, order: Array) -> Block:
    """The cells in another order."""
    times = {}
    for name, entries in block.times.items():
        lengths = block[name].astype(np.int64)
        begins = np.cumsum(lengths) - lengths
        taken = lengths[order]
        places = np.repeat(begins[order] - (np.cumsum(taken) - taken), taken) + np.arange(taken.sum())
        times[name] = Histograms(entries.bins[places], entries.counts[places])
    return Block({name: values[order] for name, values in block.columns.items()}, times)


def group(block: Block, keep: Iterable[str]) -> Block:
    """The sums by the dimensions in `keep`; the others are 0 afterwards."""
    count = len(block)
    if not count:
        return block
    kept = set(keep)
    order, firsts = _runs(_joint_key([block[name] for name in KEYS if name in kept], count))
    columns = {
        name: block[name][order[firsts]] if name in kept else np.zeros(len(firsts), dtype=np.int64) for name in KEYS
    }
    for name in SUMS:
        columns[name] = np.add.reduceat(block[name][order].astype(np.int64), firsts)
    number = np.empty(count, dtype=np.int64)  # of the new cell, by the old one
    number[order] = np.repeat(np.arange(len(firsts)), np.diff(np.append(firsts, count)))
    times = {}
    for name, entries in block.times.items():
        times[name], columns[name] = _merged(entries, np.repeat(number, block[name]), len(firsts))
    return Block(columns, times)


def _merged(entries: Histograms, cells: Array, count: int) -> tuple[Histograms, Array]:
    """The entries by their new cells, and how many each cell has."""
    if not len(cells):
        return entries, np.zeros(count, dtype=np.int64)
    key = cells * COUNT + entries.bins
    if (
        count * COUNT <= DENSE
    ):  # without sorting; the counts of a block are far below 2**53, up to which floats are exact
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


def _joint_key(columns: list[Array], count: int) -> Array:
    """One number for each combination that occurs."""
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
    return key


def summary(cube: Block, whole: Block) -> Block:
    """For each dimension alone its sums, and everything in one cell. `cube`: the whole without people."""
    return concat([_alone(cube, ()), _tagged(whole, ("user",), "user")])


def pairs(cube: Block, name: str) -> Block:
    """A summary of each value of a dimension."""
    return _alone(cube, (name,))


def _alone(cube: Block, also: tuple[str, ...]) -> Block:
    names = [name for name in DIMENSIONS if name != "user"]
    return concat([_tagged(cube, also, ""), *(_tagged(cube, (*also, name), name) for name in names)])


def _tagged(block: Block, keep: tuple[str, ...], name: str) -> Block:
    part = group(block, keep)
    tag = DIMENSIONS.index(name) if name else ALL
    part.columns["tag"] = np.full(len(part), tag, dtype=np.int64)
    return part


def spread(values: Sequence[int], owner: Array) -> Array:
    """A number of each block, for each of its cells."""
    return np.asarray(values, dtype=np.int64)[owner]
