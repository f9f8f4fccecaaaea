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
    cells: Sequence[bytes],
    times: Sequence[bytes] | None = None,
    *,
    columns: Iterable[str] = COLUMNS,
    only_calls: bool = False,
) -> tuple[Block, Array]:
    """Many blocks as one, with the number of the block that each cell comes from. Without `times`, no histograms.

    `columns`: the keys that are needed; sums are always there, or of them only the calls.
    """
    needed = {*columns, "calls"} if only_calls else {*columns, *TELLING, *SUMS}
    wanted = [place for place, name in enumerate(COLUMNS) if name in needed]
    parts = [_unpacked(one, len(COLUMNS), wanted) for one in cells]
    lengths = [len(one[0]) for one in parts]
    found = {COLUMNS[place]: _joined([part[n] for part in parts]) for n, place in enumerate(wanted)}
    for name in () if only_calls else TOLD:
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
