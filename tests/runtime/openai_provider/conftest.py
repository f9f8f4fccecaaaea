import pytest

from llm_admin.runtime.providers.openai import OpenAIProvider
from tests.runtime.openai_provider.calls import Call, endpoint_to
from tests.servers.openai_server import OpenAIServer


@pytest.fixture(scope="module")
def shared_server():
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def server(shared_server):
    shared_server.forget()
    return shared_server


@pytest.fixture
async def provider():
    one = OpenAIProvider()
    yield one
    await one.aclose()


@pytest.fixture
def ask(server, provider):
    """ask(model) -> what came of it, as the executor does it."""

    async def run(model, parameters=None, question="How are you today?", **endpoint):
        return await Call(provider, endpoint_to(server, model, **endpoint)).run(question, parameters or {})

    return run
