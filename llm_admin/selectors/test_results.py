"""How the test inputs of a prompt went on one of its versions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from llm_admin.choices import RUN_OPEN, RunStatus
from llm_admin.models import PromptTest, PromptVersion, Run
from llm_admin.schemas.checks import TestInput


@dataclass(frozen=True)
class TestResult:
    """`run` None: never run. `failures` [] with a run that succeeded: passed."""

    __test__ = False

    test: PromptTest
    run: Run | None = None
    failures: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        if self.run is None:
            return "missing"
        if self.run.status in RUN_OPEN:
            return "running"
        return "failed" if self.failures else "passed"


def result_of(test: PromptTest, run: Run | None) -> TestResult:
    if run is None or run.status in RUN_OPEN:
        return TestResult(test, run)
    if run.status != RunStatus.SUCCEEDED:
        return TestResult(test, run, [run.error_message or f"The run was {run.get_status_display().lower()}."])
    if run.output is None:
        return TestResult(test, run, ["The workspace keeps no texts, so the answer cannot be checked."])
    spec = TestInput(name=test.name, inputs=test.inputs, checks=test.checks)
    return TestResult(test, run, [f"The answer {failure}." for failure in spec.failures(str(run.output))])


def results_on(version: PromptVersion, tests: Iterable[PromptTest]) -> list[TestResult]:
    """The newest run of each test input on that version."""
    tests = list(tests)
    rows = Run.objects.filter(prompt=version.prompt_id, prompt_version=version, test__in=tests).order_by("-id")
    newest: dict[Any, Run] = {}
    for run in rows.defer("spec")[: len(tests) * 10]:
        newest.setdefault(run.test_id, run)
    return [result_of(test, newest.get(test.pk)) for test in tests]
