"""What a run will probably cost and take: from past calls of the same version, else of the same model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llm_admin.choices import CallStatus
from llm_admin.models import InteractionLog

LOOKED_AT = 200  # the newest so many calls
WINDOW = 5_000  # among the newest so many calls of the prompt, or of the workspace: all of them could be millions
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
    for basis, rows in _bases(prompt_id, version_id, model):
        found = list(rows.values_list("cost_nano", "latency_ms")[:LOOKED_AT])
        if len(found) >= FEWEST:
            costs, times = zip(*found, strict=True)
            return Estimate(basis, len(found), _range(costs), _range(times))
    return Estimate()


def _bases(prompt_id: int | None, version_id: int | None, model: str | None) -> list[tuple[str, Any]]:
    bases: list[tuple[str, Any]] = []
    if prompt_id and version_id:
        bases.append(("version", _calls(model, prompt_id=prompt_id).filter(prompt_version_id=version_id)))
    if prompt_id:
        bases.append(("prompt", _calls(model, prompt_id=prompt_id)))
    if model:
        bases.append(("model", _calls(model)))
    return bases


def _calls(model: str | None, **where: int) -> Any:
    newest = InteractionLog.objects.filter(**where).order_by("-created_at").values("pk")[:WINDOW]
    calls = InteractionLog.objects.filter(pk__in=newest, status=CallStatus.SUCCEEDED, cached=False)
    calls = calls.filter(model__alias=model) if model else calls
    return calls.order_by("-created_at")


def _range(numbers: tuple[int | None, ...]) -> Range | None:
    known = sorted(number for number in numbers if number is not None)
    if len(known) < FEWEST:
        return None
    last = len(known) - 1
    return Range(known[round(last * 0.1)], known[round(last * 0.9)])
