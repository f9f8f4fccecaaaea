"""What a step was given when it ran the last time: to try it alone with the same values."""

from __future__ import annotations

from typing import Any

from llm_admin.models import Run, RunStep


def last_values(runs: Any, step_id: str) -> tuple[dict[str, Any], Run | None]:
    """By name, of the newest of these runs in which the step began, else of the newest. Where a workspace keeps no
    texts there are none."""
    newest = runs.order_by("-id")
    row = RunStep.objects.filter(run__in=runs, step_id=step_id, input__isnull=False).order_by("-run_id", "-id").first()
    run = newest.filter(pk=row.run_id).first() if row else newest.first()
    if run is None:
        return {}, None
    made = RunStep.objects.filter(run=run, output__isnull=False).order_by("id").values_list("step_id", "output")
    values = {name: output for name, output in made if name != step_id}
    return {**(run.inputs or {}), **values, **(row.input if row else {})}, run
