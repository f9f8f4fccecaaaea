"""The functions that `llm_admin` itself offers to Python code; see llm_admin/__init__.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asgiref.sync import sync_to_async

from llm_admin.models import Workspace
from llm_admin.services import actors, feedback, workspaces
from llm_admin.services.families import PROMPTS, WORKFLOWS, Family
from llm_admin.services.handles import Handle, Result, handle, known_handle

Inputs = Mapping[str, Any] | None


def get_prompt(slug: str, **which: Any) -> Handle:
    """`which`: label (default: Live), number, workspace (slug or object). Raises NotFound."""
    return handle(PROMPTS, slug, **which)


def get_workflow(slug: str, **which: Any) -> Handle:
    return handle(WORKFLOWS, slug, **which)


def run_prompt(
    slug: str,
    inputs: Inputs = None,
    *,
    model: str | None = None,
    user: Any = None,
    cache: bool = True,
    **which: Any,
) -> Result:
    """Runs a prompt and waits. `cache` False: no answer that was given before. Raises RunFailed (the run is stored),
    InvalidInput, NotFound; inside a running event loop it refuses: use `arun_prompt`."""
    return get_prompt(slug, **which).run(inputs, model=model, user=user, cache=cache)


def run_workflow(
    slug: str,
    inputs: Inputs = None,
    *,
    model: str | None = None,
    user: Any = None,
    cache: bool = True,
    **which: Any,
) -> Result:
    return get_workflow(slug, **which).run(inputs, model=model, user=user, cache=cache)


async def arun_prompt(
    slug: str,
    inputs: Inputs = None,
    *,
    model: str | None = None,
    user: Any = None,
    cache: bool = True,
    **which: Any,
) -> Result:
    found = await _ahandle(PROMPTS, slug, which)
    return await found.arun(inputs, model=model, user=user, cache=cache)


async def arun_workflow(
    slug: str,
    inputs: Inputs = None,
    *,
    model: str | None = None,
    user: Any = None,
    cache: bool = True,
    **which: Any,
) -> Result:
    found = await _ahandle(WORKFLOWS, slug, which)
    return await found.arun(inputs, model=model, user=user, cache=cache)


def give_feedback(
    value: str | None,
    *,
    run_id: Any = None,
    log_id: int | None = None,
    note: str | None = None,
    user: Any = None,
    workspace: Workspace | str | None = None,
) -> None:
    """What somebody thinks of an answer: `value` "up" or "down", None takes it back. Of a run (a workflow's: of what it
    gave back) or of one call. `user` None: one opinion, from code. Raises NotFound, InvalidInput, Conflict."""
    where = workspace if isinstance(workspace, Workspace) else workspaces.by_slug(workspace)
    actor = actors.system(where, user)
    subject = feedback.find(actor=actor, run_id=run_id, log_id=log_id)
    if value is None:
        feedback.remove(actor=actor, subject=subject)
    else:
        feedback.give(actor=actor, subject=subject, value=value, note=note)


async def agive_feedback(value: str | None, **about: Any) -> None:
    await sync_to_async(give_feedback)(value, **about)


async def _ahandle(family: Family, slug: str, which: Mapping[str, Any]) -> Handle:
    return known_handle(family, slug, **which) or await sync_to_async(handle)(family, slug, **which)
