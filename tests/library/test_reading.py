"""JSON: our library and lists; what is wrong is named in words."""

from __future__ import annotations

import json

import pytest

from llm_admin.exceptions import InvalidInput
from llm_admin.services import library
from tests.library.files import entry, library_file, problems, read_texts, version


def test_a_library():
    data = library_file(
        entry("Brief", "one", "two {{x}}", slug="brief", description="d", labels={"production": 1, "next": 2})
    )
    [one] = library.read(data).entries
    assert (one.name, one.slug, one.description, one.labels) == ("Brief", "brief", "d", {"production": 1, "next": 2})
    assert [(v.number, v.note, v.spec.texts) for v in one.versions] == [
        (1, "note 1", ["one"]),
        (2, "note 2", ["two {{x}}"]),
    ]
    assert not one.bare


def test_versions_are_put_in_order():
    data = library_file({"name": "A", "versions": [version(7, "new"), version(3, "old")]})
    assert [v.number for v in library.read(data).entries[0].versions] == [3, 7]


def test_a_list_of_objects():
    data = json.dumps([{"act": "A", "prompt": "a", "stars": 3}, {"act": "B", "prompt": "b", "stars": None}]).encode()
    assert read_texts(data) == {"A": "a", "B": "b"}
    assert library.read(data).ignored == ["key “stars”"]


def test_lists_may_hold_messages_as_they_are():
    data = json.dumps([{"name": "A", "messages": [{"role": "user", "text": "{{a}}"}]}]).encode()
    assert library.read(data).entries[0].newest.spec.kind == "chat"


@pytest.mark.parametrize(
    ("one", "problem"),
    [
        ({"name": "A", "text": ["x"]}, "Item 1 › column “text”: This must be text."),
        ({"name": True, "text": "x"}, "Item 1 › column “name”: This must be text."),
        ({"name": "A", "text": "a\x00"}, "Item 1 › column “text”: This holds a NUL"),
        ("A", "Item 1: This must be an object with “name” and “text”."),
    ],
)
def test_a_broken_item_of_a_list(one, problem):
    assert problems(json.dumps([one]).encode())[0].startswith(problem)


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ({"name": ""}, "Prompt 1 › name: This must not be empty."),
        ({"name": " "}, "Prompt “ ” › name: This must not be empty."),
        ({"name": "x" * 201}, f"Prompt “{'x' * 80}” › name: This must have at most 200 characters."),
        ({"slug": "a b"}, "Prompt “A” › slug: A short name has"),
        ({"labels": {"production": 9}}, "Prompt “A”: The label “production” is on version 9, which is not here."),
        ({"labels": {"a b": 1}}, "Prompt “A” › labels: “a b” is no label"),
        ({"versions": []}, "Prompt “A” › versions: Add at least one."),
        ({"versions": [version(1, "a"), version(1, "b")]}, "Prompt “A”: There are two versions 1."),
        ({"versions": [version(1, "")]}, "Prompt “A” › version 1 › messages › 1: This message is empty"),
        ({"versions": [version(1, "a", spec={"steps": []})]}, "Prompt “A” › version 1 › messages: This is needed."),
        (
            {"versions": [version(1, "\ud800")]},
            "Prompt “A” › version 1 › messages › 1 › text: This is not valid UTF-8.",
        ),
        ({"description": "a\x00"}, "Prompt “A” › description: This holds a NUL"),
    ],
)
def test_a_broken_entry_names_the_place(broken, problem):
    assert problems(library_file(entry("A", "a") | broken))[0].startswith(problem)


def test_a_workflow_that_makes_no_sense():
    step = {"type": "llm", "id": "answer", "text": "{{nowhere}}"}
    data = library_file(workflows=({"name": "W", "versions": [{"number": 1, "spec": {"steps": [step]}}]},))
    assert problems(data) == [
        "Workflow “W” › version 1 › steps › 1 › text: Nothing before this step is called “nowhere”."
    ]


def test_unknown_keys_are_listed_and_secrets_are_not_read():
    data = library_file(entry("A", "a", connection={"api_key": "sk-1"}), models=[{"apiKey": "x"}], secrets="s")
    assert library.read(data).ignored == ["“models”", "“secrets”", "“connection” of prompts"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "This is not valid JSON: "),
        (b'{"a": NaN}', "This is not valid JSON: NaN is no value"),
        (b"[" * 200_000, "This JSON is nested too deeply."),
        (b'{"a": 1}', "This JSON is neither a list of prompts nor a library"),
        (b"[" + b"1," * 2_000 + b"1]", "There are more than 2,000 prompts in this file."),
        (b"[]", "There is no prompt in this file."),
        (b'[{"name": "caf\xe9"}]', "Line 1 is not valid UTF-8."),
        (b'[{"name": ' + b"9" * 10_000 + b"}]", "This is not valid JSON: "),
    ],
)
def test_what_is_no_library_is_refused_in_a_sentence(data, message):
    with pytest.raises(InvalidInput) as refused:
        library.read(data)
    assert str(refused.value).startswith(message)


def test_a_file_of_a_later_format_says_so():
    [problem] = problems(library_file(entry("A", "a"), version=2))
    assert problem == "version: This file is of format 2; this console reads format 1. Update it."
