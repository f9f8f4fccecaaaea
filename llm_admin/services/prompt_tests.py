"""Test inputs of a prompt: named values, and what the answers to them must fulfil."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.models import Prompt, PromptTest, PromptVersion, Run
from llm_admin.schemas.base import parse
from llm_admin.schemas.checks import TestInput
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.services import runs
from llm_admin.services.actors import Actor
from llm_admin.services.secrets import refuse_secrets
from llm_admin.tenancy import workspace_scope

MOST_TESTS = 100


def as_spec(test: PromptTest) -> TestInput:
    return TestInput(name=test.name, inputs=test.inputs, checks=test.checks)


def save(prompt: Prompt, *, actor: Actor, data: Any, test: PromptTest | None = None) -> PromptTest:
    """A new test input, or `test` changed; `data` as `TestInput` reads it. Raises InvalidInput."""
    actor.require("change_prompt")
    spec = parse(TestInput, data)
    refuse_secrets(actor.workspace, spec)
    with transaction.atomic(), workspace_scope(actor.workspace):
        others = PromptTest.objects.filter(prompt=prompt).exclude(pk=test.pk if test else None)
        if others.filter(name=spec.name).exists():
            raise _taken(spec.name)
        if test is None and others.count() >= MOST_TESTS:
            raise InvalidInput(f"A prompt has at most {MOST_TESTS} test inputs.")
        row = test or PromptTest(prompt=prompt, position=others.count())
        row.name = spec.name
        row.inputs = spec.inputs
        row.checks = spec.model_dump(mode="json")["checks"]
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError:  # two at once
            raise _taken(spec.name) from None
    return row


def _taken(name: str) -> InvalidInput:
    return InvalidInput([Problem(("name",), f"There is a test input “{name}” already.")])


def delete(test: PromptTest, *, actor: Actor) -> None:
    actor.require("change_prompt")
    with workspace_scope(actor.workspace):
        test.delete()


def start_all(
    prompt: Prompt,
    *,
    actor: Actor,
    spec: PromptSpec,
    version: PromptVersion | None = None,
    model: str | None = None,
    tests: Sequence[PromptTest] | None = None,
    client_key: str | None = None,
    cache: bool = True,
) -> list[Run]:
    """A run for each test input (all of them by default), started together. Raises InvalidInput before any starts.

    The same `client_key` again gives the same runs. `cache` False: no answer that was given before.
    """
    with workspace_scope(actor.workspace):
        chosen = list(tests if tests is not None else PromptTest.objects.filter(prompt=prompt))
    if not chosen:
        raise InvalidInput("This prompt has no test inputs yet. Add one first.")
    common = {"actor": actor, "prompt": prompt, "spec": spec, "version": version, "model": model, "cache": cache}
    wanted = [
        {
            **common,
            "inputs": fitting(spec, test.inputs),
            "test": test,
            "client_key": client_key and f"{client_key[:50]}:{test.pk}",
        }
        for test in chosen
    ]
    return runs.start_prompts(wanted, names=[test.name for test in chosen])


def fitting(spec: PromptSpec, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Values for variables that this text does not have are left out; a missing one is told when it runs."""
    known = {*(v.name for v in spec.variables), *spec.placeholders}
    return {name: value for name, value in inputs.items() if name in known}
