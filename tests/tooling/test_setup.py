from __future__ import annotations

import sys

import pytest

from tests.tooling import checkout

# A Python that runs, but says that it is another version.
DISGUISED = """exec "{python}" -c 'import sys
sys.version_info = ({version})
exec(sys.argv[2])' "$@"
"""


@pytest.fixture
def clone(tmp_path):
    return checkout.make(tmp_path)


def give_python(clone, name, version):
    script = DISGUISED.format(python=sys.executable, version=version.replace(".", ", "))
    clone.write(f"tools/{name}", f"#!{checkout.SHELL}\n{script}")


def one_sentence(result):
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    return line


def test_a_python_that_is_too_old_is_named_with_what_to_do(clone):
    give_python(clone, "python3", "3.9.2")
    message = one_sentence(clone.run("bin/setup"))
    assert "needs Python 3.11 or newer" in message
    assert f"only Python 3.9.2 ({clone.path}/tools/python3) was found" in message
    assert "PYTHON=/path/to/python3.12 bin/setup" in message
    assert not (clone.path / ".venv").exists()


def test_no_python_at_all(clone):
    assert "no Python was found" in one_sentence(clone.run("bin/setup"))


def test_a_python_without_venv_says_which_package_is_missing(clone):
    clone.write("tools/python3", f"#!{checkout.SHELL}\necho bare 3.12.3\n")
    message = one_sentence(clone.run("bin/setup"))
    assert message.startswith("bin/setup: Python 3.12.3")
    assert "apt install python3-venv" in message


def test_the_named_python_is_the_only_one_tried(clone):
    give_python(clone, "python3", "3.12.3")
    give_python(clone, "elder", "3.10.1")
    assert "only Python 3.10.1" in one_sentence(clone.run("bin/setup", PYTHON="elder"))
    assert "PYTHON=nowhere does not run" in one_sentence(clone.run("bin/setup", PYTHON="nowhere"))


def test_pyenvs_pythons_count(clone):
    """That the search reached it is seen from its failing to make the environment."""
    fake = f'#!{checkout.SHELL}\n[ "$1" = -c ] && echo ok 3.12.1 || exit 1\n'
    clone.write("home/.pyenv/versions/3.12.1/bin/python", fake)
    result = clone.run("bin/setup")
    assert "could not make .venv" in result.stderr
    assert ".pyenv/versions/3.12.1/bin/python" in result.stderr


@pytest.mark.parametrize(("installed", "wanted"), [("run", []), ("dev", []), ("dev", ["--dev"])])
def test_nothing_happens_when_the_environment_is_up_to_date(clone, installed, wanted):
    clone.pretend_installed(installed)
    result = clone.run("bin/setup", *wanted)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("change", ["requirements.txt", "requirements-dev.txt", "bin/uv.txt"])
def test_a_changed_lock_is_installed(clone, change):
    clone.pretend_installed(python=f'[ "$1" = -m ] && exit 1\nexec "{sys.executable}" "$@"')
    with (clone.path / change).open("a") as lock:
        lock.write("# changed\n")
    result = clone.run("bin/setup")
    assert "Installing requirements.txt" in result.stdout
    assert "could not be installed" in result.stderr
    assert not (clone.path / ".venv/.installed").exists()


def test_tools_for_testing_are_added_to_an_environment_without_them(clone):
    clone.pretend_installed("run", python=f'[ "$1" = -m ] && exit 1\nexec "{sys.executable}" "$@"')
    assert "Installing requirements-dev.txt" in clone.run("bin/setup", "--dev").stdout


def test_an_unknown_option_is_refused(clone):
    assert "unknown option --fast" in one_sentence(clone.run("bin/setup", "--fast"))


@pytest.mark.slow
def test_an_unreachable_index_is_said_in_one_sentence(clone):
    """A real environment and a real pip; nothing listens at the index."""
    result = clone.run(
        "bin/setup", PYTHON=sys.executable, PIP_CONFIG_FILE="/dev/null", PIP_INDEX_URL="http://127.0.0.1:9/simple"
    )
    message = one_sentence(result)
    assert "index cannot be reached" in message
    assert "Details: .venv/setup.log" in message
    assert not (clone.path / ".venv/.installed").exists()
