"""Embeddings of every kind that has them, over real HTTP."""

import math

import pytest

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers import Endpoint, get_provider
from tests.runtime.providers.kinds import KINDS

EMBEDDING = [kind for kind in KINDS if kind.embeds]


@pytest.mark.parametrize("kind", EMBEDDING, ids=repr)
async def test_a_vector_for_each_text(provider, endpoint, server):
    expected = server.answer("embeddings", "embeddings").expect
    result = await provider.embed(endpoint(), ["rain", "sun"])
    assert result.vectors == expected["vectors"]
    assert result.tokens == expected.get("tokens"), "unknown where the provider does not say"
    assert server.unknown == []
    sent = str(server.requests[0].body)
    assert "rain" in sent and "sun" in sent


@pytest.mark.parametrize("kind", EMBEDDING, ids=repr)
@pytest.mark.parametrize(
    ("name", "expected"),
    [("401", ErrorKind.AUTHENTICATION), ("429", ErrorKind.RATE_LIMIT), ("500", ErrorKind.PROVIDER_DOWN)],
)
async def test_a_refusal_has_its_kind(provider, endpoint, server, name, expected):
    server.answer(name, "embeddings")
    with pytest.raises(CallFailed) as caught:
        await provider.embed(endpoint(), ["rain"])
    assert caught.value.kind == expected
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", KINDS, ids=repr)
async def test_who_makes_none_says_so(provider, endpoint, kind):
    assert provider.supports_embeddings == kind.embeds
    if not kind.embeds:
        with pytest.raises(CallFailed, match="makes no embeddings"):
            await provider.embed(endpoint(), ["rain"])


async def test_the_demo_s_vectors_are_always_the_same_and_near_for_near_texts():
    demo, endpoint = get_provider("fake"), Endpoint("fake", "demo")
    first, again = [await demo.embed(endpoint, ["heavy rain today", "heavy rains", "a blue car", ""]) for _ in range(2)]
    assert first == again
    today, rains, car, nothing = first.vectors
    near, far = (sum(a * b for a, b in zip(today, other, strict=True)) for other in (rains, car))
    assert near > far
    assert all(math.isclose(sum(n * n for n in one), 1) for one in (today, rains, car, nothing))
    assert first.tokens == 8


async def test_the_demo_refuses_as_it_is_told():
    with pytest.raises(CallFailed) as caught:
        await get_provider("fake").embed(Endpoint("fake", "demo:429"), ["rain"])
    assert (caught.value.kind, caught.value.retry_after) == (ErrorKind.RATE_LIMIT, 2)
