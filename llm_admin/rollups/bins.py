"""Histograms of milliseconds that can be added up: log-spaced bins, exact below 128 ms, else within 2.5 %.

As DDSketch (Masson et al., 2019): the ratio of a bin's bounds is GAMMA, its value the one that is equally far from
both, in relation to them. All are whole milliseconds; with a smaller EXACT, rounding alone would be an error of 2.5 %.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

GAMMA = 1.05  # the error is (GAMMA - 1) / (GAMMA + 1) = 2.44 %
EXACT = 128  # below, every millisecond has its own bin
COUNT = EXACT + 360  # up to 128 ms * 1.05 ** 360, which is two months

Ints = npt.NDArray[np.int64]


@lru_cache(maxsize=1)
def _bounds() -> tuple[Ints, Ints]:
    """(the first millisecond of each bin, what its values count as)"""
    edges = EXACT * GAMMA ** np.arange(COUNT - EXACT + 1)
    lows = np.ceil(edges[:-1] - 1e-9).astype(np.int64)
    highs = np.ceil(edges[1:] - 1e-9).astype(np.int64) - 1
    values = np.rint(2 * lows * highs / (lows + highs)).astype(np.int64)
    exact = np.arange(EXACT, dtype=np.int64)
    return np.concatenate([exact, lows]), np.concatenate([exact, values])


def bins_of(milliseconds: Ints) -> npt.NDArray[np.uint16]:
    lows, _ = _bounds()
    return (np.searchsorted(lows, milliseconds, side="right") - 1).clip(0, COUNT - 1).astype(np.uint16)


def percentile(counts: npt.NDArray[np.int64], percent: int) -> int | None:
    """The nearest rank: the smallest value that at least `percent` % of all do not exceed. None: there are none."""
    reached = np.cumsum(counts)
    total = int(reached[-1])
    if not total:
        return None
    rank = -(-percent * total // 100)
    return int(_bounds()[1][int(np.searchsorted(reached, rank))])


def values_of(numbers: Ints) -> Ints:
    """What the values of bins count as."""
    return _bounds()[1][numbers]
