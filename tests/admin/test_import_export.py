"""Import with its preview, export, and the sample prompts, as people use them in the browser."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import tempfile
import time
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from llm_admin.admin.transfer_forms import PREFIX
from llm_admin.models import Prompt, Workflow
from llm_admin.schemas.prompts import text_spec
from llm_admin.services import catalogue, documents, library, prompts
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.library.files import csv_file, entry, library_file, replaced, xlsx_file

LIST = reverse("admin:llm_admin_prompt_changelist")
IMPORT = reverse("admin:llm_admin_prompt_import")
CONFIRM = reverse("admin:llm_admin_prompt_process_import")
EXPORT = reverse("admin:llm_admin_prompt_export")


@pytest.fixture(autouse=True)
def _own_temporary_directory(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def author(login, member):
    return login(member(username="ann"))


def upload(client, data: bytes, name: str = "list.csv"):
    """As browsers do; the token of the form goes along."""
    return client.post(IMPORT, {"csrfmiddlewaretoken": "x", "import_file": SimpleUploadedFile(name, data)})


def confirmation(preview) -> dict[str, str]:
    """The hidden fields of the preview's button."""
    html = preview.content.decode()
    form = html[html.index(f'action="{CONFIRM}"') :]
    pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[: form.index("</form>")])
    return {name: value for name, value in pairs if name != "csrfmiddlewaretoken"}


def names() -> list[str]:
    return list(Prompt.objects.order_by("pk").values_list("name", flat=True))


def said(response) -> str:
    """The page's text, with single spaces."""
    text = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(text.replace("&#x27;", "'").replace("&quot;", '"').split())


def test_the_197_samples_with_a_preview_and_a_click(author, scope):
    page = author.get(LIST)
    assert said(page).count("Import 197 sample prompts") == 2, "in the header and in the empty list"
    assert 'form="llm-samples"' in page.content.decode() and 'id="llm-samples"' in page.content.decode()
    preview = author.post(IMPORT, {"samples": "on"})
    assert preview.status_code == 200
    assert "197 new (2 under another name). Nothing is saved yet." in said(preview)
    assert "Becomes “Life Coach (2)”: Row 36 has the same name and says something else." in said(preview)
    assert names() == []
    done = author.post(CONFIRM, confirmation(preview), follow=True)
    assert "197 prompts imported (2 under another name)." in said(done)
    assert len(names()) == 197
    assert "sample prompts" not in said(author.get(LIST))
    assert "197 unchanged. Everything is here already." in said(author.post(IMPORT, {"samples": "on"}))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("list.csv", csv_file(("A", "a"), ("B", "b"))),
        ("list.xlsx", xlsx_file(("A", "a"), ("B", "b"))),
        ("list.json", json.dumps([{"name": "A", "text": "a"}, {"name": "B", "text": "b"}]).encode()),
        ("library.json", library_file(entry("A", "a"), entry("B", "b"))),
        ("without an ending", csv_file(("A", "a"), ("B", "b"))),
    ],
)
def test_each_kind_of_file(author, scope, name, data):
    preview = upload(author, data, name)
    assert f"Import {name}" in said(preview) or name in said(preview)
    assert author.post(CONFIRM, confirmation(preview)).status_code == 302
    assert names() == ["A", "B"]


def test_versions_live_and_who(author, scope):
    author.post(CONFIRM, confirmation(upload(author, csv_file(("A", "old text")))))
    preview = upload(
        author, csv_file(("A", "new text"), ("B", "b"), ("C", "c", "x"), header=("act", "prompt", "x")[:2] + ("stars",))
    )
    html = preview.content.decode()
    assert "<del>old</del><ins>new</ins> text" in html
    assert "2 new, 1 with a new version" in said(preview)
    assert "Not imported: column “stars”." in said(preview)
    done = author.post(CONFIRM, confirmation(preview), follow=True)
    assert "2 prompts imported, 1 got a new version, as a draft." in said(done)
    made = Prompt.objects.get(name="A")
    assert documents.version_of(made).number == 1
    assert [(row.number, row.created_by.username) for row in made.versions.all()] == [(2, "ann"), (1, "ann")]


def test_a_library_with_workflows(author, scope):
    done = author.post(CONFIRM, confirmation(upload(author, library.read_shipped("demo_library.json"))), follow=True)
    assert "6 prompts and 4 workflows imported." in said(done)
    assert Workflow.objects.count() == 4


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"act,prompt\nA,a\n,b\n", "Row 3 › column “act”: This is empty"),
        (b"act,prompt\nA,caf\xe9\n", "Row 2 › column “prompt”: This is not valid UTF-8"),
        (b"act\nA\n", "Row 1: The column “text” is missing"),
        (library_file(entry("A", "")), "Prompt “A” › version 1 › messages › 1: This message is empty"),
        (b"\x89PNG\x00\x01", "This is not a text file."),
        (b"{", "This is not valid JSON"),
        (b"a" * (10 * 1024 * 1024), "This file is larger than 5 MB."),
        (b"name,text\nA,a\x00\n", "Row 2 › column “text”: This holds a NUL"),
        (b"PK\x03\x04" + bytes(500), "This Excel file is damaged"),
        (replaced(xlsx_file(("A", "a")), "xl/workbook.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"), "is damaged"),
        (b"", "The submitted file is empty."),
    ],
)
def test_a_bad_file_is_a_sentence_and_saves_nothing(author, scope, data, message):
    answer = upload(author, data)
    assert answer.status_code == 422
    assert message in said(answer)
    assert CONFIRM not in answer.content.decode()
    assert names() == []


def test_no_file_at_all(author):
    answer = author.post(IMPORT, {"format": "0"})
    assert answer.status_code == 422
    assert "Choose a file." in said(answer)


def test_hundreds_of_problems_are_cut(author):
    answer = upload(author, csv_file(*(("", str(n)) for n in range(300))))
    assert "Row 101 " in said(answer) and "Row 102 " not in said(answer)
    assert "And 200 more." in said(answer)


def test_texts_are_shown_and_not_executed(author):
    html = upload(author, csv_file(("<script>alert(1)</script>", "<img src=x onerror=alert(2)>"))).content.decode()
    assert "<script>alert(1)" not in html and "<img src=x" not in html


def test_what_was_confirmed_is_what_is_done(author, scope, system):
    preview = upload(author, csv_file(("A", "a")))
    factories.prompt(system.workspace, name="A", spec=text_spec("somebody else's"))
    answer = author.post(CONFIRM, confirmation(preview))
    assert answer.status_code == 409
    assert "changed since you saw this preview" in said(answer)
    assert Prompt.objects.get().last_number == 1


def test_a_second_click_imports_nothing_twice(author, scope):
    fields = confirmation(upload(author, csv_file(("A", "a"))))
    author.post(CONFIRM, fields)
    answer = author.post(CONFIRM, fields)
    assert answer.status_code == 409
    assert "imported already" in said(answer)
    assert Prompt.objects.get().last_number == 1


def test_a_confirmation_cannot_name_another_file(author, scope, tmp_path):
    (tmp_path / "secret.csv").write_bytes(csv_file(("Stolen", "x")))
    fields = confirmation(upload(author, csv_file(("A", "a"))))
    for name in ("secret.csv", "../secret.csv", fields["import_file_name"] + "x"):
        answer = author.post(CONFIRM, fields | {"import_file_name": name})
        assert answer.status_code == 422
        assert "This preview is too old, or not yours." in said(answer)
    assert names() == []
    assert (tmp_path / "secret.csv").exists()


def test_somebody_elses_preview_cannot_be_confirmed(author, client, member, scope):
    fields = confirmation(upload(author, csv_file(("A", "a"))))
    client.force_login(member(username="bob"))
    assert client.post(CONFIRM, fields).status_code == 422
    assert names() == []


def test_a_preview_holds_in_its_own_workspace_only(login, member, scope):
    person = member()
    other = factories.workspace()
    with workspace_scope(other):
        other.memberships.create(user=person, role="author")
    client = login(person)
    fields = confirmation(upload(client, csv_file(("A", "a"))))
    session = client.session
    session["llm_admin_workspace"] = other.pk
    session.save()
    assert client.post(CONFIRM, fields).status_code == 422
    with workspace_scope(other):
        assert names() == []


def test_an_incomplete_confirmation(author):
    answer = author.post(CONFIRM, {"csrfmiddlewaretoken": "x"})
    assert answer.status_code == 422
    assert "Choose the file again." in said(answer)


def test_uploads_that_nobody_confirms_are_swept_away(author, tmp_path):
    old = tmp_path / f"{PREFIX}old"
    old.write_bytes(b"")
    os.utime(old, (time.time() - 100_000,) * 2)
    upload(author, csv_file(("A", "a")))
    [kept] = Path(tmp_path).glob(f"{PREFIX}*")
    assert kept != old
    assert kept.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("who", ["viewer", "outsider"])
def test_others_see_and_do_nothing(who, login, member, outsider, scope, system):
    factories.prompt(system.workspace, name="Planted", spec=text_spec("planted text"))
    client = login(member("viewer") if who == "viewer" else outsider)
    for answer in (
        client.get(IMPORT),
        upload(client, csv_file(("A", "a"))),
        client.post(IMPORT, {"samples": "on"}),
        client.post(CONFIRM, {}),
        client.get(EXPORT),
        client.post(EXPORT, {"format": "0"}),
    ):
        assert answer.status_code in (302, 403)
        assert b"planted text" not in answer.content
    ticked = client.post(LIST, {"action": "export_admin_action", "_selected_action": str(Prompt.objects.get().pk)})
    assert b"Kind of file" not in ticked.content
    assert names() == ["Planted"]


def test_a_viewer_is_not_offered_it(login, member, scope):
    page = said(login(member("viewer")).get(LIST))
    assert not any(word in page for word in ("Import", "Export", "sample prompts"))


def test_get_never_imports(author):
    assert author.get(CONFIRM).status_code == 405
    assert author.get(IMPORT, {"samples": "on"}).status_code == 200


@pytest.fixture
def some(system, scope):
    for name in ("Apple", "Pear", "Plum"):
        made = factories.prompt(system.workspace, name=name, spec=text_spec(f"About {name}"))
        prompts.save_version(made, actor=system, spec=text_spec(f"More about {name}"))
    factories.prompt(factories.workspace(), name="Elsewhere")
    return {prompt.name: prompt.pk for prompt in Prompt.objects.all()}


def exported(answer) -> dict:
    assert answer.status_code == 200, said(answer)
    return json.loads(answer.content)


def test_export_all_as_json(author, some):
    answer = author.post(EXPORT, {"format": "0"})
    assert re.search(r'attachment; filename="prompts-\d{4}-\d\d-\d\d\.json"', answer["Content-Disposition"])
    library_data = exported(answer)
    assert [(one["name"], len(one["versions"]), one["labels"]) for one in library_data["prompts"]] == [
        (name, 2, {"production": 1}) for name in ("Apple", "Pear", "Plum")
    ]


def test_export_as_csv(author, some):
    answer = author.post(EXPORT, {"format": "1"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [(row["name"], row["text"], row["version"]) for row in rows] == [
        (name, f"About {name}", "v1") for name in ("Apple", "Pear", "Plum")
    ]


@pytest.mark.parametrize("kind", ["0", "1"])
def test_what_was_exported_imports_as_unchanged(author, some, kind):
    content = author.post(EXPORT, {"format": kind}).content
    assert "3 unchanged. Everything is here already." in said(upload(author, content))


def test_export_what_the_list_shows(author, some):
    page = author.get(EXPORT, {"q": "Pear"})
    assert page.status_code == 200
    assert [one["name"] for one in exported(author.post(EXPORT + "?q=Pear", {"format": "0"}))["prompts"]] == ["Pear"]


def test_export_what_was_ticked(author, some):
    page = author.post(LIST, {"action": "export_admin_action", "_selected_action": [some["Apple"], some["Plum"]]})
    assert "2 chosen prompts." in said(page)
    chosen = re.findall(r'name="export_items" value="(\d+)"', page.content.decode())
    answer = author.post(EXPORT, {"format": "0", "export_items": chosen})
    assert [one["name"] for one in exported(answer)["prompts"]] == ["Apple", "Plum"]


def test_another_workspaces_prompts_cannot_be_ticked(author, some):
    theirs = Prompt._base_manager.get(name="Elsewhere").pk
    answer = author.post(EXPORT, {"format": "0", "export_items": [theirs]})
    assert b"Elsewhere" not in answer.content


def test_a_filter_that_is_none_is_no_crash(author, some):
    assert author.get(EXPORT, {"nonsense__foo": "1"}).status_code == 400


def queries_of(client) -> dict[str, int]:
    asks = {
        "list": lambda: client.get(LIST),
        "import": lambda: client.get(IMPORT),
        "export": lambda: client.get(EXPORT),
        "download": lambda: client.post(EXPORT, {"format": "0"}),
        "preview": lambda: upload(client, csv_file(*((f"Prompt {n}", "x") for n in range(20)))),
    }
    counts = {}
    for name, ask in asks.items():
        catalogue.forget()
        with CaptureQueriesContext(connection) as queries:
            assert ask().status_code == 200
        counts[name] = len(queries)
    return counts


@pytest.mark.slow  # rows by the hundred
def test_query_counts_at_3_and_300(author, system, scope):
    counted = []
    for total in (3, 300):
        rows = [(f"Prompt {n}", "text") for n in range(Prompt.objects.count(), total)]
        library.apply(library.plan_file(csv_file(*rows), actor=system), actor=system)
        queries_of(author)
        counted.append(queries_of(author))
    assert counted[0] == counted[1]
