"""What the servers say: each with its source, and read without remainder by the types of the provider's own library."""

from __future__ import annotations

import json

import pytest
from pydantic import TypeAdapter

from tests.servers.recorded_server import FOLDER, recording

ALL = sorted((path.parent.name, path.stem) for path in FOLDER.glob("*/*.json"))
STREAMS = [(provider, name) for provider, name in ALL if recording(provider, name).events]


def told_by(provider, name):
    return [data for _, data in recording(provider, name).events if isinstance(data, dict) and "error" not in data]


@pytest.mark.parametrize(("provider", "name"), ALL)
def test_each_names_its_source(provider, name):
    told = recording(provider, name)
    assert "://" in told.source or ", tests/" in told.source or ", src/" in told.source
    assert bool(told.events) != (told.body is not None)


@pytest.mark.parametrize("name", [name for provider, name in STREAMS if provider == "anthropic"])
def test_anthropic_s_events(name):
    from anthropic.types import RawMessageStreamEvent

    for event, data in recording("anthropic", name).events:
        if event not in ("ping", "error"):
            assert event == data["type"]
            TypeAdapter(RawMessageStreamEvent).validate_python(data)


@pytest.mark.parametrize("name", [name for provider, name in STREAMS if provider == "google"])
def test_google_s_chunks(name):
    """Its types forbid fields that they do not know."""
    from google.genai.types import GenerateContentResponse

    for data in told_by("google", name):
        GenerateContentResponse.model_validate(data)
        with pytest.raises(ValueError, match="Extra inputs"):
            GenerateContentResponse.model_validate({**data, "notTheirs": 1})


@pytest.mark.parametrize("name", [name for provider, name in STREAMS if provider == "huggingface"])
def test_hugging_face_s_chunks(name):
    from huggingface_hub import ChatCompletionStreamOutput

    for data in told_by("huggingface", name):
        made = ChatCompletionStreamOutput.parse_obj_as_instance(json.dumps(data))
        assert set(data) - {"object"} <= set(ChatCompletionStreamOutput.__dataclass_fields__)
        assert made.choices == data["choices"] or made.choices


@pytest.mark.parametrize("name", [name for provider, name in STREAMS if provider == "openai"])
def test_openai_s_chunks(name):
    from openai.types.chat import ChatCompletionChunk

    for data in told_by("openai", name):
        made = TypeAdapter(ChatCompletionChunk).validate_python(data)
        assert not made.model_extra


def test_the_errors_have_the_shapes_of_the_libraries():
    """Anthropic and OpenAI publish a type for them."""
    from anthropic.types import ErrorResponse

    names = [name for provider, name in ALL if provider == "anthropic" and recording(provider, name).status >= 400]
    names.remove("too_large")  # which Cloudflare says before the request reaches them, says their documentation
    assert len(names) > 8
    for name in names:
        TypeAdapter(ErrorResponse).validate_python(recording("anthropic", name).body)
