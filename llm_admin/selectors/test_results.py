"""How the test inputs of a prompt went on one of its versions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import OuterRef, Subquery

from llm_admin.choices import RUN_OPEN, RunStatus
from llm_admin.models import PromptTest, PromptVersion, Run
from llm_admin.schemas.checks import TestInput
from llm_admin.schemas.safe_patterns import budget
from llm_admin.schemas.values import as_text

CHECK_SECONDS = 4.0  # all answers of a page together


@dataclass(frozen=True)
class TestResult:
    """`run` None: never run. `failures` [] with a run that succeeded: passed. `unknown`: why it cannot be told."""

    __test__ = False

    test: PromptTest
    run: Run | None = None
    failures: list[str] = field(default_factory=list)
    unknown: str = ""

    @property
    def state(self) -> str:
        """missing, running, passed, failed, or unknown."""
        if self.run is None:
            return "missing"
        if self.run.status in RUN_OPEN:
            return "running"
        if self.unknown:
            return "unknown"
        return "failed" if self.failures else "passed"


def result_of(test: PromptTest, run: Run | None) -> TestResult:
    if run is None or run.status in RUN_OPEN:
        return TestResult(test, run)
    if run.status != RunStatus.SUCCEEDED:
        return TestResult(test, run, [run.error_message or f"The run was {run.get_status_display().lower()}."])
    spec = TestInput(name=test.name, checks=test.checks)
    if run.output is None and spec.checks:
        return TestResult(test, run, unknown="The workspace keeps no texts, so the answer cannot be checked.")
    return TestResult(test, run, [f"The answer {failure}." for failure in spec.failures(as_text(run.output))])


def results_on(version: PromptVersion, tests: Iterable[PromptTest]) -> list[TestResult]:
    """The newest run of each test input on that version, if it had the values that the test input has now."""
    tests = list(tests)
    same = Run.objects.filter(test=OuterRef("pk"), prompt_version=version).order_by("-id").values("pk")[:1]
    newest = PromptTest.objects.filter(pk__in=[test.pk for test in tests]).values_list(Subquery(same), flat=True)
    found = {run.test_id: run for run in Run.objects.filter(pk__in=list(newest)).defer("spec")}
    with budget(CHECK_SECONDS):
        return [result_of(test, _current(test, found.get(test.pk))) for test in tests]


def _current(test: PromptTest, run: Run | None) -> Run | None:
    """None when the values were changed since. The checks may have been: they are made anew each time."""
    if run is None or run.created_at >= test.updated_at:
        return run
    shown = {name: as_text(value) for name, value in run.inputs.items()}
    return run if all(shown.get(n, "") == as_text(v) for n, v in test.inputs.items() if not _left_out(v)) else None


def _left_out(value: object) -> bool:
    """Then the run had the variable's default."""
    return value is None or value in ("", [])
