"""What is saved with a version reaches the provider: parameters, stop sequences, the form of the answer."""

from __future__ import annotations

import pytest

from llm_admin import RunFailed, run_prompt
from llm_admin.exceptions import InvalidInput
from llm_admin.models import Connection, Deployment, InteractionLog, InteractionText, LanguageModel
from llm_admin.schemas.base import parse
from llm_admin.schemas.prompts import PromptSpec, declare
from tests import factories
from tests.servers.openai_server import Behaviour, OpenAIServer

pytestmark = pytest.mark.django_db(transaction=True)
OUTPUT = {"format": "json", "fields": [{"name": "mood", "type": "text"}]}


@pytest.fixture(scope="module")
def server():
    with OpenAIServer() as made:
        yield made


@pytest.fixture
def asked(scope, server):
    """asked(answer, inputs, **spec) -> the result, and the body of the request as the provider received it."""
    connection = Connection.objects.create(
        workspace=scope, name="Local", provider="openai", base_url=server.base_url, api_key="sk-local-0123456789"
    )
    model = LanguageModel.objects.create(workspace=scope, alias="local", name="Local")
    Deployment.objects.create(model=model, connection=connection, provider_model="scripted")

    def make(answer: str, inputs: dict, **spec):
        server.script("scripted", Behaviour(text=answer))
        found = declare(parse(PromptSpec, {"messages": [{"text": "About {{topic}}"}], "model": "local", **spec}))
        prompt = factories.prompt(scope, spec=found)
        before = len(server.requests)
        result = run_prompt(prompt.slug, inputs)
        assert len(server.requests) == before + 1
        return result, server.requests[-1].body

    return make


def test_every_setting_is_sent(asked):
    parameters = {
        "temperature": 0.3,
        "top_p": 0.9,
        "max_tokens": 50,
        "stop": ["END"],
        "presence_penalty": 0.5,
        "frequency_penalty": -0.5,
        "seed": 7,
        "extra": {"top_k": 40},
    }
    _, body = asked("Fine.", {"topic": "rain"}, parameters=parameters)
    sent = {name: body[name] for name in (*list(parameters)[:-1], "top_k")}
    assert sent == {**{name: parameters[name] for name in list(parameters)[:-1]}, "top_k": 40}


def test_an_answer_as_asked_for_succeeds(asked):
    result, body = asked('{"mood": "good"}', {"topic": "rain"}, output=OUTPUT)
    assert result.output == '{"mood": "good"}'
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["mood"]


@pytest.mark.parametrize(
    ("answer", "words"), [("Good, I think.", "not JSON"), ('{"humour": 1}', "'mood' is a required property")]
)
def test_another_answer_fails_in_words_and_is_on_record_as_paid(asked, answer, words):
    with pytest.raises(RunFailed, match=words) as caught:
        asked(answer, {"topic": "rain"}, output=OUTPUT)
    assert caught.value.result.error_kind == "parse_error"
    log = InteractionLog.objects.get()
    assert log.status == "succeeded"
    assert log.output_tokens
    assert InteractionText.objects.get(log_id=log.pk).answer == answer


def test_values_of_every_kind_stand_in_the_message_as_people_write_them(asked):
    variables = [
        {"name": "topic", "type": "list"},
        {"name": "count", "type": "number"},
        {"name": "polite", "type": "boolean"},
        {"name": "data", "type": "json"},
    ]
    messages = [{"text": "{{topic}}|{{count}}|{{polite}}|{{data}}"}]
    inputs = {"topic": "a\nb", "count": "3", "polite": True, "data": '{"k": 1}'}
    _, body = asked("ok", inputs, variables=variables, messages=messages)
    assert body["messages"][0]["content"] == 'a\nb|3|yes|{\n  "k": 1\n}'


def test_a_jinja2_prompt_runs_as_it_is(asked):
    messages = [{"text": "{% for one in topic %}{{ loop.index }}) {{ one|upper }} {% endfor %}"}]
    variables = [{"name": "topic", "type": "list"}]
    _, body = asked("ok", {"topic": ["sun", "rain"]}, syntax="jinja2", messages=messages, variables=variables)
    assert body["messages"][0]["content"] == "1) SUN 2) RAIN "


def test_an_f_string_prompt_formats_numbers(asked):
    messages = [{"text": "{{price}} is {topic:.2f}"}]
    variables = [{"name": "topic", "type": "number"}]
    _, body = asked("ok", {"topic": "3"}, syntax="f-string", messages=messages, variables=variables)
    assert body["messages"][0]["content"] == "{price} is 3.00"


def test_values_that_an_imported_template_cannot_take_are_refused_before_there_is_a_run(asked, scope):
    messages = [{"text": "{{ topic.name.first }}"}]
    with pytest.raises(InvalidInput, match="could not be filled in"):
        factories_run(scope, messages)
    assert not InteractionLog.objects.exists()


def factories_run(scope, messages):
    spec = declare(parse(PromptSpec, {"messages": messages, "syntax": "jinja2"}))
    return run_prompt(factories.prompt(scope, spec=spec).slug, {"topic": "plain text"})
