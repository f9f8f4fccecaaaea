from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.tooling.checkout import ROOT, SHELL

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ["requirements.txt", "requirements-dev.txt", "bin/uv.txt"]
SCRIPTS = ["bin/setup", "bin/demo", "bin/test", "bin/lock"]


def pins(lock):
    """{name: {version, ...}}: a package may have a version for each range of Pythons."""
    found = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def unmet(requirements, lock):
    locked = pins(lock)
    return [
        text
        for text in requirements
        if not (versions := locked.get(canonicalize_name(Requirement(text).name)))
        or not all(Requirement(text).specifier.contains(version) for version in versions)
    ]


def test_the_locks_hold_what_pyproject_asks_for():
    """Else: bin/lock."""
    assert unmet(PROJECT["project"]["dependencies"], "requirements.txt") == []
    assert unmet(PROJECT["project"]["dependencies"], "requirements-dev.txt") == []
    assert unmet(PROJECT["dependency-groups"]["dev"], "requirements-dev.txt") == []


def test_tests_run_on_the_versions_that_are_shipped():
    shipped, tested = pins("requirements.txt"), pins("requirements-dev.txt")
    assert {name: versions for name, versions in shipped.items() if tested.get(name) != versions} == {}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_and_names_no_index_and_no_place_of_one_machine(lock):
    text = (ROOT / lock).read_text()
    entries = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert entries
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"://|--index|--extra-index|--find-links|--trusted-host| /\w+", text) == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_executable_and_plain_shell(script):
    assert (ROOT / script).stat().st_mode & 0o111 == 0o111
    assert (ROOT / script).read_text().startswith("#!/bin/sh\n")
    subprocess.run([SHELL, "-n", ROOT / script], check=True)


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_explain_themselves(script):
    result = subprocess.run([SHELL, ROOT / script, "--help"], capture_output=True, text=True, check=True)
    assert script in result.stdout
    assert "#" not in result.stdout


def test_the_wheel_holds_the_app_with_its_templates_and_static_files(tmp_path):
    source = tmp_path / "source"
    skip = shutil.ignore_patterns("__pycache__")
    for directory in ("llm_admin", "console", "templates", "static", "fixtures", "tests/tooling"):
        shutil.copytree(ROOT / directory, source / directory, ignore=skip)
    for file in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, source)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)

    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for top in ("templates", "static"):
        files = [file for file in (source / top / "llm_admin").rglob("*") if file.is_file()]
        assert {f"llm_admin/{file.relative_to(source)}" for file in files} <= names
    assert {"llm_admin/fixtures/demo_library.json", "llm_admin/fixtures/prompts-2025.csv"} <= names
    assert "llm_admin/templates/admin/llm_admin/prompt/change_list_results.html" in names
    assert {"llm_admin/apps.py", "llm_admin/migrations/0001_initial.py"} <= names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"llm_admin"}
