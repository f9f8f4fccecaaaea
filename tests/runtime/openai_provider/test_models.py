"""The list of models."""

import pytest

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from tests.runtime.openai_provider.calls import endpoint_to


async def test_the_models_of_a_server(server, provider):
    names = await provider.list_models(endpoint_to(server, ""))
    assert "gpt-test" in names
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"api_key": "wrong-bad"}, ErrorKind.AUTHENTICATION),
        ({"base_url": "{root}/nowhere"}, ErrorKind.PROVIDER_DOWN),  # a web page
        ({"base_url": "http://127.0.0.1:9/v1"}, ErrorKind.PROVIDER_DOWN),
        ({"base_url": "nonsense"}, ErrorKind.PROVIDER_DOWN),
    ],
)
async def test_a_connection_that_does_not_work_says_why(server, provider, changes, kind):
    root = server.base_url.removesuffix("/v1")
    changes = {name: value.replace("{root}", root) for name, value in changes.items()}
    with pytest.raises(CallFailed) as caught:
        await provider.list_models(endpoint_to(server, "", **changes))
    assert caught.value.kind == kind


async def test_a_server_whose_models_are_no_list(server, provider):
    server.model_list = {"models": []}
    with pytest.raises(CallFailed, match="did not answer with a list of models"):
        await provider.list_models(endpoint_to(server, ""))
