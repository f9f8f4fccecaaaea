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
from llm_admin.rollups.codes import STATUSES

Array = npt.NDArray[Any]  # whole numbers of any width

# `tag`: in a summary the dimension that the cell tells apart, in rows the quarter of an hour, else 0.
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
# Sums that are stored as what they are more, or less, than is told by others; in this order.
MORE, LESS = ("failed", "stopped", "hits", "hit_tokens"), ("priced", "paid_tokens")
TOLD = (*MORE, *LESS)
TELLING = ("status", "cached")
DIMENSIONS = KEYS[1:]
ALL = len(DIMENSIONS)  # the tag of a summary's cell that tells nothing apart but its keys
TYPES = (np.dtype("u1"), np.dtype("<u2"), np.dtype("<u4"), np.dtype("<i8"))
NUMBER_OF = {one: number for number, one in enumerate(TYPES)}
LEVEL = 3
DENSE = 2_000_000  # numbers
EXACT_IN_FLOAT = 2**53
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
    """(cells, times) of a block in its stored form."""
    times = [part for name in TIMES for part in (block.times[name].bins, block.times[name].counts)]
    return _packed([block[name] for name in COLUMNS]), _packed(times)


def repacked(cells: bytes) -> bytes:
    """Of the form in which all sums were stored as they are, before migration 0010."""
    columns = dict(zip(COLUMNS, _unpacked(cells, len(COLUMNS), range(len(COLUMNS))), strict=True))
    form = stored(Block(columns, {}))
    return _packed([form[name] for name in COLUMNS])


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


def stored(block: Block) -> Block:
    """The form in which it is packed: of some sums only what they differ from others, all in the smallest types."""
    columns = dict(block.columns)
    for name in TOLD:
        columns[name] = np.abs(_told(name, block.columns) - block[name].astype(np.int64))
    columns = {name: _narrow(columns[name]) for name in COLUMNS}
    times = {name: Histograms(_narrow(entries.bins), _narrow(entries.counts)) for name, entries in block.times.items()}
    return Block(columns, times)


def _told(name: str, columns: dict[str, Array]) -> Array:
    """What a sum is where status and `cached` are told apart and all costs are known."""
    if name == "failed":
        return columns["calls"] * (columns["status"] == STATUSES["failed"])
    if name == "stopped":
        return columns["calls"] * (columns["status"] >= STATUSES["cancelled"])
    if name in ("hits", "priced"):
        return columns["calls"] * (columns["cached"] if name == "hits" else 1)
    tokens = columns["input"].astype(np.int64) + columns["output"]
    return tokens * columns["cached"] if name == "hit_tokens" else tokens - columns["hit_tokens"]


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
    """Many blocks as one, with the number of the block that each cell comes from. Without `times`, no histograms.

    `columns`: the keys that are needed; sums are always there.
    """
    wanted = [place for place, name in enumerate(COLUMNS) if name in {*columns, *TELLING, *SUMS}]
    parts = [_unpacked(one, len(COLUMNS), wanted) for one in cells]
    lengths = [len(one[0]) for one in parts]
    found = {COLUMNS[place]: _joined([part[n] for part in parts]) for n, place in enumerate(wanted)}
    for name in TOLD:
        told = _told(name, found)
        found[name] = told + found[name] if name in MORE else told - found[name]
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
    if size > DENSE:
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
