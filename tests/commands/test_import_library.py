"""`manage.py import_library`: says what happened; a broken file ends with 1 and saves nothing."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from llm_admin.models import Prompt, Workflow
from llm_admin.services import library
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.library.files import csv_file, entry, library_file


@pytest.fixture
def run(tmp_path, workspace, capsys):
    def command(data: bytes, *options: str, name: str = "file") -> list[str]:
        file = tmp_path / name
        file.write_bytes(data)
        call_command("import_library", str(file), *options)
        return capsys.readouterr().out.splitlines()

    return command


def test_the_real_list(run, scope):
    samples = library.read_shipped(library.SAMPLES)
    assert run(samples)[-1] == "197 new (2 under another name), 0 with a new version, 0 unchanged."
    assert Prompt.objects.count() == 197
    assert run(samples)[-1] == "0 new, 0 with a new version, 197 unchanged."


def test_the_demo_library(run, scope):
    lines = run(library.read_shipped("demo_library.json"))
    assert "new          workflow  Ticket triage, 3 versions" in lines
    assert (Prompt.objects.count(), Workflow.objects.count()) == (6, 4)


def test_it_says_what_happens_to_each(run, scope):
    run(csv_file(("Old", "old"), ("Same", "same")))
    lines = run(
        csv_file(
            ("Same", "same", "x"),
            ("Old", "newer", ""),
            ("New", "a", ""),
            ("New", "b", ""),
            header=("act", "prompt", "stars"),
        )
    )
    assert lines == [
        "unchanged    prompt    Same",
        "new version  prompt    Old, v2 as a draft",
        "new          prompt    New",
        "new          prompt    New (2)  (Becomes “New (2)”: Row 4 has the same name and says something else.)",
        "Not imported: column “stars”.",
        "2 new (1 under another name), 1 with a new version, 1 unchanged.",
    ]


def test_a_dry_run_saves_nothing(run, scope):
    lines = run(csv_file(("A", "a")), "--dry-run")
    assert lines == [
        "new          prompt    A",
        "Dry run, nothing was saved: 1 new, 0 with a new version, 0 unchanged.",
    ]
    assert not Prompt.objects.exists()


def test_into_another_workspace(run, scope):
    other = factories.workspace()
    run(library_file(entry("A", "a")), "--workspace", other.slug)
    assert not Prompt.objects.exists()
    with workspace_scope(other):
        assert Prompt.objects.get().created_by is None


def test_broken_rows_are_named_one_a_line(run, scope):
    with pytest.raises(CommandError) as refused:
        run(csv_file(("A", "a"), ("", "b"), ("C", "")), name="list.csv")
    assert refused.value.returncode == 1
    assert str(refused.value).splitlines()[1:] == [
        "  Row 3 › column “name”: This is empty; every prompt needs a name.",
        "  Row 4 › column “text”: This is empty; every prompt needs a text.",
    ]
    assert not Prompt.objects.exists()


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02", b"PK\x03\x04nonsense", b"x" * (library.MAX_BYTES + 100)])
def test_what_is_no_library_is_a_sentence(run, data):
    with pytest.raises(CommandError, match="Nothing was imported from"):
        run(data)


def test_a_file_that_is_not_there(workspace, tmp_path):
    with pytest.raises(CommandError, match="cannot be read: No such file or directory"):
        call_command("import_library", str(tmp_path / "nothing.csv"))


def test_a_workspace_that_is_not_there(run):
    with pytest.raises(CommandError, match="There is no workspace “nowhere”"):
        run(b"name,text\nA,a\n", "--workspace", "nowhere")
