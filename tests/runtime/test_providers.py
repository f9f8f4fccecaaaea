"""The registry, and what all providers have in common."""

import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime import providers
from llm_admin.runtime.providers import PROVIDERS, Endpoint, Provider, get_provider, register_llm_provider


class Acme(Provider):
    label = "Acme"

    def __init__(self):
        self.closed = False

    def build(self, endpoint, parameters):
        raise NotImplementedError

    async def list_models(self, endpoint):
        return []

    async def aclose(self):
        self.closed = True


@pytest.fixture
def acme(monkeypatch):
    monkeypatch.setattr(PROVIDERS, "_table", dict(PROVIDERS._table))
    monkeypatch.setattr(providers, "_instances", {})
    assert register_llm_provider("acme")(Acme) is Acme
    return get_provider("acme")


def test_a_third_party_s_provider_is_equal_to_ours(acme):
    assert PROVIDERS.names() == ["fake", "openai", "anthropic", "google", "huggingface", "acme"]
    assert isinstance(acme, Acme)
    assert get_provider("acme") is acme, "one instance owns the connections"
    with pytest.raises(ImproperlyConfigured, match="registered twice"):
        register_llm_provider("acme")(type("Other", (Acme,), {}))


def test_an_unknown_provider_names_the_known_ones():
    with pytest.raises(KeyError, match="known: fake, openai"):
        get_provider("nobody")


async def test_closing_reaches_every_provider_in_use(acme):
    await providers.close_providers()
    assert acme.closed


async def test_one_that_cannot_be_closed_keeps_no_other_open(acme, monkeypatch, caplog):
    class Stuck(Acme):
        async def aclose(self):
            raise OSError("stuck")

    monkeypatch.setattr(providers, "_instances", {"stuck": Stuck(), "acme": acme})
    await providers.close_providers()
    assert acme.closed
    assert "The connections of the provider “stuck” could not be closed." in caplog.text


def test_labels_and_addresses_need_no_langchain():
    """The connection page shows them; LangChain takes a second and 60 MB to import."""
    code = (
        "import sys\n"
        "from llm_admin.runtime.providers import PROVIDERS, get_provider\n"
        "for name in PROVIDERS.names():\n"
        "    one = get_provider(name)\n"
        "    one.title\n"
        "    print(name, one.label, one.default_base_url, one.needs_key)\n"
        "heavy = ('langchain_core', 'openai', 'anthropic', 'google.genai', 'huggingface_hub', 'httpx', 'httpx2')\n"
        "print([m for m in sys.modules if m.startswith(heavy)])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert out == [
        "fake Demo (answers come from no AI)  False",
        "openai OpenAI or compatible https://api.openai.com/v1 True",
        "anthropic Anthropic https://api.anthropic.com True",
        "google Google Gemini https://generativelanguage.googleapis.com True",
        "huggingface Hugging Face https://router.huggingface.co/v1 True",
        "[]",
    ]


def test_a_key_never_shows_in_a_repr():
    assert "sk-secret" not in repr(
        Endpoint("openai", "gpt", api_key="sk-secret", options={"headers": {"k": "sk-secret"}})
    )


def test_what_is_known_of_every_provider_s_errors():
    failure = CallFailed(ErrorKind.RATE_LIMIT)
    assert Acme().classify(failure) is failure
    assert Acme().classify(TimeoutError()).kind == ErrorKind.TIMEOUT
    assert Acme().classify(RuntimeError("a bug")) is None


@pytest.mark.parametrize(
    ("metadata", "got_usage", "kind"),
    [
        ({"finish_reason": "stop"}, False, None),
        ({"finish_reason": "length"}, True, None),
        ({}, True, None),
        ({}, False, ErrorKind.PROVIDER_DOWN),
        ({"finish_reason": "content_filter"}, True, ErrorKind.CONTENT_FILTER),
    ],
)
def test_a_stream_s_end_is_checked(metadata, got_usage, kind):
    problem = Acme().problem_at_end(metadata, got_usage)
    assert (problem.kind if problem else None) == kind
