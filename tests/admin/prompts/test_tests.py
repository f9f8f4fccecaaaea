"""Test inputs in the studio: edited, run all at once, passed or failed with the reason."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from llm_admin.choices import Role, RunStatus, StoreTexts
from llm_admin.models import PromptTest, Run
from llm_admin.selectors.test_results import result_of, results_on
from llm_admin.services import documents, prompt_tests
from tests import factories


def address(name, prompt, *more):
    return reverse(f"admin:llm_admin_prompt_tests{name}", args=[prompt.pk, *more])


@pytest.fixture
def prompt(scope):
    return factories.prompt(scope, name="Weather")


@pytest.fixture
def make(prompt, system):
    def made(name="Rain", checks=(), **inputs):
        data = {"name": name, "inputs": inputs or {"topic": "rain"}, "checks": list(checks)}
        return prompt_tests.save(prompt, actor=system, data=data)

    return made


def form(**more):
    given = {"name": "Rain", "input-topic": "rain", "check-kind": ["contains"], "check-text": ["wet"]}
    return given | {"check-schema": [""]} | more


def ended(run, output="It is wet.", status=RunStatus.SUCCEEDED):
    Run.objects.filter(pk=run.pk).update(status=status, output=output)
    return Run.objects.get(pk=run.pk)


# ---- editing


def test_saved_with_values_and_checks_and_shown_in_words(author, prompt):
    kinds, texts = ["contains", "matches", "json", "not_contains"], ["wet", r"^\w", "", ""]
    html = author.post(
        address("_save", prompt),
        form(**{"check-kind": kinds, "check-text": texts, "check-schema": ["", "", '{"type": "object"}', ""]}),
    ).content.decode()
    test = PromptTest.objects.get()
    assert (test.name, test.inputs) == ("Rain", {"topic": "rain"})
    assert [check["kind"] for check in test.checks] == ["contains", "matches", "json"]  # the empty row is none
    assert test.checks[2]["json_schema"] == {"type": "object"}
    assert "contains “wet”; matches the pattern “^\\w”; is JSON of the given schema" in html
    assert "Not run yet" in html


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "This must not be empty."),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"check-kind": ["matches"], "check-text": ["("]}, "is no pattern"),
        ({"check-kind": ["json"], "check-schema": ["{"]}, "The schema is not JSON (line 1"),
        ({"check-kind": ["json"], "check-schema": ["[]"]}, "A schema is an object"),
        ({"check-kind": ["json"], "check-schema": ['{"$ref": "http://127.0.0.1:9/x"}']}, "refers to what is not in it"),
        ({"check-kind": ["sings"]}, "Choose one of"),
        ({"input-topic": "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD"}, "key"),
    ],
)
def test_what_is_wrong_comes_back_with_what_was_typed(author, prompt, changes, sentence):
    response = author.post(address("_save", prompt), form(**changes))
    html = response.content.decode()
    assert response.status_code == 422
    assert sentence in html.replace("&#x27;", "'")
    assert changes.get("input-topic", "rain") in html
    assert not PromptTest.objects.exists()


def test_names_are_unique_and_an_edit_keeps_its_own(author, prompt, make):
    test = make()
    response = author.post(address("_save", prompt), form())
    assert response.status_code == 422
    assert "There is a test input “Rain” already." in response.content.decode()
    assert author.post(address("_save", prompt), form(test=test.pk, **{"input-topic": "snow"})).status_code == 200
    assert PromptTest.objects.get().inputs == {"topic": "snow"}


def test_the_form_asks_for_what_the_text_in_the_editor_asks_for(author, prompt, make):
    spec = {"messages": [{"text": "{{when}} {{sure}}"}, {"role": "placeholder", "name": "past"}]}
    spec["variables"] = [{"name": "when", "type": "date"}, {"name": "sure", "type": "boolean"}]
    values = {"when": "2026-05-03", "sure": True, "past": [{"role": "assistant", "text": "Earlier"}]}
    sent = {"spec": json.dumps(spec), "values": json.dumps(values)}
    html = author.post(address("_form", prompt), sent).content.decode()
    assert 'type="date"' in html
    assert 'value="2026-05-03"' in html
    assert '<option value="yes" selected>' in html
    assert "Earlier" in html
    assert "input-topic" not in html
    broken = author.post(address("_form", prompt), {"spec": '{"messages": []}', "test": make().pk}).content.decode()
    assert 'name="input-topic"' in broken
    assert "rain" in broken


def test_deleted_once_and_its_runs_stay(author, prompt, make, system):
    test = make()
    run = prompt_tests.start_all(prompt, actor=system, spec=factories.chat_spec())[0]
    assert author.post(address("_delete", prompt, test.pk)).status_code == 200
    assert not PromptTest.objects.exists()
    assert Run.objects.get(pk=run.pk).test is None
    assert author.post(address("_delete", prompt, test.pk)).status_code == 404


# ---- running


def test_all_run_on_the_text_in_the_editor_at_once(author, prompt, make):
    make("Rain", topic="rain"), make("Snow", topic="snow", gone="x")
    spec = factories.chat_spec("Unsaved {{topic}}").model_dump_json()
    sent = {"spec": spec, "version": "1", "client_key": "k"}
    html = author.post(address("_run", prompt), sent).content.decode()
    assert html.count("data-run-open") == 2
    assert html.count("data-run-panel=") == 2
    rows = Run.objects.order_by("id")
    assert [run.inputs for run in rows] == [{"topic": "rain"}, {"topic": "snow"}]
    assert {run.prompt_version for run in rows} == {None}
    author.post(address("_run", prompt), sent)
    assert Run.objects.count() == 2, "a double click is one run"


def test_unchanged_text_counts_as_its_version_and_one_can_run_alone(author, prompt, make):
    make("Rain"), make("Snow")
    spec = documents.newest(prompt).spec
    one = PromptTest.objects.last()
    html = author.post(address("_run", prompt), {"spec": json.dumps(spec), "version": "1", "test": one.pk}).content
    run = Run.objects.get()
    assert (run.test, run.prompt_version.number) == (one, 1)
    assert html.decode().strip().startswith("<li")
    author.post(address("_run", prompt), {"version": "1"})
    assert Run.objects.filter(prompt_version__number=1).count() == 3


def test_a_missing_value_is_told_with_the_tests_name_before_anything_runs(author, prompt, make):
    make("Rain", topic="rain"), make("Empty", other="x")
    response = author.post(address("_run", prompt), {"version": "1"})
    assert response.status_code == 422
    assert "“Empty”: “Topic” is needed" in response.content.decode()
    assert not Run.objects.exists()
    for sent in (
        {},
        {"version": "99"},
        {"spec": "{"},
        {"version": "1", "model": "none"},
        {"version": "1", "test": "0"},
    ):
        assert 400 <= author.post(address("_run", prompt), sent).status_code < 500


def test_the_row_turns_to_failed_with_the_reasons(author, prompt, make):
    test = make(checks=[{"kind": "contains", "text": "dry"}, {"kind": "contains", "text": "wet"}])
    author.post(address("_run", prompt), {"version": "1"})
    run = ended(Run.objects.get())
    html = author.get(address("_result", prompt, test.pk), {"run": str(run.pk)}).content.decode()
    assert "Failed" in html
    assert "The answer does not contain “dry”." in html
    assert "data-run-open" not in html
    other = make("Other")
    assert author.get(address("_result", prompt, other.pk), {"run": str(run.pk)}).status_code == 404
    assert "Failed" in author.get(address("", prompt)).content.decode()


# ---- results


def test_the_newest_run_of_a_version_counts_until_the_values_change(prompt, make, system, scope):
    test, version = make(checks=[{"kind": "contains", "text": "wet"}]), documents.newest(prompt)
    assert results_on(version, [test])[0].state == "missing"
    start = {"actor": system, "spec": documents.spec_of(version), "version": version}
    first = prompt_tests.start_all(prompt, **start)[0]
    assert results_on(version, [test])[0].state == "running"
    ended(first)
    assert results_on(version, [test])[0].state == "passed"
    ended(prompt_tests.start_all(prompt, **start)[0], output="dry")
    assert results_on(version, [test])[0].state == "failed"
    data = {"name": "Rain", "inputs": {"topic": "rain"}, "checks": [{"kind": "contains", "text": "dry"}]}
    prompt_tests.save(prompt, actor=system, data=data, test=test)
    assert results_on(version, [test])[0].state == "passed", "the checks are made anew"
    prompt_tests.save(prompt, actor=system, data=data | {"inputs": {"topic": "snow"}}, test=test)
    assert results_on(version, [test])[0].state == "missing", "another input was never run"


def test_a_failed_run_fails_and_without_texts_it_is_unknown(prompt, make, system, scope):
    test = make(checks=[{"kind": "contains", "text": "wet"}])
    run = prompt_tests.start_all(prompt, actor=system, spec=factories.chat_spec())[0]
    Run.objects.filter(pk=run.pk).update(error_message="The key was refused.")
    assert result_of(test, ended(run, None, RunStatus.FAILED)).failures == ["The key was refused."]
    assert result_of(test, ended(run, None)).state == "unknown"
    test.checks = []
    assert result_of(test, ended(run, None)).state == "passed"
    assert scope.store_texts == StoreTexts.MASKED


def test_queries_do_not_grow_with_the_test_inputs(author, prompt, system):
    version = documents.newest(prompt)

    def queries(count):
        PromptTest.objects.all().delete()
        PromptTest.objects.bulk_create(
            PromptTest(prompt=prompt, name=f"t{n}", inputs={"topic": "x"}, position=n) for n in range(count)
        )
        prompt_tests.start_all(prompt, actor=system, spec=documents.spec_of(version), version=version)
        Run.objects.update(status=RunStatus.SUCCEEDED, output="x")
        author.get(address("", prompt))
        with CaptureQueriesContext(connection) as captured:
            assert author.get(address("", prompt)).content.decode().count("<li ") == count
        return len(captured)

    assert queries(3) == queries(100)


# ---- who may


def test_a_viewer_sees_results_and_changes_nothing(member, login, prompt, make):
    test = make()
    client = login(member(Role.VIEWER))
    html = client.get(address("", prompt)).content.decode()
    assert "Rain" in html
    assert "Run all" not in html
    assert "Delete" not in html
    for name, more in (("_form", ()), ("_save", ()), ("_run", ()), ("_delete", (test.pk,))):
        assert client.post(address(name, prompt, *more), form(version="1")).status_code == 403
    assert PromptTest.objects.count() == 1
    assert not Run.objects.exists()


def test_another_author_sees_the_result_not_the_answer(member, login, prompt, make, system):
    test = make(checks=[{"kind": "contains", "text": "dry"}])
    version = documents.newest(prompt)
    run = prompt_tests.start_all(prompt, actor=system, spec=documents.spec_of(version), version=version)[0]
    ended(run, "A private answer")
    client = login(member(Role.AUTHOR))
    html = client.get(address("", prompt)).content.decode()
    assert "Failed" in html
    assert "A private answer" not in html
    assert client.get(address("_result", prompt, test.pk), {"run": str(run.pk)}).status_code == 404


def test_nothing_from_another_workspace(login, prompt, make, scope):
    test = make()
    client = login(factories.member(factories.workspace(), role=Role.ADMIN))
    assert client.get(address("", prompt)).status_code == 404
    for name, more in (("_form", ()), ("_save", ()), ("_run", ()), ("_delete", (test.pk,))):
        assert client.post(address(name, prompt, *more), form(version="1")).status_code == 404
    assert client.get(address("_run", prompt)).status_code == 405


@pytest.mark.parametrize(("more", "cache"), [({}, True), ({"no_cache": "1"}, False)])
def test_all_can_be_run_without_the_cache(author, prompt, make, more, cache):
    """The box stands in “Try it”; the buttons send it along."""
    make(), make("Snow")
    author.post(address("_run", prompt), {"version": "1", "client_key": "k", **more})
    assert [run.spec["cache"] for run in Run.objects.all()] == [cache, cache]
    page = author.get(address("", prompt)).content.decode()
    assert page.count('hx-include="#llm-try-form [name=no_cache]"') == 3
