"""Columns to inputs, the preview, problems in words, the estimate, and Start."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from llm_admin.admin import batch_upload
from llm_admin.choices import Role, StoreTexts
from llm_admin.models import Batch, BatchRow, Run
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import actors, documents, workflows
from tests import factories
from tests.admin.batches.conftest import SPEC
from tests.admin.batches.pages import HTMX, mapped, text, upload


def past_runs(workflow, count, seconds=2, cost=1_000_000):
    now = timezone.now()
    version = documents.version_of(workflow)
    for _ in range(count):
        Run.objects.create(
            workspace=workflow.workspace, kind="workflow", workflow=workflow, workflow_version=version, title="r",
            spec={"model": None}, status="succeeded", source="studio", created_at=now, calls=1, cost_nano=cost,
            started_at=now - timedelta(seconds=seconds), ended_at=now,
        )  # fmt: skip


def test_columns_are_guessed_and_the_first_rows_shown_as_they_will_be(author, workflow):
    html = text(author.get(upload(author, workflow)))
    assert '<option value="0" selected>Column “Full name”</option>' in html
    assert '<option value="1" selected>Column “Age”</option>' in html
    for value in ("Ada", "36", "Bob", "7", "warm"):
        assert f">{value}</span>" in html
    assert "Start 2 rows" in html
    assert "Live: v1" in html


def test_a_file_of_which_no_column_is_used_is_pointed_out(author, workflow):
    page = upload(author, workflow)
    fixed = {"from-name": "fixed", "fixed-name": "Ada", "from-age": "fixed", "fixed-age": "36", "from-tone": ""}
    said = "None of your columns is used."
    assert said in text(author.post(f"{page}check/", mapped() | fixed, headers=HTMX))
    assert said not in text(author.post(f"{page}check/", mapped(), headers=HTMX))


def test_problems_are_told_by_row_and_column_and_nothing_is_saved(author, workflow):
    page = upload(author, workflow, "Full name;How old\nAda;36\n;x\n")
    answer = author.post(page, mapped())
    assert answer.status_code == 422
    assert "Row 2 (row 3 of the file), column “How old”: “Age” must be a number" in text(answer)
    assert "column “Full name”: “Full name” is needed; fill it in." in text(answer)
    checked = author.post(f"{page}check/", mapped(), headers=HTMX)
    assert "Row 2 (row 3 of the file)" in text(checked)
    assert Batch.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"from-name": ""}, "“Full name” is needed: choose a column, or type a value."),
        ({"from-tone": "fixed", "fixed-tone": "loud"}, "“Tone” must be one of: warm, dry."),
        ({"concurrency": "0"}, "Choose between 1 and 50 at the same time."),
        ({"concurrency": "500"}, "Choose between 1 and 50 at the same time."),
        ({"most": "-3"}, "Give a number of rows"),
    ],
)
def test_what_is_wrong_in_the_form_is_said(author, workflow, changes, sentence):
    answer = author.post(upload(author, workflow), mapped(**changes))
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert Batch.objects.count() == 0


def test_a_model_that_is_gone_is_refused_at_the_start(author, scope):
    steps = [{"type": "llm", "id": "answer", "text": "{{name}}"}]
    asking = factories.workflow(scope, spec=WorkflowSpec.model_validate(SPEC | {"steps": steps}))
    answer = author.post(upload(author, asking), mapped(model="nonsense"))
    assert answer.status_code == 422
    assert "There is no model “nonsense”" in text(answer)
    assert Batch.objects.count() == 0


def test_start_makes_one_batch_even_when_pressed_twice(author, workflow, ada):
    page = upload(author, workflow)
    form = mapped(**{"from-tone": "fixed", "fixed-tone": "dry", "concurrency": "3"})
    first, second = author.post(page, form), author.post(page, form)
    batch = Batch.objects.get()
    assert first["Location"] == second["Location"] == f"/admin/llm_admin/batch/{batch.pk}/change/"
    assert author.get(page)["Location"] == first["Location"]
    assert (batch.file_name, batch.concurrency, batch.owner) == ("people.csv", 3, ada)
    assert (batch.columns, batch.mapping) == (["Full name", "Age"], {"name": "Full name", "age": "Age"})
    rows = BatchRow.objects.order_by("number").values_list("inputs", "original")
    assert list(rows) == [
        ({"name": "Ada", "age": 36, "tone": "dry"}, {"Full name": "Ada", "Age": "36"}),
        ({"name": "Bob", "age": 7, "tone": "dry"}, {"Full name": "Bob", "Age": "7"}),
    ]


def test_only_the_first_rows_run_when_asked(author, workflow):
    page = upload(author, workflow, "Full name;Age\nAda;36\nBob;not known\n")
    assert "Start 1 row<" in text(author.post(f"{page}check/", mapped(most="1"), headers=HTMX))
    assert author.post(page, mapped(most="1")).status_code == 302
    assert Batch.objects.get().total == BatchRow.objects.count() == 1


def test_a_draft_can_be_run_instead_of_what_is_live(author, workflow, scope):
    spec = SPEC | {"inputs": [{"name": "name", "type": "text"}], "steps": [SPEC["steps"][0] | {"text": "{{name}}"}]}
    workflows.save_version(workflow, actor=actors.system(scope), spec=WorkflowSpec.model_validate(spec))
    page = upload(author, workflow)
    assert "v2, a draft" in text(author.get(page))
    whole = text(author.post(f"{page}check/?whole=1", mapped(version="2"), headers=HTMX))
    assert "from-name" in whole
    assert "from-age" not in whole
    author.post(page, mapped(version="2"))
    assert Batch.objects.get().workflow_version.number == 2


def test_the_estimate_rests_on_past_runs_and_is_unknown_without_them(author, workflow):
    page = upload(author, workflow)
    unknown = text(author.get(page))
    assert '<dd id="llm-batch-cost">unknown</dd>' in unknown
    past_runs(workflow, 5)
    known = text(author.post(f"{page}check/", mapped(concurrency="1"), headers=HTMX))
    assert '<dd id="llm-batch-cost">about $0.002</dd>' in known
    assert '<dd id="llm-batch-time">about 4.0 s</dd>' in known
    assert "From 5 past runs of v1." in known


def test_a_workspace_that_keeps_no_texts_says_so_before_the_start(author, workflow, scope):
    scope.store_texts = StoreTexts.NOTHING
    scope.save()
    assert "results cannot be shown or downloaded" in text(author.get(upload(author, workflow)))


def test_an_upload_is_its_owner_s_alone(author, workflow, member, login):
    page = upload(author, workflow)
    for role in (Role.AUTHOR, Role.ADMIN):
        other = login(member(role))
        assert other.get(page).status_code == 409
        assert other.post(page, mapped()).status_code == 409
    assert login(member(Role.VIEWER)).post(page, mapped()).status_code == 403
    assert Batch.objects.count() == 0


@pytest.mark.parametrize("key", ["x" * 24, "..%2f..%2fetc%2fpasswd", "short"])
def test_no_other_file_can_be_reached(author, workflow, key):
    answer = author.get(f"/admin/llm_admin/batch/new/{key}/")
    assert answer.status_code in (404, 409)


def test_uploads_that_nobody_started_are_swept_after_a_day(author, workflow, tmp_path):
    upload(author, workflow)
    (old,) = Path(tmp_path).glob(f"{batch_upload.PREFIX}*")
    assert old.stat().st_mode & 0o777 == 0o600
    day = time.time() - batch_upload.LIFETIME - 1
    os.utime(old, (day, day))
    upload(author, workflow)
    assert not old.exists()


def test_the_rows_do_not_stay_on_the_disk_after_the_start(author, workflow, tmp_path):
    author.post(upload(author, workflow), mapped())
    assert list(Path(tmp_path).glob(f"{batch_upload.PREFIX}*")) == []


@pytest.mark.parametrize("column", ["9" * 5000, "99999", "²"])
def test_a_column_that_there_is_not_is_none(author, workflow, column):
    where = upload(author, workflow)
    assert author.post(where, {"from-name": column, "concurrency": "5"}).status_code == 422


@pytest.mark.parametrize(("more", "cache"), [({}, True), ({"no_cache": "1"}, False)])
def test_rows_can_be_run_without_the_cache(author, workflow, more, cache):
    page = upload(author, workflow)
    assert 'name="no_cache"' in text(author.get(page))
    kept = text(author.post(f"{page}check/?whole=1", mapped(**more), headers=HTMX))
    assert ('name="no_cache" value="1" checked' in kept) is not cache
    author.post(page, mapped(**more))
    assert Batch.objects.get().spec["cache"] is cache
