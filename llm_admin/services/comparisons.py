"""Several versions, drafts and models on the same inputs: all runs of a comparison carry its key.

A run's client key is "<user>:<key>:<column>.<row>.<repetition>"; `row` is the id of a test input, 0 for values that
were typed. So the comparison is found again by its key alone, and a double click starts it once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm_admin.exceptions import InvalidInput
from llm_admin.models import Prompt, PromptTest, PromptVersion, Run
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.services import runs
from llm_admin.services.actors import Actor
from llm_admin.services.prompt_tests import fitting
from llm_admin.tenancy import workspace_scope

MOST_COLUMNS = 4
MOST_TIMES = 10
MOST_RUNS = 100  # as many as one stream follows
_PLACE = re.compile(r"^(\d)\.(\d+)\.(\d)$")
_KEY = re.compile(r"^[0-9a-f]{8,32}$")


@dataclass(frozen=True)
class Choice:
    """One column. `version` None: unsaved text. `model` None: the text's own, or the workspace's default."""

    title: str
    spec: PromptSpec
    version: PromptVersion | None = None
    model: str | None = None


def start(
    prompt: Prompt,
    *,
    actor: Actor,
    choices: Sequence[Choice],
    key: str,
    inputs: Mapping[str, Any] | None = None,
    times: int = 1,
    cache: bool = True,
) -> list[Run]:
    """`inputs` None: all test inputs. `cache` False: no answer that was given before. Raises InvalidInput before
    anything starts."""
    with workspace_scope(actor.workspace):
        tests = list(PromptTest.objects.filter(prompt=prompt)) if inputs is None else []
    _check_size(choices, len(tests) if inputs is None else 1, times, key)
    rows = [(test.pk, test.name, test.inputs, test) for test in tests] or [(0, "", inputs or {}, None)]
    wanted, names = [], []
    for row, name, values, test in rows:
        for column, choice in enumerate(choices):
            wanted += [
                {
                    "actor": actor,
                    "prompt": prompt,
                    "spec": choice.spec,
                    "version": choice.version,
                    "model": choice.model,
                    "inputs": fitting(choice.spec, values),
                    "test": test,
                    "cache": cache and times == 1,  # repeated to see how the answers differ
                    "client_key": f"{_prefix(actor, key)}{column}.{row}.{time}",
                }
                for time in range(times)
            ]
            names += [f"{choice.title}, {name}" if name else choice.title] * times
    return runs.start_prompts(wanted, names=names)


def _check_size(choices: Sequence[Choice], rows: int, times: int, key: str) -> None:
    if not 1 <= len(choices) <= MOST_COLUMNS:
        raise InvalidInput(f"Compare two to {MOST_COLUMNS} columns.")
    if not 1 <= times <= MOST_TIMES:
        raise InvalidInput(f"Repeat between 1 and {MOST_TIMES} times.")
    if not rows:
        raise InvalidInput("This prompt has no test inputs yet. Add some in the studio, or fill in values here.")
    if not _KEY.match(key):
        raise InvalidInput("The page is out of date. Reload it, and try again.")
    total = len(choices) * rows * times
    if total > MOST_RUNS:
        inputs = f"{rows} test inputs" if rows > 1 else "1 input"
        raise InvalidInput(
            f"That would be {total} runs ({len(choices)} columns × {inputs} × {times}). At most {MOST_RUNS} can run at "
            "once: repeat less often, or remove a column."
        )


def _prefix(actor: Actor, key: str) -> str:
    return f"{actor.user.pk if actor.user else 0}:{key}:"


def runs_of(prompt: Prompt, *, actor: Actor, key: str) -> list[tuple[int, int, int, Run]]:
    """(column, row, repetition, run), ordered so. Only one's own: the key of another finds nothing."""
    if not _KEY.match(key):
        return []
    prefix = _prefix(actor, key)
    with workspace_scope(actor.workspace):
        rows = runs.visible(actor=actor).filter(prompt=prompt, client_key__startswith=prefix)
        rows = rows.select_related("test", "prompt_version").defer("spec", "prompt_version__spec")
        places = [(_PLACE.match(run.client_key[len(prefix) :]), run) for run in rows]
    found = [(*(int(part) for part in place.groups()), run) for place, run in places if place]
    return sorted(found, key=lambda one: one[:3])


def stop(prompt: Prompt, *, actor: Actor, key: str) -> None:
    for *_, run in runs_of(prompt, actor=actor, key=key):
        if run.is_open:
            runs.stop(run, actor=actor)
