"""Columns side by side: everything is checked before anything starts, and a key finds the comparison again."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from llm_admin.choices import Role, RunStatus
from llm_admin.models import LanguageModel, PromptTest, Run
from llm_admin.services import drafts, prompt_tests
from llm_admin.services.actors import Actor
from tests import factories
from tests.log_rows import log, text

KEY = "0123456789abcdef0123456789abcdef"


def address(name, prompt):
    return reverse(f"admin:llm_admin_prompt_compare{name}", args=[prompt.pk])


@pytest.fixture
def tests(prompt, system):
    wanted = [{"kind": "contains", "text": "wet"}]
    return [
        prompt_tests.save(prompt, actor=system, data={"name": n, "inputs": {"topic": n}, "checks": wanted})
        for n in ("Rain", "Snow", "Hail")
    ]


def columns(*whats, models=None, **more):
    given = {"column-what": list(whats), "column-model": models or [""] * len(whats), "times": "1", "client_key": KEY}
    return given | {"input-topic": "rain"} | more


def end(**outputs):
    """By the number of the version."""
    for run in Run.objects.all():
        number = f"v{run.prompt_version.number}" if run.prompt_version else "draft"
        Run.objects.filter(pk=run.pk).update(
            status=RunStatus.SUCCEEDED, output=outputs[number], cost_nano=1_000_000, output_tokens=7, input_tokens=3
        )
        log(run.workspace, run=run, prompt=run.prompt, latency_ms=1_500, first_token_ms=120)


def part(client, prompt, **query):
    return client.get(address("_part", prompt), {"set": KEY, **query})


def test_two_versions_on_all_test_inputs_and_the_address_finds_them_again(author, prompt, tests):
    response = author.post(address("_run", prompt), columns("1", "2", by="tests"))
    html = response.content.decode()
    assert html.count("data-run-open") == 6
    assert html.count("data-run-panel=") == 6
    assert [name in html for name in ("Rain", "Snow", "Hail", "Stop all")] == [True] * 4
    again = response["HX-Replace-Url"]
    assert f"c=1&c=2&set={KEY}&by=tests" in again
    end(v1="It is wet.", v2="It is very dry.")
    page = author.get(again).content.decode()
    assert "data-run-open" not in page
    assert "<ins>very dry</ins>" in page or "<ins>very</ins>" in page or "<ins>very " in page
    assert "The answer does not contain “wet”." in page
    assert "3 of 3" in page
    assert "0 of 3" in page
    assert "$0.003" in page
    assert "1.5 s (first token 120 ms) · 3 in, 7 out" in page


def test_parts_are_heads_a_row_or_one_answer(author, prompt, tests):
    author.post(address("_run", prompt), columns("1", "2", by="tests"))
    end(v1="wet", v2="wet")
    heads, row = part(author, prompt), part(author, prompt, row=tests[1].pk)
    one = Run.objects.filter(test=tests[1]).last()
    answer = part(author, prompt, row=tests[1].pk, run=one.pk)
    assert "Median time" in heads.content.decode()
    assert "Snow" in row.content.decode()
    assert "Rain" not in row.content.decode()
    assert "The same as in the first column." in row.content.decode()
    assert answer.content.decode().count("data-run-id") == 1
    for query in ({"row": "0"}, {"set": "rubbish"}, {"set": "f" * 32}, {"run": "x"}, {"row": "9" * 4400}):
        assert part(author, prompt, **query).status_code == 404


def test_values_repeated_show_their_spread(author, prompt):
    author.post(address("_run", prompt), columns("1", "2", times="3"))
    assert Run.objects.count() == 6
    assert {run.inputs["topic"] for run in Run.objects.all()} == {"rain"}
    first, *_ = Run.objects.order_by("id")
    end(v1="wet", v2="wet")
    Run.objects.filter(pk=first.pk).update(output="dry", output_tokens=90)
    html = part(author, prompt, row=0).content.decode()
    assert "2 different answers." in html
    assert "All answers that arrived are the same." in html
    assert "<td>7</td><td>7</td><td>90</td>" in html


def test_models_and_unsaved_text_can_be_columns(author, prompt, scope, ada):
    LanguageModel.objects.create(workspace=scope, alias="other", name="Other one")
    draft = factories.chat_spec("Unsaved about {{topic}} and {{more}}").model_dump(mode="json")
    sent = columns("2", "2", "draft", models=["", "other", ""], draft=json.dumps(draft), **{"input-more": "wind"})
    html = author.post(address("_run", prompt), sent).content.decode()
    first, second, third = Run.objects.order_by("id")
    assert (second.spec["model"], third.prompt_version) == ("other", None)
    assert (first.inputs, third.inputs) == ({"topic": "rain"}, {"topic": "rain", "more": "wind"})
    assert "Other one" in html
    assert "Unsaved text" in html
    assert '"model": "other"' in html, "what is kept has the model that was compared"


def test_a_double_click_starts_once(author, prompt):
    author.post(address("_run", prompt), columns("1", "2"))
    author.post(address("_run", prompt), columns("1", "2"))
    assert Run.objects.count() == 2


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (columns("1", "2", **{"input-topic": ""}), "“v1”: “Topic” is needed"),
        (columns("1", "draft"), "There is no unsaved text."),
        (columns("1", "2", models=["", "gone"]), "There is no model “gone”"),
        (columns("1", "2", times="11"), "Repeat between 1 and 10 times."),
        (columns("1", "2", times="x"), "Repeat between 1 and 10 times."),
        (columns(), "Compare two to 4 columns."),
        (columns("1", "1", "2", "2", "2"), "Compare two to 4 columns."),
        (columns("1", "2", by="tests"), "has no test inputs yet"),
        (columns("1", "2", client_key="<b>"), "The page is out of date."),
        (columns("1", "draft", draft="{"), "did not arrive whole"),
    ],
)
def test_what_cannot_run_is_a_sentence_and_nothing_starts(author, prompt, sent, sentence):
    response = author.post(address("_run", prompt), sent)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Run.objects.exists()


def test_a_version_that_is_gone_is_not_found(author, prompt):
    assert author.post(address("_run", prompt), columns("1", "99")).status_code == 404


def test_more_than_a_hundred_runs_are_refused_with_the_sum(author, prompt):
    PromptTest.objects.bulk_create(PromptTest(prompt=prompt, name=f"{n}", inputs={"topic": "x"}) for n in range(10))
    sent = columns("1", "2", "2", by="tests", times="4")
    html = author.post(address("_run", prompt), sent).content.decode()
    assert "That would be 120 runs (3 columns × 10 test inputs × 4). At most 100" in html
    assert not Run.objects.exists()


def test_stop_all(author, prompt):
    author.post(address("_run", prompt), columns("1", "2"))
    html = author.post(address("_stop", prompt), {"set": KEY}).content.decode()
    assert {run.status for run in Run.objects.all()} == {RunStatus.CANCELLED}
    assert "data-run-open" not in html
    assert author.post(address("_stop", prompt), {"set": "nothing"}).status_code == 200


def test_the_fields_are_those_of_the_chosen_texts(author, prompt):
    draft = json.dumps(factories.chat_spec("{{topic}} {{more}}").model_dump(mode="json"))
    sent = columns("1", "draft", draft=draft)
    html = author.post(address("_fields", prompt), sent).content.decode()
    assert 'name="input-more"' in html
    assert ">\nrain</textarea>" in html
    assert 'name="input-more"' not in author.post(address("_fields", prompt), columns("1", "2")).content.decode()


def test_the_page_offers_versions_models_and_the_stored_draft(author, ada, prompt, scope):
    page = author.get(address("", prompt)).content.decode()
    assert '<option value="1" selected>v1 · Live</option>' in page
    assert '<option value="2" selected>v2</option>' in page
    assert "llm-compare-stored" not in page
    spec = factories.chat_spec("My draft about {{topic}}").model_dump(mode="json")
    drafts.keep(prompt, actor=Actor(scope, ada, Role.AUTHOR), content={"spec": spec}, based_on=2)
    assert "My draft about" in author.get(address("", prompt)).content.decode()
    for odd in ({"c": "x"}, {"c": ["99", "1:none"]}, {"times": "-3"}, {"set": "' or 1"}):
        assert author.get(address("", prompt), odd).status_code == 200


def test_queries_do_not_grow_with_the_runs(author, prompt, tests):
    def queries(times, key):
        author.post(address("_run", prompt), columns("1", "2", by="tests", times=str(times), client_key=key))
        end(v1="wet", v2="dry")
        author.get(address("", prompt))  # what is read once per process
        with CaptureQueriesContext(connection) as captured:
            html = author.get(address("", prompt), {"set": key, "c": ["1", "2"]}).content.decode()
        assert html.count("data-run-id") == 6 * times
        return len(captured)

    assert queries(1, "a" * 32) == queries(10, "b" * 32)


def test_only_ones_own_and_only_those_who_may_run(author, prompt, member, login, outsider):
    author.post(address("_run", prompt), columns("1", "2"))
    end(v1="A secret answer", v2="A secret answer")
    viewer = login(member(Role.VIEWER))
    page = viewer.get(address("", prompt), {"set": KEY}).content.decode()
    assert "secret" not in page
    assert "Run all" not in page
    assert part(viewer, prompt).status_code == 404
    for name in ("_run", "_stop"):
        assert viewer.post(address(name, prompt), columns("1", "2", set=KEY)).status_code == 403
    operator = login(member(Role.OPERATOR))
    assert part(operator, prompt).status_code == 404
    elsewhere = login(factories.member(factories.workspace(), role=Role.ADMIN))
    for name in ("", "_part"):
        assert elsewhere.get(address(name, prompt), {"set": KEY}).status_code == 404
    for name in ("_run", "_stop", "_fields"):
        assert elsewhere.post(address(name, prompt), columns("1", "2")).status_code == 404
    assert login(outsider).get(address("", prompt)).status_code == 403
    assert Run.objects.count() == 2


def test_what_had_arrived_before_a_stop_is_shown(author, prompt):
    author.post(address("_run", prompt), columns("1", "2"))
    for run in Run.objects.all():
        row = log(run.workspace, run=run, prompt=prompt, status="cancelled")
        text(row, answer="Half an answer")
    Run.objects.update(status=RunStatus.CANCELLED)
    assert part(author, prompt, row=0).content.decode().count("Half an answer") == 2


@pytest.mark.parametrize(("more", "cache"), [({}, True), ({"no_cache": "1"}, False)])
def test_columns_can_be_run_without_the_cache(author, scope, prompt, more, cache):
    author.post(address("_run", prompt), columns("1", "2", **more))
    assert [run.spec["cache"] for run in Run.objects.all()] == [cache, cache]
    assert 'name="no_cache"' not in author.get(address("", prompt)).content.decode(), "no answer of it is ever kept"
    always = factories.prompt(scope, spec=factories.chat_spec(cache="always"))
    assert 'name="no_cache"' in author.get(address("", always)).content.decode()
