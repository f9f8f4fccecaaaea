"""Providers of other packages, found by their entry points (tests/plugin/acme); and those that are not installed."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import llm_admin
from llm_admin import RunFailed, run_prompt
from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.models import Connection, Deployment, InteractionLog, LanguageModel
from llm_admin.runtime import providers
from llm_admin.runtime.providers import PROVIDERS, EmbeddingProvider, EmbeddingResult, Endpoint, get_provider
from llm_admin.services.connections import provider_choices
from tests import factories

ACME = Path(__file__).parent.parent / "plugin" / "acme"
EXTRAS = {
    "anthropic": "langchain_anthropic",
    "google": "langchain_google_genai",
    "huggingface": "langchain_huggingface",
}


@pytest.fixture
def fresh(monkeypatch):
    """As a process that has not looked for packages yet."""
    monkeypatch.setattr(PROVIDERS, "_table", dict(PROVIDERS._table))
    monkeypatch.setattr(PROVIDERS, "_looked", False)
    monkeypatch.setattr(providers, "_instances", {})


@pytest.fixture
def acme(fresh, monkeypatch):
    monkeypatch.syspath_prepend(str(ACME))
    yield
    for name in [name for name in sys.modules if name.startswith("acme_llm")]:
        del sys.modules[name]


def a_model(scope, provider, name, **connection):
    made = Connection.objects.create(workspace=scope, name="Elsewhere", provider=provider, **connection)
    model = LanguageModel.objects.create(workspace=scope, alias="there", name="There")
    Deployment.objects.create(model=model, connection=made, provider_model=name)
    return factories.prompt(scope)


def test_a_package_s_providers_are_listed_without_importing_it(acme):
    assert PROVIDERS.names()[-2:] == ["acme", "acme-vectors"]
    assert "acme" in PROVIDERS
    assert "acme_llm" not in sys.modules
    assert ("acme", "Acme") in provider_choices()


@pytest.mark.django_db(transaction=True)
def test_a_run_uses_it(acme, scope):
    prompt = a_model(scope, "acme", "roadrunner", api_key="k")
    result = run_prompt(prompt.slug, {"topic": "rain"}, model="there")
    assert result.output.startswith("Beep beep: ")
    log = InteractionLog.objects.get()
    assert (log.input_tokens, log.output_tokens) == (7, len(result.output.split(" ")))


@pytest.mark.django_db(transaction=True)
def test_its_errors_are_classified_by_itself(acme, scope):
    prompt = a_model(scope, "acme", "coyote", api_key="k")
    with pytest.raises(RunFailed, match="the canyon is full"):
        run_prompt(prompt.slug, {"topic": "rain"}, model="there")
    assert InteractionLog.objects.get().error_kind == ErrorKind.RATE_LIMIT


async def test_what_only_makes_embeddings_says_so(acme):
    vectors = get_provider("acme-vectors")
    endpoint = Endpoint("acme-vectors", "letters")
    assert await vectors.embed(endpoint, ["rain", "sun"]) == EmbeddingResult([[4.0, 1.0], [3.0, 1.0]], tokens=2)
    with pytest.raises(CallFailed, match="makes embeddings only"):
        vectors.build(endpoint, {})
    with pytest.raises(CallFailed, match="Acme makes no embeddings"):
        await get_provider("acme").embed(Endpoint("acme", "x"), ["rain"])


def test_embedding_providers_can_be_registered_in_code(fresh):
    @llm_admin.register_embedding_provider("mine")
    class Mine(EmbeddingProvider):
        label = "Mine"

        async def embed(self, endpoint, texts):
            return EmbeddingResult([[1.0]] * len(texts))

        async def list_models(self, endpoint):
            return []

    assert isinstance(get_provider("mine"), Mine)


def test_a_package_that_cannot_be_loaded_breaks_nothing_else(acme, tmp_path, monkeypatch, caplog):
    told = tmp_path / "broken_llm-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-llm\nVersion: 1.0\n")
    code = "from llm_admin.runtime.providers import EmbeddingProvider\n\nclass Nameless(EmbeddingProvider):\n"
    code += "    async def embed(self, endpoint, texts): ...\n    async def list_models(self, endpoint): ...\n"
    (tmp_path / "nameless_llm.py").write_text(code)
    entries = "broken = nowhere_at_all:Provider\nodd = pathlib:Path\nopenai = acme_llm.provider:AcmeProvider\n"
    entries += "nameless = nameless_llm:Nameless\n"
    (told / "entry_points.txt").write_text(f"[llm_console.providers]\n{entries}")
    monkeypatch.syspath_prepend(str(tmp_path))
    titles = dict(provider_choices())
    assert titles["acme"] == "Acme"
    assert titles["openai"] == "OpenAI or compatible", "a name of ours is not taken over"
    assert "cannot be loaded: ModuleNotFoundError" in titles["broken"]
    assert "cannot be loaded: TypeError: pathlib:Path is no Provider" in titles["odd"]
    assert "cannot be loaded: AttributeError" in titles["nameless"]
    with pytest.raises(CallFailed, match="an operator can repair it") as caught:
        get_provider("broken").build(Endpoint("broken", "x"), {})
    assert caught.value.kind == ErrorKind.BAD_REQUEST
    assert "The provider “openai” of acme_llm.provider:AcmeProvider is not used" in caplog.text


def extras():
    """What pyproject.toml says. Our own name belongs to somebody else on the package index: it is never to be named."""
    with (Path(llm_admin.__file__).parent.parent / "pyproject.toml").open("rb") as file:
        found = tomllib.load(file)["project"]["optional-dependencies"]
    return {name: requirement for name, (requirement,) in found.items()}


@pytest.mark.parametrize(("name", "package"), EXTRAS.items())
async def test_a_missing_extra_is_listed_with_the_command_that_installs_it(fresh, monkeypatch, name, package):
    monkeypatch.setitem(sys.modules, package, None)
    command = f"pip install '{extras()[name]}'"
    assert dict(provider_choices())[name].endswith(f"(not installed: {command})")
    provider, endpoint = get_provider(name), Endpoint(name, "x", api_key="k")
    assert provider.modules == ()
    for call in (lambda: provider.build(endpoint, {}), lambda: provider.list_models(endpoint)):
        with pytest.raises(CallFailed) as caught:
            await call()
        assert caught.value.kind == ErrorKind.BAD_REQUEST
        assert command in caught.value.detail
    assert provider.classify(RuntimeError("a bug")) is None


@pytest.mark.django_db(transaction=True)
def test_a_run_on_a_missing_extra_says_the_command(fresh, monkeypatch, scope):
    monkeypatch.setitem(sys.modules, "langchain_anthropic", None)
    prompt = a_model(scope, "anthropic", "claude", api_key="k")
    with pytest.raises(RunFailed, match=r"pip install 'langchain-anthropic>=1"):
        run_prompt(prompt.slug, {"topic": "rain"}, model="there")


def test_without_any_extra_everything_else_still_works():
    """In a process where none of their libraries can be imported."""
    code = (
        "import sys\n"
        "for name in ('anthropic', 'google.genai', 'langchain_anthropic', 'langchain_google_genai',\n"
        "             'langchain_huggingface'):\n"
        "    sys.modules[name] = None\n"
        "import django; django.setup()\n"
        "from llm_admin.services.connections import provider_choices\n"
        "print(len(provider_choices()))\n"
        "import llm_admin.runtime.providers.openai_model\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 5
