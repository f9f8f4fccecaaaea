"""Typed variables: settings and details saved with the version, values typed, remembered, and as a table."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from llm_admin.admin.input_forms import form_text
from llm_admin.choices import Role
from llm_admin.models import Prompt, Run
from llm_admin.schemas.base import parse
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.schemas.variables import VariableSpec
from llm_admin.services import actors, documents, runs
from tests import factories

TRY = reverse("admin:llm_admin_prompt_try")
DIALOG = reverse("admin:llm_admin_prompt_run_dialog")
KINDS = [
    {"name": "short", "type": "text"},
    {"name": "long", "type": "long_text", "required": False},
    {"name": "size", "type": "number", "minimum": 1, "maximum": 10},
    {"name": "tone", "type": "choice", "choices": ["formal", "friendly"], "default": "formal"},
    {"name": "urgent", "type": "boolean"},
    {"name": "due", "type": "date"},
    {"name": "points", "type": "list", "minimum": 2},
    {"name": "data", "type": "json"},
    {"name": "report", "type": "file", "max_length": 20},
]
FILLED = {
    "input-short": "Acme",
    "input-long": "",
    "input-size": "7",
    "input-tone": "",
    "input-urgent": "yes",
    "input-due": "2026-05-03",
    "input-points": "one\r\ntwo",
    "input-data": '{"a": [1]}',
    "input-report": "a\r\nb",
}
TYPED = {
    "short": "Acme",
    "long": "",
    "size": 7,
    "tone": "formal",
    "urgent": True,
    "due": "2026-05-03",
    "points": ["one", "two"],
    "data": {"a": [1]},
    "report": "a\nb",
}


@pytest.fixture
def spec():
    text = " ".join(f"{{{{{one['name']}}}}}" for one in KINDS)
    return parse(PromptSpec, {"messages": [{"text": text}], "variables": KINDS})


@pytest.fixture
def prompt(scope, spec):
    return factories.prompt(scope, name="Report", spec=spec)


def page(prompt, **query):
    return reverse("admin:llm_admin_prompt_change", args=[prompt.pk], query=query or None)


def values_of(prompt):
    return reverse("admin:llm_admin_prompt_values", args=[prompt.pk])


def ran(scope, user, prompt, **inputs):
    actor = actors.Actor(scope, user, Role.AUTHOR)
    return runs.start_prompt(
        actor=actor, prompt=prompt, spec=documents.spec_of(documents.newest(prompt)), inputs=inputs
    )


# ---- Try it


def test_each_kind_arrives_as_what_it_is(author, prompt, spec):
    assert author.post(TRY, FILLED | {"prompt": prompt.pk, "spec": spec.model_dump_json()}).status_code == 200
    assert Run.objects.get().inputs == TYPED


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("size", "many", "must be a number"),
        ("size", "11", "must be at most 10"),
        ("tone", "rude", "must be one of: formal, friendly"),
        ("urgent", "perhaps", "must be yes or no"),
        ("due", "3 May", "must be a date"),
        ("points", "one", "must be at least 2 entries"),
        ("data", "{", "is not JSON"),
        ("report", "x" * 21, "is longer than 20 characters"),
        ("short", "", "is needed"),
    ],
)
def test_a_wrong_value_is_told_at_its_field_and_nothing_runs(author, prompt, spec, field, text, words):
    given = FILLED | {"spec": spec.model_dump_json(), f"input-{field}": text}
    answer = author.post(TRY, given, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    (problem,) = json.loads(answer["HX-Trigger"])["llm:problems"]["problems"]
    assert problem["location"] == ["inputs", field]
    assert words in problem["message"]
    assert not Run.objects.exists()


def test_an_earlier_runs_values_come_back_as_form_texts(author, ada, prompt, scope):
    run = ran(scope, ada, prompt, **TYPED)
    state = author.get(page(prompt, run=run.pk)).context["state"]
    assert state["values"] == {name[6:]: text.replace("\r\n", "\n") for name, text in FILLED.items()} | {
        "tone": "formal",
        "data": '{\n  "a": [\n    1\n  ]\n}',
    }
    assert state["lists"] == {}


def test_earlier_messages_come_back_as_messages(author, ada, scope):
    spec = parse(PromptSpec, {"messages": [{"role": "placeholder", "name": "history"}, {"text": "Go on"}]})
    prompt = factories.prompt(scope, spec=spec)
    past = [{"role": "user", "text": "Hello"}]
    run = ran(scope, ada, prompt, history=past)
    state = author.get(page(prompt, run=run.pk)).context["state"]
    assert (state["values"], state["lists"]) == ({}, {"history": past})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("list", ["one", "two"]),
        ("list", ["two\nlines", "x"]),
        ("list", [" spaced "]),
        ("list", [1, True, {"a": None}]),
        ("list", ["[1]"]),
        ("list", []),
        ("json", "a text"),
        ("json", {"ä": [1.5, None]}),
        ("json", True),
        ("number", 1.5),
        ("number", -3),
        ("boolean", False),
        ("text", " a \n b "),
        ("date", "2026-05-03"),
    ],
)
def test_a_form_text_gives_the_same_value_again(kind, value):
    variable = VariableSpec(name="x", type=kind)
    assert variable.value(form_text(value, variable)) == value


# ---- settings and details


def test_settings_and_details_are_saved_with_the_version(author, prompt, spec):
    changed = spec.model_dump(mode="json") | {
        "model": "fast",
        "parameters": {"temperature": 0.2, "stop": ["\n\n", "END"], "seed": 5, "extra": {"top_k": 40}},
        "output": {"format": "json", "fields": [{"name": "title", "description": "A headline"}]},
    }
    changed["variables"][0] |= {"label": "Company", "help": "Its legal name", "max_length": 30}
    fields = {
        "name": "Report",
        "description": "",
        "note": "",
        "based_on": "1",
        "spec": json.dumps(changed),
        "_draft": "",
    }
    assert author.post(page(prompt), fields).status_code == 302
    saved = documents.spec_of(documents.newest(Prompt.objects.get()))
    assert (saved.model, saved.parameters.temperature, saved.parameters.stop) == ("fast", 0.2, ["\n\n", "END"])
    assert saved.parameters.extra == {"top_k": 40}
    assert saved.output.answer_schema()["properties"] == {"title": {"type": "string", "description": "A headline"}}
    assert (saved.variables[0].help, saved.variables[0].max_length) == ("Its legal name", 30)
    assert documents.newest(Prompt.objects.get()).number == 2


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"parameters": {"temperature": "hot"}}, ("parameters", "temperature")),
        ({"parameters": {"top_p": 2}}, ("parameters", "top_p")),
        ({"parameters": {"extra": '{"half'}}, ("parameters", "extra")),
        ({"output": {"format": "json", "json_schema": "{"}}, ("output", "json_schema")),
        ({"output": {"format": "json", "fields": [{"name": ""}]}}, ("output", "fields", 0, "name")),
    ],
)
def test_a_wrong_setting_comes_back_with_its_place_and_the_text(author, prompt, spec, change, place):
    data = spec.model_dump(mode="json") | change
    fields = {"name": "Report", "note": "", "based_on": "1", "spec": json.dumps(data), "_draft": ""}
    answer = author.post(page(prompt), fields)
    assert answer.status_code == 422
    state = answer.context["state"]
    assert tuple(state["problems"][0]["location"]) == place
    name, value = next(iter(change.items()))
    assert state["spec"][name] == value
    assert documents.newest(prompt).number == 1


# ---- values used before


def test_the_last_values_are_offered_once_each_the_newest_first(author, ada, prompt, scope):
    for size in (1, 2, 1, 3):
        ran(scope, ada, prompt, **TYPED | {"size": size})
    entries = author.get(values_of(prompt)).json()["entries"]
    assert [entry["values"]["size"] for entry in entries] == ["3", "1", "2"]
    assert entries[0]["values"]["points"] == "one\ntwo"
    assert entries[0]["title"].startswith("Acme · 3 · formal · yes")


def test_at_most_ten_are_offered_in_equally_many_queries(author, ada, prompt, scope):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            answer = author.get(values_of(prompt))
        return len(captured), len(answer.json()["entries"])

    for number in range(3):
        ran(scope, ada, prompt, **TYPED | {"short": f"A{number}"})
    few, shown = queries()
    assert shown == 3
    row = Run.objects.first()
    made = []
    for number in range(300):
        row.pk, row.client_key, row._state.adding = None, None, True
        row.inputs = TYPED | {"short": f"B{number}"}
        made.append(Run(**{f.attname: getattr(row, f.attname) for f in Run._meta.fields if f.name != "id"}))
    Run.objects.bulk_create(made)
    assert queries() == (few, 10)


def test_nobody_sees_anothers_values(author, member, prompt, scope):
    ran(scope, member(Role.OPERATOR, "ops"), prompt, **TYPED)
    assert author.get(values_of(prompt)).json() == {"entries": []}


def test_values_of_another_workspaces_prompt_are_not_found(author):
    elsewhere = factories.workspace()
    assert author.get(values_of(factories.prompt(elsewhere))).status_code == 404


# ---- the table


def test_the_table_has_the_names_and_an_example(author, prompt):
    address = reverse("admin:llm_admin_prompt_template", args=[prompt.pk])
    answer = author.get(address)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert f'filename="{prompt.slug}.csv"' in answer["Content-Disposition"]
    head, example = csv.reader(io.StringIO(answer.content.decode()))
    assert head == [one["name"] for one in KINDS]
    row = dict(zip(head, example, strict=True))
    for variable in documents.spec_of(documents.newest(prompt)).variables:
        assert variable.type in ("number", "list") or variable.value(row[variable.name]) is not None
    assert row["tone"] == "formal"
    assert author.get(address, {"version": 9}).status_code == 404


# ---- the dialog has the same fields


def test_the_dialog_has_a_control_for_each_kind(author, prompt):
    html = author.get(DIALOG, {"pk": prompt.pk}).content.decode()
    for piece in (
        '<input class="llm-input" type="date" id="llm-input-due"',
        '<select class="llm-input" id="llm-input-urgent"',
        '<option value="formal" selected>formal</option>',
        'inputmode="decimal"',
        'data-llm-file="llm-input-report" data-most="20"',
        '<textarea class="llm-input llm-input-grow llm-mono" rows="2" id="llm-input-data"',
    ):
        assert piece in html, piece


def test_the_dialog_runs_with_typed_values_and_tells_what_is_wrong(author, prompt):
    wrong = author.post(DIALOG, FILLED | {"pk": prompt.pk, "input-size": "11", "client_key": "a"})
    assert wrong.status_code == 422
    assert "must be at most 10" in wrong.content.decode()
    assert '<option value="yes" selected>' in wrong.content.decode()
    assert author.post(DIALOG, FILLED | {"pk": prompt.pk, "client_key": "a"}).status_code == 200
    assert Run.objects.get().inputs == TYPED
