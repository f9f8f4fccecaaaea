"""A key that was planted is found nowhere but in the request that needs it."""

from __future__ import annotations

import logging

import pytest

from llm_admin.exceptions import CallFailed
from tests.runtime.providers.kinds import KINDS, WAIT

pytestmark = pytest.mark.parametrize("kind", KINDS, ids=repr)
WAYS = [
    ("echo_key", {}, {}),
    ("401", {}, {}),
    ("429", {}, {}),
    ("error_in_stream", {}, {}),
    ("stream", {"cut_after": 2}, {}),
    ("stream", {"page": True}, {}),
    ("stream", {"hang": True}, {"first_token_timeout": WAIT}),
    ("stream", {}, {"base_url": "http://127.0.0.1:9"}),
    ("stream", {}, {"base_url": "no address"}),
]


@pytest.mark.parametrize(("name", "how", "changes"), WAYS, ids=lambda one: str(one))
async def test_no_error_and_no_log_record_has_the_key(ask, server, kind, caplog, name, how, changes):
    caplog.set_level(logging.DEBUG)
    server.answer(name, **how)
    call = await ask(**changes)
    assert call.failure is not None
    found = [str(call.failure), repr(call.failure), call.failure.detail, repr(vars(call.failure)), caplog.text]
    found += [str(record.__dict__) for record in caplog.records]
    assert not [one for one in found if f"planted-{kind.name}" in one]
    if name == "echo_key":
        assert "•••" in call.failure.detail


async def test_no_repr_has_the_key(provider, endpoint, kind):
    made = endpoint()
    model = provider.build(made, {"temperature": 0.5})
    for one in (made, provider, model, model.model_dump() if hasattr(model, "model_dump") else ""):
        assert f"planted-{kind.name}" not in f"{one!r} {one}"


async def test_a_list_that_is_refused_does_not_repeat_the_key(provider, endpoint, server, kind):
    server.answer("echo_key", "models")
    with pytest.raises(CallFailed) as caught:
        await provider.list_models(endpoint())
    assert f"planted-{kind.name}" not in f"{caught.value!r} {vars(caught.value)}"
