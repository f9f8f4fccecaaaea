"""Any text at all: saved and filled in exactly, or refused with the place. Never another exception, never a 500."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from llm_admin.choices import Role
from llm_admin.exceptions import InvalidInput
from llm_admin.models import Prompt
from llm_admin.runtime.prompts import fill_in
from llm_admin.schemas.base import parse
from llm_admin.schemas.prompts import LINE_ENDS, PromptSpec, check_inputs, converted, declare
from llm_admin.services import documents
from tests import factories

SYNTAXES = ("console", "f-string", "jinja2")
PIECES = st.sampled_from(
    ["{", "}", "{{", "}}", "{{{{", "}}}}", "{name}", "{{name}}", "{{ name }}", "{{{name}}}", "{%", "%}", "{#", "#}",
     "{% if name %}", "{% endif %}", "{% for a in name %}", "{% endfor %}", "{% raw %}", "{{ name|upper }}", "{name!r}",
     "{name:>5}", "{0}", "{}", "{name.x}", "{name[0]}", "\n", "\r\n", "\r", " ", "\t", "%s", "$name", "\\", "\\n", '"',
     "'", "<b>", "&amp;", "é", "e\u0301", "日本", "🙂", "\u202e", "\ufeff", "\u2028", '{"a": {"b": [1, 2]}}', "name"]
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(PIECES, max_size=12).map("".join),
    st.text(max_size=200),
    st.text(alphabet="{}% #|name\n", max_size=80),
)
LARGE = [
    unit * (200_000 // len(unit)) for unit in ("a", "{", "}", "{{", "}}", "{ ", "{{a}} ", "{% ", "é🙂", "\n", "{{{{")
]


def spec_of(text: str, syntax: str) -> PromptSpec:
    """Raises InvalidInput."""
    spec = parse(PromptSpec, {"syntax": syntax, "messages": [{"text": text}]})
    return declare(spec)


def filled(spec: PromptSpec, value: str = "value") -> str:
    return fill_in(spec, check_inputs(spec, {variable.name: value for variable in spec.variables}))[0]["content"]


def stored(spec: PromptSpec) -> PromptSpec:
    """As it comes back from the database."""
    return PromptSpec.model_validate(json.loads(json.dumps(spec.model_dump(mode="json"))))


def exact_or_refused(text: str, syntax: str) -> str | None:
    """What is sent; None when it was refused with its place."""
    try:
        spec = spec_of(text, syntax)
        assert stored(spec) == spec
        assert spec.messages[0].text == LINE_ENDS.sub("\n", text)
        return filled(stored(spec))
    except InvalidInput as error:
        assert error.problems
        for problem in error.problems:
            assert problem.location
            assert problem.location[0] in ("messages", "variables", "inputs")
            assert problem.message.strip()
        return None


@given(TEXTS)
@example("{{{{")
@example("}}")
@example("{")
@settings(max_examples=300)
def test_our_own_syntax_takes_every_text_and_changes_only_variables(text):
    sent = exact_or_refused(text, "console")
    if sent is None:
        assert not text.strip() or "\x00" in text or any(0xD800 <= ord(letter) < 0xE000 for letter in text)
        return
    spec = spec_of(text, "console")
    marked = filled(spec, "\ue000")
    if not spec.variables:
        assert sent == LINE_ENDS.sub("\n", text)
    assert sent == marked.replace("\ue000", "value") or "\ue000" in text


@given(TEXTS)
@settings(max_examples=300)
def test_f_strings_are_filled_in_as_python_does_or_refused(text):
    sent = exact_or_refused(text, "f-string")
    if sent is None:
        return
    names = [variable.name for variable in spec_of(text, "f-string").variables]
    assert sent == LINE_ENDS.sub("\n", text).format(**dict.fromkeys(names, "value"))


@given(TEXTS)
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_jinja2_is_filled_in_as_jinja2_does_or_refused(text):
    sent = exact_or_refused(text, "jinja2")
    if sent is None:
        return
    import jinja2

    names = [variable.name for variable in spec_of(text, "jinja2").variables]
    plain = jinja2.Environment(keep_trailing_newline=True, undefined=jinja2.StrictUndefined)
    assert sent == plain.from_string(LINE_ENDS.sub("\n", text)).render(dict.fromkeys(names, "value"))


@given(TEXTS, st.sampled_from(SYNTAXES))
def test_what_is_converted_to_our_syntax_says_the_same(text, syntax):
    try:
        spec = spec_of(text, syntax)
        ours = converted(spec)
        before = filled(spec)
    except InvalidInput:
        return
    assert filled(ours) == before


@given(st.text(max_size=100), st.sampled_from(SYNTAXES))
def test_a_value_is_put_in_as_it_is_and_never_read_as_a_template(value, syntax):
    text = {"console": "<{{name}}>", "f-string": "<{name}>", "jinja2": "<{{ name }}>"}[syntax]
    try:
        assert filled(spec_of(text, syntax), value) == f"<{value}>"
    except InvalidInput as error:
        assert error.problems[0].location == ("inputs", "name")


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("text", LARGE, ids=lambda text: repr(text[:6]))
def test_200_kb_are_taken_exactly_or_refused_with_the_place(text, syntax):
    sent = exact_or_refused(text, syntax)
    if syntax == "console" and text.strip():
        assert sent == text.replace("{{a}}", "value")


# ---- real prompts, and JSON


def real_prompts() -> list[str]:
    path = Path(__file__).resolve().parents[2] / "fixtures" / "prompts-2025.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [row["prompt"] for row in csv.DictReader(file)]


JSON_LADEN = [
    '{"role": "user", "content": "{{topic}}", "nested": {"a": [{"b": {}}]}}',
    '```json\n{\n  "title": "string",\n  "items": [{"id": 1}, {"id": 2}]\n}\n```\nAbout {{topic}}.',
    "{{{{topic}}}} {{{topic}}} { {topic} } {topic} {{ topic }}",
    'function f() { return {a: {b: "${x}"}}; } // {{topic}}',
    "<style>a{color:red}b{{}}</style> {{topic}}",
    "{% raw %}{{topic}}{% endraw %} {# no comment #}",
    'f"{x!r:>{width}}" and "%s" % "{{topic}}"',
    "\\{{topic}} \\\\ \\n {{topic }} {{ topic}}",
]


def test_the_197_real_prompts_are_sent_byte_for_byte():
    texts = real_prompts()
    assert len(texts) == 197
    for text in texts:
        spec = parse(PromptSpec, {"messages": [{"text": text}]})
        assert filled(stored(spec)).encode() == LINE_ENDS.sub("\n", text).encode()


@pytest.mark.parametrize("text", JSON_LADEN)
def test_json_in_a_text_stays_byte_for_byte(text):
    spec = spec_of(text, "console")
    assert [variable.name for variable in spec.variables] == ["topic"]
    expected = text
    for written in ("{{topic}}", "{{ topic }}", "{{topic }}", "{{ topic}}"):
        expected = expected.replace(written, "R")
    assert filled(stored(spec), "R").encode() == expected.encode()


# ---- through the studio


@pytest.fixture
def author(member, login):
    return login(member(Role.AUTHOR, "ada"))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=TEXTS, syntax=st.sampled_from(SYNTAXES))
def test_the_studio_saves_exactly_or_refuses_and_never_fails(author, scope, text, syntax):
    save(author, scope, text, syntax)


@pytest.mark.parametrize("text", [*LARGE, "\x00", "\ud800", *JSON_LADEN], ids=lambda text: repr(text[:12]))
def test_the_studio_takes_the_hard_ones(author, scope, text):
    for syntax in SYNTAXES:
        save(author, scope, text, syntax)


def save(author, scope, text, syntax):
    prompt = Prompt.objects.filter(name="Any").first() or factories.prompt(scope, name="Any")
    before = Prompt.objects.get(pk=prompt.pk).last_number
    spec = {"kind": "chat", "syntax": syntax, "messages": [{"role": "user", "text": text}], "variables": []}
    data = {"name": "Any", "description": "", "note": "", "based_on": before, "spec": json.dumps(spec)}
    answer = author.post(reverse("admin:llm_admin_prompt_change", args=[prompt.pk]), data)
    assert answer.status_code in (302, 422), answer.status_code
    newest = Prompt.objects.get(pk=prompt.pk)
    if answer.status_code == 302:
        kept = documents.spec_of(documents.newest(newest)).messages[0].text
        assert kept == LINE_ENDS.sub("\n", text)
    else:
        assert newest.last_number == before
        assert answer.context["state"]["problems"]
