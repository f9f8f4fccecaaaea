import socket

import pytest

from llm_admin.runtime.providers import Endpoint
from tests.runtime.providers.kinds import KINDS, PATIENCE, Call, provider_of
from tests.servers.raw_server import RawServer


@pytest.fixture(autouse=True)
def _nobody_else_is_asked(monkeypatch):
    """Libraries ask their makers for this and that; none of it may leave this machine unasked."""
    from huggingface_hub.utils import _detect_agent

    asked, resolve = [], socket.getaddrinfo

    def here(host, *more, **options):
        if host not in ("127.0.0.1", "localhost"):
            asked.append(host)
            raise socket.gaierror("not from here")
        return resolve(host, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    monkeypatch.setattr(_detect_agent, "_registry", None)
    monkeypatch.setattr(_detect_agent, "_read_cached_registry", lambda *_, **__: None)
    yield
    assert asked == []


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


@pytest.fixture(scope="module")
def raw():
    """A server that sends whatever bytes a test wants."""
    with RawServer() as made:
        yield made
