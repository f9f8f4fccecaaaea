"""Our cache behind LangChain's interface, against what LangChain expects of one; and embeddings."""

from __future__ import annotations

import json
import pickle
import time
import zlib

import pytest
from django.core.cache import cache as django_cache
from django.core.cache.backends.locmem import LocMemCache
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, Generation

from llm_admin.runtime import cache as module
from llm_admin.runtime.cache import DjangoCache, digest, embed_cached, store_of
from llm_admin.runtime.providers.base import EmbeddingResult

ONE = [Generation(text="An answer", generation_info={"reason": "stop"})]


@pytest.fixture
def kept():
    return DjangoCache(space="a")


@pytest.fixture
def ahead(monkeypatch):
    """ahead(60): a minute later."""

    def go(seconds: float) -> None:
        now = time.time()
        monkeypatch.setattr(module.time, "time", lambda: now + seconds)

    return go


# ---- what LangChain's own suite for caches asks ----
def test_it_is_empty_at_first(kept):
    assert kept.lookup("prompt", "model") is None


@pytest.mark.parametrize(
    "answer",
    [
        ONE,
        [Generation(text="one"), Generation(text="two", generation_info={"n": 2})],
        [
            ChatGeneration(
                message=AIMessage("Hi", usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3})
            )
        ],
        [Generation(text="")],
        [Generation(text='umlauts: ä, emoji: 🙂, quotes: "', generation_info=None)],
    ],
)
def test_what_was_kept_comes_back_the_same(kept, answer):
    kept.update("prompt", "model", answer)
    assert kept.lookup("prompt", "model") == answer


def test_another_prompt_or_model_is_a_miss(kept):
    kept.update("prompt", "model", ONE)
    assert kept.lookup("another", "model") is None
    assert kept.lookup("prompt", "another") is None


def test_cleared_it_is_empty_and_can_be_filled_again(kept):
    kept.update("prompt", "model", ONE)
    kept.clear()
    assert kept.lookup("prompt", "model") is None
    kept.update("prompt", "model", ONE)
    assert kept.lookup("prompt", "model") == ONE


async def test_the_same_awaited(kept):
    await kept.aupdate("prompt", "model", ONE)
    assert await kept.alookup("prompt", "model") == ONE
    await kept.aclear()
    assert await kept.alookup("prompt", "model") is None


async def test_langchain_itself_answers_from_it(kept):
    model = FakeListChatModel(responses=["first", "second", "third"], cache=kept)
    assert (model.invoke("Hello").content, (await model.ainvoke("Hello")).content) == ("first", "first")
    assert model.invoke("Other").content == "second"


# ---- ours ----
def test_spaces_do_not_see_one_another_and_clear_only_themselves(kept):
    other = DjangoCache(space="b")
    kept.update("prompt", "model", ONE)
    assert other.lookup("prompt", "model") is None
    other.update("prompt", "model", [Generation(text="theirs")])
    kept.clear()
    assert other.lookup("prompt", "model") == [Generation(text="theirs")]


@given(st.lists(st.text(max_size=5), min_size=2, max_size=4), st.lists(st.text(max_size=5), min_size=2, max_size=4))
def test_digests_are_the_same_only_for_the_same_parts(some, others):
    assert (digest(*some) == digest(*others)) == (some == others)


def test_it_expires(ahead):
    kept = DjangoCache(seconds=60)
    kept.update("prompt", "model", ONE)
    ahead(59)
    assert kept.lookup("prompt", "model") == ONE
    ahead(2)
    assert kept.lookup("prompt", "model") is None


def test_a_shorter_time_holds_for_what_is_kept_already(ahead):
    DjangoCache(seconds=3600).update("prompt", "model", ONE)
    ahead(61)
    assert DjangoCache(seconds=60).lookup("prompt", "model") is None
    assert DjangoCache(seconds=3600).lookup("prompt", "model") == ONE


def test_what_is_older_than_since_is_not_given(kept):
    kept.update("prompt", "model", ONE)
    assert DjangoCache(space="a", since=time.time()).lookup("prompt", "model") is None


def test_what_is_too_long_is_not_kept():
    kept = DjangoCache(most_characters=200)
    kept.update("prompt", "model", [Generation(text="a" * 300)])
    assert kept.lookup("prompt", "model") is None


def test_values_are_json_and_hold_no_prompt(kept):
    kept.update("the prompt's text", "the model", ONE)
    value = django_cache.get(kept.key("the prompt's text", "the model"))
    assert json.loads(value)["answer"] == [{"text": "An answer", "info": {"reason": "stop"}}]
    assert "prompt's" not in value
    assert "prompt's" not in kept.key("the prompt's text", "the model")


RUBBISH = ["no json", "[]", "{}", '{"at": 1e12}', '{"at": 1e12, "answer": [{}]}', "17", "[" * 100_000]


@pytest.mark.parametrize("value", RUBBISH)
def test_what_somebody_else_wrote_there_is_a_miss(kept, value):
    django_cache.set(kept.key("prompt", "model"), value)
    assert kept.lookup("prompt", "model") is None


PACKED = [zlib.compress(one) for one in (b"rubbish", b"cno_module\nNothing\n.")]


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", *PACKED])
def test_what_a_cache_on_disk_cannot_read_is_a_miss(settings, tmp_path, rubbish):
    on_disk = "django.core.cache.backends.filebased.FileBasedCache"
    settings.CACHES = {"default": {"BACKEND": on_disk, "LOCATION": str(tmp_path)}}
    kept = DjangoCache(space="a")
    kept.update("prompt", "model", ONE)
    for file in tmp_path.iterdir():
        file.write_bytes(pickle.dumps(time.time() + 1000) + rubbish)
    assert kept.lookup("prompt", "model") is None
    kept.update("prompt", "model", ONE)
    assert kept.lookup("prompt", "model") == ONE


class Broken(LocMemCache):
    def _down(self, *_args, **_kwargs):
        raise ConnectionRefusedError("Redis is down")

    get_many = set = delete_many = set_many = _down


@pytest.fixture
def broken(settings):
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.Broken"}}
    yield
    store_of.cache_clear()


def test_a_cache_that_is_down_is_an_empty_one(broken, kept, caplog):
    kept.update("prompt", "model", ONE)
    assert kept.lookup("prompt", "model") is None
    kept.clear()
    kept.delete(["key"])
    assert "Redis is down" in caplog.text


# ---- embeddings ----
class Asked:
    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def __call__(self, texts: list[str]) -> EmbeddingResult:
        self.asked.append(texts)
        return EmbeddingResult([[len(text) / 3, 0.1] for text in texts], tokens=len(texts))


async def test_only_texts_that_are_not_known_are_embedded_each_once():
    ask = Asked()
    first = await embed_cached(ask, ["a", "bb", "a"], space=["model"])
    again = await embed_cached(ask, ["bb", "ccc", "a"], space=["model"])
    assert ask.asked == [["a", "bb"], ["ccc"]]
    assert first == EmbeddingResult([[1 / 3, 0.1], [2 / 3, 0.1], [1 / 3, 0.1]], 2)
    assert again == EmbeddingResult([[2 / 3, 0.1], [1.0, 0.1], [1 / 3, 0.1]], 1)
    assert (await embed_cached(ask, ["a"], space=["model"])).tokens == 0


async def test_embeddings_of_another_model_or_workspace_are_asked_for():
    ask = Asked()
    for space in (["w1", "m1"], ["w1", "m2"], ["w2", "m1"], ["w1", "m1"]):
        await embed_cached(ask, ["a"], space=space)
    assert len(ask.asked) == 3


async def test_embeddings_without_a_cache_are_asked_for(broken):
    ask = Asked()
    assert (await embed_cached(ask, ["a"], space=[])).vectors == [[1 / 3, 0.1]]


@pytest.mark.parametrize("value", [b"1234567", b"", "text", 17, None])
async def test_embeddings_that_somebody_else_wrote_are_asked_for(value):
    ask = Asked()
    await embed_cached(ask, ["a"], space=["model"])
    django_cache.set(f"{module.PREFIX}:embedding:{digest(json.dumps(['model']), 'a')}", value)
    assert (await embed_cached(ask, ["a"], space=["model"])).vectors == [[1 / 3, 0.1]]
    assert len(ask.asked) == 2
