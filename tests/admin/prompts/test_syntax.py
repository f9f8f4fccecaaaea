"""Prompts in imported syntaxes, in the studio: their variables while typing, and the change to our own syntax."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from llm_admin.choices import Role
from llm_admin.models import Prompt, PromptVersion
from llm_admin.services import documents
from tests import factories

NAMES = reverse("admin:llm_admin_prompt_names")
CONVERT = reverse("admin:llm_admin_prompt_convert")


def asked(client, syntax, *texts):
    return client.post(NAMES, {"syntax": syntax, "texts": json.dumps(texts)})


@pytest.mark.parametrize(
    ("syntax", "texts", "names"),
    [
        ("f-string", ["{a} {{literal}} {b:>5}", None, "{a} {c}"], ["a", "b", "c"]),
        ("jinja2", ["{% for x in items %}{{ x }}{% endfor %}", "{{ who|upper }}"], ["items", "who"]),
        ("console", ["{{a}} {b}"], ["a"]),
    ],
)
def test_the_variables_of_what_is_typed(author, syntax, texts, names):
    assert asked(author, syntax, *texts).json() == {"names": names, "problems": []}


def test_what_is_broken_is_told_with_its_message(author):
    answer = asked(author, "f-string", "{fine}", "{broken").json()
    assert answer["names"] == ["fine"]
    (problem,) = answer["problems"]
    assert problem["location"] == ["messages", 1]
    assert "never closed" in problem["message"]


@pytest.mark.parametrize(
    "fields",
    [{}, {"syntax": "x", "texts": "[]"}, {"syntax": "f-string", "texts": "[1]"}, {"syntax": "jinja2", "texts": "["}],
)
def test_nonsense_is_refused(author, fields):
    assert author.post(NAMES, fields).status_code == 422


def test_an_f_string_is_converted_with_its_difference_and_nothing_is_saved(author, scope):
    prompt = factories.prompt(scope)
    spec = {
        "syntax": "f-string",
        "messages": [{"role": "user", "text": "Tell {who}: {{literally}}"}],
        "variables": [{"name": "who", "type": "text", "label": "Reader"}],
        "parameters": {"temperature": 0.5},
    }
    answer = author.post(CONVERT, {"spec": json.dumps(spec)}).json()
    made = answer["spec"]
    assert made["syntax"] == "console"
    assert made["messages"][0]["text"] == "Tell {{who}}: {literally}"
    assert made["variables"][0]["label"] == "Reader"
    assert made["parameters"]["temperature"] == 0.5
    assert "Message 1: User" in answer["html"]
    assert "<del>" in answer["html"]
    assert PromptVersion.objects.count() == 1
    assert documents.newest(Prompt.objects.get(pk=prompt.pk)).number == 1


def test_what_cannot_be_converted_says_why_and_where(author):
    spec = {"syntax": "jinja2", "messages": [{"text": "Fine"}, {"text": "{% if a %}b{% endif %}"}]}
    answer = author.post(CONVERT, {"spec": json.dumps(spec)})
    assert answer.status_code == 422
    (sentence,) = answer.json()["sentences"]
    assert sentence.startswith("Message 2: Line 1")


def test_a_script_in_a_text_stays_text_in_the_difference(author):
    spec = {"syntax": "f-string", "messages": [{"text": "<script>alert(1)</script> {a}"}]}
    assert "<script>" not in author.post(CONVERT, {"spec": json.dumps(spec)}).json()["html"]


@pytest.mark.parametrize("address", [NAMES, CONVERT])
def test_only_authors_ask(member, outsider, login, scope, address):
    spec = json.dumps({"messages": [{"text": "a"}]})
    for person in (member(Role.VIEWER, "vera"), outsider):
        answer = login(person).post(address, {"syntax": "console", "texts": "[]", "spec": spec})
        assert answer.status_code in (302, 403)


def test_a_viewer_is_told_so(member, login, scope):
    assert asked(login(member(Role.VIEWER, "vera")), "console").status_code == 403
