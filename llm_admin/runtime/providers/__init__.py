"""The providers that connections can use. A third party's entry is equal to ours."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from llm_admin.registry import Registry
from llm_admin.runtime.providers.base import Endpoint, Parameters, Provider

ProviderFactory = Callable[[], Provider]
F = TypeVar("F", bound=ProviderFactory)

PROVIDERS: Registry[ProviderFactory] = Registry(
    "provider",
    {
        "fake": "llm_admin.runtime.providers.fake.FakeProvider",
        "openai": "llm_admin.runtime.providers.openai.OpenAIProvider",
    },
)


def register_llm_provider(name: str) -> Callable[[F], F]:
    """Class decorator: `@register_llm_provider("acme") class AcmeProvider(Provider): ...`."""

    def register(factory: F) -> F:
        PROVIDERS.register(name, factory)
        return factory

    return register


@lru_cache(maxsize=None)
def get_provider(name: str) -> Provider:
    """The one instance of this process; it owns the connections to its servers. Raises KeyError."""
    return PROVIDERS.get(name)()


async def close_providers() -> None:
    """Closes the connections that belong to the running event loop."""
    for name in PROVIDERS.names():
        if PROVIDERS.is_loaded(name):
            await get_provider(name).aclose()


__all__ = [
    "PROVIDERS",
    "Endpoint",
    "Parameters",
    "Provider",
    "ProviderFactory",
    "close_providers",
    "get_provider",
    "register_llm_provider",
]
