import asyncio
import json
import time

import pytest
from jsonschema import validate

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers import Endpoint
from llm_admin.runtime.providers.fake import BEHAVIOURS, FakeProvider, enqueue, forget, script

PROVIDER = FakeProvider()
ASKED = [("system", "You are a patient support agent. Be brief."), ("user", "Please answer the letter of Ms. Bauer.")]


def build(name="demo", parameters=None, *, wait=60.0, **options):
    endpoint = Endpoint("fake", name, first_token_timeout=wait, options=options)
    return PROVIDER.build(endpoint, parameters or {})


async def chunks_of(model, messages=ASKED):
    return [chunk async for chunk in model.astream(messages)]


async def json_of(question, parameters=None):
    return json.loads((await build(parameters=parameters).ainvoke(question)).text)


@pytest.fixture
def name():
    yield "test"
    forget("test")


# Answers


async def test_the_answer_is_about_the_request_and_always_the_same():
    first, second = [(await build().ainvoke(ASKED)).text for _ in range(2)]
    assert first == second
    assert "letter of Ms. Bauer" in first
    assert "You are a patient support agent" in first
    assert "no AI" in first
    assert "letter of Ms. Bauer" not in (await build().ainvoke("Something else")).text


async def test_a_long_question_shows_its_end_too():
    answer = (await build().ainvoke("word " * 50 + "and the filled-in name is Zoë")).text
    assert "name is Zoë" in answer


async def test_all_four_ways_of_calling_say_the_same():
    model = build()
    streamed = await chunks_of(model)
    texts = {
        "".join(chunk.text for chunk in streamed),
        "".join(chunk.text for chunk in model.stream(ASKED)),
        (await model.ainvoke(ASKED)).text,
        model.invoke(ASKED).text,
    }
    assert len(texts) == 1
    assert len(streamed) > 20, "word by word"


async def test_usage_comes_once_in_the_last_chunk_and_is_what_was_said():
    chunks = await chunks_of(build("demo:words=7"))
    told = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]
    assert told == [{"input_tokens": 15, "output_tokens": 7, "total_tokens": 22}]
    assert chunks[-1].usage_metadata
    assert chunks[-1].response_metadata["finish_reason"] == "stop"
    assert (await build("demo:words=7").ainvoke(ASKED)).usage_metadata == told[0]
    assert sum(chunks[1:], chunks[0]).usage_metadata == told[0]


@pytest.mark.parametrize("count", [1, 20, 500])
async def test_a_number_of_words_is_exact(count):
    text = (await build("demo", words=count).ainvoke(ASKED)).text
    assert len(text.split()) == count


async def test_the_settings_of_a_call_are_kept():
    short = await chunks_of(build(parameters={"max_tokens": 3, "temperature": 1}))
    assert len([chunk for chunk in short if chunk.text]) == 3
    assert short[-1].response_metadata["finish_reason"] == "length"
    stopped = (await build(parameters={"stop": ["no AI", "Ms."]}).ainvoke(ASKED)).text
    assert stopped == "This is a demo answer; "
    assert (await build().ainvoke(ASKED, stop=["demo"])).text == "This is a "


async def test_the_pace_is_kept():
    began = time.perf_counter()
    await chunks_of(build(delay_ms=10, words=10))
    assert time.perf_counter() - began >= 0.1
    began = time.perf_counter()
    await chunks_of(build("demo:delay_ms=20:words=5"))
    assert time.perf_counter() - began >= 0.1
    assert build("demo:slow")._delay == 0.3


async def test_even_without_a_pace_others_get_their_turn():
    """Otherwise Stop would never reach a long answer."""
    got, begun = 0, asyncio.Event()

    async def count():
        nonlocal got
        async for _chunk in build(words=100_000).astream(ASKED):
            got += 1
            begun.set()

    task = asyncio.create_task(count())
    await begun.wait()
    assert got < 100_000
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 30)
    assert got < 100_000


# JSON

SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "maxLength": 12},
        "mood": {"enum": ["good", "bad"]},
        "stars": {"type": "integer", "minimum": 4, "maximum": 5},
        "share": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "urgent": {"type": "boolean"},
        "due": {"type": "string", "format": "date"},
        "note": {"anyOf": [{"type": "null"}, {"type": "string", "minLength": 80}]},
        "people": {"type": "array", "items": {"$ref": "#/$defs/Person"}, "minItems": 3},
        "version": {"const": 2},
    },
    "required": ["title", "mood", "stars", "share", "urgent", "due", "people", "version"],
    "additionalProperties": False,
    "$defs": {
        "Person": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "boss": {"$ref": "#/$defs/Person"}},
            "required": ["name"],
        }
    },
}


async def test_a_schema_in_the_settings_is_satisfied():
    given = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    validate(await json_of("Describe the letter.", {"response_format": given}), SCHEMA)


async def test_a_schema_in_the_text_is_satisfied():
    validate(await json_of(f"Describe it. Answer in JSON that fits this schema:\n{json.dumps(SCHEMA)}"), SCHEMA)


async def test_json_mode_gives_an_object():
    assert isinstance(await json_of("Describe the letter.", {"response_format": {"type": "json_object"}}), dict)
    assert isinstance(await json_of("Answer as JSON."), dict)


@pytest.mark.parametrize(
    ("request_", "kinds"),
    [
        ('Return JSON with the keys "summary", "score" and "tags".', {"summary": str, "score": int, "tags": list}),
        ("Answer only with JSON with keys: mood, is_urgent, reason", {"mood": str, "is_urgent": bool, "reason": str}),
        (
            "Reply in JSON. Fields: `sentiment` (one word), `rating` (whole number 1 to 5), `done` (yes or no)",
            {"sentiment": str, "rating": int, "done": bool},
        ),
        ("Answer as a JSON object:\n- name: who wrote\n- count: how many\n", {"name": str, "count": int}),
        ('Output JSON like {"a": "x", "b": 5, "c": {"d": ["e"]}} please', {"a": str, "b": int, "c": dict}),
    ],
)
async def test_keys_that_the_request_names_are_there(request_, kinds):
    answer = await json_of(request_)
    assert {key: type(value) for key, value in answer.items()} == kinds


@pytest.mark.parametrize("question", ["What is JSON?", "Explain this Json file to me {", "Write a poem."])
async def test_prose_is_prose(question):
    with pytest.raises(ValueError, match="Expecting"):
        await json_of(question)


@pytest.mark.timeout(60)
async def test_a_text_full_of_braces_does_not_hang():
    await json_of("Answer in JSON. " + "{" * 100_000)


# Failures


@pytest.mark.parametrize(
    ("behaviour", "kind", "status"),
    [
        ("401", ErrorKind.AUTHENTICATION, 401),
        ("429", ErrorKind.RATE_LIMIT, 429),
        ("500", ErrorKind.PROVIDER_DOWN, 500),
        ("context", ErrorKind.CONTEXT_TOO_LONG, 400),
        ("filter", ErrorKind.CONTENT_FILTER, 400),
    ],
)
async def test_it_refuses_as_it_is_told(behaviour, kind, status):
    with pytest.raises(Exception) as caught:
        await chunks_of(build(f"demo:{behaviour}"))
    failure = PROVIDER.classify(caught.value)
    assert (failure.kind, failure.status_code) == (kind, status)
    assert failure.retry_after == (2 if behaviour == "429" else None)


async def test_it_hangs_until_the_wait_is_over():
    began = time.perf_counter()
    with pytest.raises(Exception) as caught:
        await chunks_of(build("demo:hang", wait=0.1))
    assert time.perf_counter() - began >= 0.1
    assert PROVIDER.classify(caught.value).kind == ErrorKind.TIMEOUT


async def test_it_breaks_off_after_some_words():
    got = []
    with pytest.raises(Exception) as caught:
        async for chunk in build("demo:cut:words=10").astream(ASKED):
            got.append(chunk.text)
    assert len(got) == 5
    assert PROVIDER.classify(caught.value).kind == ErrorKind.PROVIDER_DOWN


async def test_it_ends_without_an_end():
    chunks = await chunks_of(build("demo:unfinished:words=10"))
    assert not any(chunk.response_metadata.get("finish_reason") for chunk in chunks)
    assert PROVIDER.problem_at_end({}, got_usage=False).kind == ErrorKind.PROVIDER_DOWN


async def test_malformed_json_begins_well():
    text = (await build("demo:malformed").ainvoke("JSON please")).text
    assert text.startswith('{"answer": "')
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(text)


async def test_unknown_usage_is_none():
    chunks = await chunks_of(build("demo:nousage"))
    assert all(chunk.usage_metadata is None for chunk in chunks)
    assert chunks[-1].response_metadata["finish_reason"] == "stop"


def test_an_unknown_behaviour_is_refused_with_the_known_ones():
    with pytest.raises(CallFailed, match="“wobbly”; it knows 401") as caught:
        build("demo:wobbly")
    assert caught.value.kind == ErrorKind.BAD_REQUEST


def test_an_option_that_makes_no_sense_is_named():
    with pytest.raises(CallFailed, match="this value of delay_ms"):
        build(delay_ms="soon")


async def test_the_models_on_offer_all_work():
    names = await PROVIDER.list_models(Endpoint("fake", ""))
    assert names[0] == "demo"
    assert len(names) == 1 + len(BEHAVIOURS)
    for one in names:
        build(one)


# Scripts


async def test_a_script_answers_in_order_and_remembers_the_questions(name):
    enqueue(name, "first answer", ["sec", "ond"], RuntimeError("no more"))
    model = build("demo", script=name)
    assert (await model.ainvoke("one")).text == "first answer"
    assert [chunk.text for chunk in await chunks_of(model, "two")] == ["sec", "ond", ""]
    with pytest.raises(RuntimeError, match="no more"):
        await model.ainvoke("three")
    assert [messages[0].text for messages in script(name).requests] == ["one", "two", "three"]
    with pytest.raises(LookupError, match="no answer for request 4"):
        await model.ainvoke("four")


async def test_a_script_can_break_off(name):
    enqueue(name, ["some ", "words ", ConnectionError("gone"), "never"])
    got = []
    with pytest.raises(ConnectionError):
        async for chunk in build(f"demo:script={name}").astream("x"):
            got.append(chunk.text)
    assert got == ["some ", "words "]


async def test_scripted_answers_have_usage_too(name):
    enqueue(name, "three words here")
    assert (await build(script=name).ainvoke("two words")).usage_metadata["output_tokens"] == 3
