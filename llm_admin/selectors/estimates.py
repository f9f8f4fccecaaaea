"""What a run will probably cost and take: from past calls of the same version, else of the same model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llm_admin.choices import CallStatus
from llm_admin.models import InteractionLog

LOOKED_AT = 200  # the newest so many calls
FEWEST = 3


@dataclass(frozen=True)
class Range:
    low: int
    high: int

    def times(self, count: int) -> Range:
        return Range(self.low * count, self.high * count)


@dataclass(frozen=True)
class Estimate:
    """Between the tenth and the ninetieth of a hundred calls. Unknown is None.

    `basis`: "version", "prompt", "model" or "" (nothing is known); `calls`: how many past calls it rests on.
    """

    basis: str = ""
    calls: int = 0
    cost_nano: Range | None = None
    latency_ms: Range | None = None


def estimate(*, prompt_id: int | None = None, version_id: int | None = None, model: str | None = None) -> Estimate:
    """`model`: an alias; its calls only. The most specific basis that has at least three calls is taken."""
    calls = InteractionLog.objects.filter(status=CallStatus.SUCCEEDED, cached=False).order_by("-created_at")
    if model:
        calls = calls.filter(model__alias=model)
    bases: list[tuple[str, Any]] = []
    if prompt_id and version_id:
        bases.append(("version", calls.filter(prompt_id=prompt_id, prompt_version_id=version_id)))
    if prompt_id:
        bases.append(("prompt", calls.filter(prompt_id=prompt_id)))
    if model:
        bases.append(("model", calls))
    for basis, rows in bases:
        found = list(rows.values_list("cost_nano", "latency_ms")[:LOOKED_AT])
        if len(found) >= FEWEST:
            return Estimate(
                basis, len(found), _range([cost for cost, _ in found]), _range([latency for _, latency in found])
            )
    return Estimate()


def _range(numbers: list[int | None]) -> Range | None:
    known = sorted(number for number in numbers if number is not None)
    if len(known) < FEWEST:
        return None
    last = len(known) - 1
    return Range(known[round(last * 0.1)], known[round(last * 0.9)])
