"""The providers that connections can use. A third party's entry is equal to ours."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from llm_admin.runtime.providers.base import EmbeddingProvider, EmbeddingResult, Endpoint, Parameters, Provider
from llm_admin.runtime.providers.plugins import ProviderFactory, Providers

F = TypeVar("F", bound=ProviderFactory)
logger = logging.getLogger(__name__)

PROVIDERS = Providers(
    {
        "fake": "llm_admin.runtime.providers.fake.FakeProvider",
        "openai": "llm_admin.runtime.providers.openai.OpenAIProvider",
        "anthropic": "llm_admin.runtime.providers.anthropic.AnthropicProvider",
        "google": "llm_admin.runtime.providers.google.GoogleProvider",
        "huggingface": "llm_admin.runtime.providers.huggingface.HuggingFaceProvider",
    },
)


def register_llm_provider(name: str) -> Callable[[F], F]:
    """Class decorator: `@register_llm_provider("acme") class AcmeProvider(Provider): ...`.

    A package can do without it: an entry point of the group `llm_console.providers` names the class.
    """

    def register(factory: F) -> F:
        PROVIDERS.register(name, factory)
        return factory

    return register


def register_embedding_provider(name: str) -> Callable[[F], F]:
    """Class decorator for what makes embeddings only: `class AcmeVectors(EmbeddingProvider): ...`.

    What does both is a Provider with `supports_embeddings = True` and `embed`, and is registered once.
    """
    return register_llm_provider(name)


_instances: dict[str, Provider] = {}


def get_provider(name: str) -> Provider:
    """The one instance of this process; it owns the connections to its servers. Raises KeyError."""
    if name not in _instances:
        _instances.setdefault(name, PROVIDERS.get(name)())
    return _instances[name]


async def close_providers() -> None:
    """Closes the connections that belong to the running event loop."""
    names, made = list(_instances), list(_instances.values())
    closed = await asyncio.gather(*(one.aclose() for one in made), return_exceptions=True)
    for name, error in zip(names, closed, strict=True):
        if isinstance(error, Exception):  # the others are closed all the same
            logger.error("The connections of the provider “%s” could not be closed.", name, exc_info=error)


__all__ = [
    "PROVIDERS",
    "EmbeddingProvider",
    "EmbeddingResult",
    "Endpoint",
    "Parameters",
    "Provider",
    "ProviderFactory",
    "close_providers",
    "get_provider",
    "register_embedding_provider",
    "register_llm_provider",
]
