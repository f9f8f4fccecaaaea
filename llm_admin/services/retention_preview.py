"""What would be removed, before anything is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from llm_admin.models import InteractionLog, InteractionText, Run, Workspace
from llm_admin.services import retention_parts as parts
from llm_admin.services.actors import Actor

MOST = 100_000  # more are not counted: it must not take long


@dataclass(frozen=True)
class Preview:
    """About how many; None: nothing is removed of this kind."""

    texts: int | None
    logs: int | None
    runs: int | None

    @property
    def nothing(self) -> bool:
        return not (self.texts or self.logs or self.runs)

    @property
    def sentence(self) -> str:
        if self.nothing:
            return "Nothing is old enough yet."
        found = []
        if self.texts:
            found.append(f"the texts of {_about(self.texts, 'call')}")
        if self.logs:
            them = "it" if self.logs == 1 else "them"
            found.append(f"{_about(self.logs, 'call')} with all that is known of {them}")
        if self.runs:
            found.append(_about(self.runs, "run"))
        words = found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"
        return f"This would remove {words}."


def _about(number: int, noun: str) -> str:
    """“1 call”, “87 calls”, “about 1,200 calls”: two digits are enough to decide by."""
    if number >= MOST:
        return f"more than {MOST:,} {noun}s"
    rounding = 10 ** max(0, len(str(number)) - 2)
    words = f"about {round(number / rounding) * rounding:,}" if rounding > 1 else f"{number:,}"
    return f"{words} {noun}{'' if number == 1 else 's'}"


def preview(*, actor: Actor, texts_days: int | None, logs_days: int | None) -> Preview:
    """Nothing is changed."""
    actor.require("change_workspace")
    workspace = actor.workspace
    rows_before, texts_before = parts.moment(logs_days), parts.moment(texts_days)
    logs = runs = texts = None
    if rows_before is not None:
        logs = _logs(workspace, Q(created_at__lt=rows_before))[:MOST].count()
        runs = _runs(workspace).filter(pk__lt=parts.first_id(rows_before), ended_at__lt=rows_before)[:MOST].count()
    if texts_before is not None and (rows_before is None or rows_before < texts_before):
        since = Q() if rows_before is None else Q(created_at__gte=rows_before)
        texts = _texts(_logs(workspace, Q(created_at__lt=texts_before) & since))
    return Preview(texts, logs, runs)


def _logs(workspace: Workspace, which: Q) -> Any:
    return InteractionLog._base_manager.filter(which, workspace=workspace).order_by("-created_at")


def _texts(logs: Any) -> int:
    """Of the newest of them: older ones had theirs removed first."""
    newest = logs.values("pk")[:MOST]
    return InteractionText._base_manager.filter(pk__in=newest).count()


def _runs(workspace: Workspace) -> Any:
    return Run._base_manager.filter(workspace=workspace).order_by("pk")
