from __future__ import annotations

import subprocess
import sys

import pytest

from tests.tooling import checkout

# Notes what it was asked to do. Fails where FAIL says so; "_skipped.py" runs in earnest.
PYTHON = f"""
case "$1" in bin/*|-c) exec "{sys.executable}" "$@" ;; esac
echo "$@ [$REQUIRE_SERVICES]" >>calls
case "$*" in *"${{FAIL:-nothing}}"*) exit "${{CODE:-1}}" ;; esac
"""
STAGES = [
    "-m ruff check .",
    "-m ruff format --check .",
    "-m mypy",
    "lint-imports",
    "manage.py makemigrations --check --dry-run",
    "manage.py check --deploy --fail-level WARNING",
]


@pytest.fixture
def clone(tmp_path):
    clone = checkout.make(tmp_path)
    clone.pretend_installed("dev", python=PYTHON)
    clone.write(".venv/bin/lint-imports", f"#!{checkout.SHELL}\necho lint-imports >>calls\n")
    return clone


def calls(clone):
    return (clone.path / "calls").read_text().splitlines()


def test_everything_runs_and_is_summed_up(clone):
    result = clone.run("bin/test")
    assert result.returncode == 0, result.stderr
    made = calls(clone)
    assert [call.removesuffix(" []") for call in made[:6]] == STAGES
    unit, browser = made[6:]
    assert "--cov" in unit and "not e2e" in unit
    assert "--cov" not in browser and "-m e2e" in browser
    summary = result.stdout.split("=== Summary")[1]
    assert summary.count("passed ") == 8
    assert "Everything passed." in summary


@pytest.mark.parametrize(
    "stage", ["ruff check", "ruff format", "mypy", "makemigrations", "--deploy", "--cov", "-m e2e"]
)
def test_one_failing_stage_fails_it_and_the_others_run_all_the_same(clone, stage):
    result = clone.run("bin/test", FAIL=stage)
    assert result.returncode == 1
    assert len(calls(clone)) == 8
    assert result.stdout.count("FAILED ") == 1
    assert result.stderr.startswith("bin/test: failed: ")


def test_the_inner_loop_leaves_out_what_takes_long_and_says_so(clone):
    result = clone.run("bin/test", "--fast")
    assert result.returncode == 0, result.stderr
    (tests,) = calls(clone)[6:]
    assert "not e2e and not services and not slow" in tests
    assert "--cov" not in tests
    assert "Left out by --fast: tests in a browser" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "wanted", "measured"),
    [((), "no", False), (("--fast",), "yes", True), (("tests/x.py",), "yes", False)],
)
def test_coverage_may_be_left_to_another_run(clone, arguments, wanted, measured):
    result = clone.run("bin/test", *arguments, COVERAGE=wanted)
    assert result.returncode == 0, result.stderr
    assert ("--cov" in next(call for call in calls(clone) if "not e2e" in call)) is measured
    assert ("Left out: coverage." in result.stdout) is not measured


def test_arguments_go_to_pytest_without_the_floor_of_coverage(clone):
    result = clone.run("bin/test", "tests/x.py", "-k", "name")
    assert result.returncode == 0, result.stderr
    unit, browser = calls(clone)[6:]
    assert unit.startswith("-m pytest") and unit.endswith("tests/x.py -k name []")
    assert browser.endswith("tests/x.py -k name []")
    assert "--cov" not in unit


def test_selecting_nothing_is_fine_only_for_who_selected(clone):
    assert clone.run("bin/test", "tests/x.py", FAIL="-m e2e", CODE="5").returncode == 0
    assert clone.run("bin/test", FAIL="-m e2e", CODE="5").returncode == 1


def test_only_tests(clone):
    result = clone.run("bin/test", "--fast", "--only-tests")
    assert result.returncode == 0, result.stderr
    assert len(calls(clone)) == 1
    assert "Left out by --only-tests" in result.stdout


def test_the_demand_for_services_reaches_the_tests(clone):
    clone.run("bin/test", REQUIRE_SERVICES="1")
    assert all(call.endswith("[1]") for call in calls(clone)[6:])


def test_skipped_tests_are_counted_by_reason(tmp_path):
    report = tmp_path / "tests.xml"
    report.write_text(
        "<testsuites><testsuite>"
        '<testcase name="a"><skipped message="no Chromium"/></testcase>'
        '<testcase name="b"><skipped message="no Chromium"/></testcase>'
        '<testcase name="c"><skipped message="no Redis"/></testcase>'
        '<testcase name="d"/>'
        "</testsuite></testsuites>"
    )
    command = [sys.executable, checkout.ROOT / "bin/_skipped.py", report, tmp_path / "missing.xml"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert output.splitlines() == ["  Skipped tests: 3", "    2 x no Chromium", "    1 x no Redis"]


def test_axe_core_is_installed_once_for_each_lock_and_only_for_the_browser(clone):
    clone.write("tests/e2e/package.json", "{}")
    clone.write("tests/e2e/package-lock.json", "{}")
    clone.write("tools/npm", f'#!{checkout.SHELL}\nmkdir -p node_modules\necho "npm $*" >>../../calls\n')

    def installed():
        return calls(clone).count("npm ci --ignore-scripts --no-audit --no-fund")

    clone.run("bin/test", "--fast")
    assert installed() == 0
    for _ in range(2):
        assert clone.run("bin/test", "--only-tests").returncode == 0
    assert installed() == 1
    clone.write("tests/e2e/package-lock.json", '{"changed": 1}')
    clone.run("bin/test", "--only-tests")
    assert installed() == 2


def test_an_npm_that_fails_does_not_keep_the_tests_from_running(clone):
    clone.write("tests/e2e/package.json", "{}")
    clone.write("tests/e2e/package-lock.json", "{}")
    clone.write("tools/npm", f"#!{checkout.SHELL}\nexit 1\n")
    result = clone.run("bin/test", "--only-tests")
    assert result.returncode == 0
    assert "npm did not install axe-core" in result.stderr
    assert "-m e2e" in calls(clone)[-1]
