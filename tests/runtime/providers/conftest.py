import pytest

from llm_admin.runtime.providers import Endpoint
from tests.runtime.providers.kinds import KINDS, PATIENCE, Call, provider_of


@pytest.fixture(scope="module")
def servers():
    running = {kind.name: kind.server().__enter__() for kind in KINDS}
    yield running
    for server in running.values():
        server.__exit__()


@pytest.fixture
def server(servers, kind):
    servers[kind.name].forget()
    return servers[kind.name]


@pytest.fixture
async def provider(kind):
    one = provider_of(kind)
    yield one
    await one.aclose()


@pytest.fixture
def endpoint(server, kind):
    def make(**changes):
        settings = {
            "base_url": server.base_url,
            "api_key": f"planted-{kind.name}-4711-key",
            "timeout": 60,
            "first_token_timeout": PATIENCE,
            **changes,
        }
        return Endpoint(kind.name, settings.pop("model", "test-model"), **settings)

    return make


@pytest.fixture
def ask(provider, endpoint):
    async def run(parameters=None, question="What is the weather?", **changes):
        return await Call(provider, endpoint(**changes)).run(question, parameters or {})

    return run
