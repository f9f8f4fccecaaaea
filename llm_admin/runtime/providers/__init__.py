"""The providers that connections can use. A third party's entry is equal to ours."""

from __future__ import annotations

from collections.abc import Callable
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


_instances: dict[str, Provider] = {}


def get_provider(name: str) -> Provider:
    """The one instance of this process; it owns the connections to its servers. Raises KeyError."""
    if name not in _instances:
        _instances.setdefault(name, PROVIDERS.get(name)())
    return _instances[name]


async def close_providers() -> None:
    """Closes the connections that belong to the running event loop."""
    for provider in list(_instances.values()):
        await provider.aclose()


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
