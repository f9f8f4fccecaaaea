"""Rows of the log as a test wants them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from llm_admin.choices import CallStatus, RunKind, RunSource, RunStatus
from llm_admin.models import InteractionLog, InteractionText, Run, Workspace

DEFAULTS: dict[str, Any] = {
    "status": CallStatus.SUCCEEDED,
    "source": RunSource.STUDIO,
    "input_tokens": 100,
    "output_tokens": 50,
    "cost_nano": 1_000_000,
    "latency_ms": 1_000,
}


def unsaved(where: Workspace, *, at: dt.datetime | None = None, **values: Any) -> InteractionLog:
    return InteractionLog(workspace=where, created_at=at or minutes_ago(1), **(DEFAULTS | values))


def log(where: Workspace, *, at: dt.datetime | None = None, **values: Any) -> InteractionLog:
    row = unsaved(where, at=at, **values)
    row.save(force_insert=True)
    return row


def text(row: InteractionLog, **values: Any) -> InteractionText:
    values = {"messages": [{"role": "user", "content": "Hello"}], "answer": "Good day"} | values
    kept = InteractionText(log_id=row.pk, workspace_id=row.workspace_id, **values)
    kept.save(force_insert=True)
    return kept


def run(where: Workspace, *, title: str = "A prompt v1", **values: Any) -> Run:
    values = {"kind": RunKind.PROMPT, "spec": {}, "status": RunStatus.SUCCEEDED, "source": RunSource.STUDIO} | values
    row = Run(workspace=where, title=title, created_at=timezone.now(), **values)
    row.save(force_insert=True)
    return row


def minutes_ago(minutes: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(minutes=minutes)
