from __future__ import annotations

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers import EmbeddingProvider, EmbeddingResult, Provider


class AcmeError(Exception):
    """What Acme's own library would raise."""


class AcmeProvider(Provider):
    label = "Acme"
    modules = ("acme_llm.model",)
    default_base_url = "https://api.acme.example"

    def build(self, endpoint, parameters):
        from acme_llm.model import AcmeModel

        if not endpoint.api_key:
            raise CallFailed(ErrorKind.AUTHENTICATION, "the connection has no key")
        return AcmeModel(name_of_model=endpoint.provider_model, longest=parameters.get("max_tokens"))

    async def list_models(self, endpoint):
        return ["roadrunner", "coyote"]

    def classify(self, exc):
        if isinstance(exc, AcmeError):
            return CallFailed(ErrorKind.RATE_LIMIT, str(exc), retry_after=5)
        return super().classify(exc)


class AcmeVectors(EmbeddingProvider):
    label = "Acme vectors"
    needs_key = False

    async def embed(self, endpoint, texts):
        return EmbeddingResult([[float(len(text)), 1.0] for text in texts], tokens=len(texts))

    async def list_models(self, endpoint):
        return ["letters"]
