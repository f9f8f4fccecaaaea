"""Following runs: what has arrived so far, and what comes next, for any number of runs over one stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from llm_admin.models import Run


@dataclass(frozen=True)
class Snapshot:
    """`texts`: step path ("" in a prompt's run) -> the text so far. Following from `position` misses nothing."""

    position: int
    texts: dict[str, str] = field(default_factory=dict)


def snapshot(run: Run) -> Snapshot:
    """From this process's channel, else from the checkpoints in the database."""
    raise NotImplementedError


async def follow(positions: Mapping[str, int]) -> AsyncIterator[tuple[str, int, dict[str, object]]]:
    """(run id, position, event) of every run, until all have ended. The caller has checked who may see them.

    A comment-like event {"type": "ping"} with run id "" comes every 15 seconds.
    """
    raise NotImplementedError
    yield
