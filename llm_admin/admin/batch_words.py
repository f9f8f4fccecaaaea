"""What the pages of batches say in numbers: before the start, while they run, and in the list."""

from __future__ import annotations

from typing import Any

from llm_admin.models import Workspace
from llm_admin.selectors.batches import Progress
from llm_admin.selectors.estimates import Range
from llm_admin.selectors.workflow_estimates import RowEstimate
from llm_admin.templatetags import llm_format


def estimate_words(
    found: RowEstimate, *, rows: int, concurrency: int, workspace: Workspace | None, version: Any
) -> dict[str, str]:
    """`cost`, `time` (both "unknown" without history) and `from`: what they rest on."""
    if not found.basis:
        hint = f"{version} has hardly run yet. Run a few rows first, and the next estimate knows."
        return {"cost": llm_format.UNKNOWN, "time": llm_format.UNKNOWN, "from": hint}
    of = str(version) if found.basis == "version" else "this workflow, in other versions"
    return {
        "cost": _cost(found.cost_of(rows), workspace),
        "time": _time(found.time_of(rows, concurrency)),
        "from": f"From {found.runs} past runs of {of}.",
    }


def _cost(found: Range | None, workspace: Workspace | None) -> str:
    if found is None:
        return llm_format.UNKNOWN
    low, high = (llm_format.cost(number, workspace) for number in (found.low, found.high))
    return f"about {low}" if low == high else f"{low} – {high}"


def _time(found: Range | None) -> str:
    if found is None:
        return llm_format.UNKNOWN
    low, high = llm_format.duration(found.low), llm_format.duration(found.high)
    return f"about {low}" if low == high else f"{low} – {high}"


def cost(progress: Progress, workspace: Workspace | None) -> str:
    """The cost of a stopped or broken call is unknown; what is known is told nevertheless."""
    if not progress.calls:
        return "–"
    if progress.cost_nano is None and not progress.known_nano:
        return llm_format.UNKNOWN
    known = llm_format.cost(progress.known_nano, workspace)
    count = progress.unknown_costs
    return f"{known}, and {count:,} row{'s' if count != 1 else ''} unknown" if count else known


def rate(progress: Progress) -> str:
    if progress.rate is None:
        return llm_format.UNKNOWN
    return f"{progress.rate:.0f} a minute" if progress.rate >= 10 else f"{progress.rate:.1f} a minute"


def remaining(progress: Progress) -> str:
    if progress.remaining_seconds is None:
        return llm_format.UNKNOWN
    seconds = round(progress.remaining_seconds)
    if seconds < 60:
        return "less than a minute"
    return (
        f"about {round(seconds / 60)} min"
        if seconds < 3600
        else f"about {seconds // 3600} h {seconds % 3600 // 60} min"
    )


def said(progress: Progress, status_label: str) -> str:
    """For screen readers: changes with every tenth only, so that it is not read out all the time."""
    tenth = int(progress.share * 10) * 10
    failed = f", {progress.failed} failed" if progress.failed else ""
    return f"{status_label}: {tenth} % of {progress.total:,} rows{failed if tenth == 100 else ''}."
