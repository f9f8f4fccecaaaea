"""Providers of other packages, found by their entry points:

    [project.entry-points."llm_console.providers"]
    acme = "acme_llm.provider:AcmeProvider"

Looked for once, when providers are first listed or asked for; imported when used. None can break the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.registry import Registry
from llm_admin.runtime.providers.base import EmbeddingResult, Endpoint, Parameters, Provider

GROUP = "llm_console.providers"
logger = logging.getLogger(__name__)

ProviderFactory = Callable[[], Provider]


class Providers(Registry[ProviderFactory]):
    def __init__(self, table: dict[str, ProviderFactory | str]) -> None:
        super().__init__("provider", table)
        self._looked = False

    def get(self, name: str) -> ProviderFactory:
        self._look()
        return super().get(name)

    def names(self) -> list[str]:
        self._look()
        return super().names()

    def __contains__(self, name: object) -> bool:
        self._look()
        return super().__contains__(name)

    def _look(self) -> None:
        if self._looked:
            return
        self._looked = True
        for point in entry_points(group=GROUP):
            if point.name in self._table:
                logger.error("The provider “%s” of %s is not used: the name is taken.", point.name, point.value)
            else:
                self._table[point.name] = _factory(point)


def _factory(point: EntryPoint) -> ProviderFactory:
    def make() -> Provider:
        try:
            found: Provider = point.load()()
            if not isinstance(found, Provider):
                raise TypeError(f"{point.value} is no Provider")
            found.title  # noqa: B018 - one that has no label would break every list of kinds
        except Exception as error:  # another package's code (docs/adr/0017); the others still work
            logger.exception("The provider “%s” (%s) cannot be loaded.", point.name, point.value)
            return Unusable(point, error)
        return found

    return make


class Unusable(Provider):
    """Stands in the list for a package that cannot be loaded, and says so."""

    needs_key = False

    def __init__(self, point: EntryPoint, error: Exception) -> None:
        self._point = point
        self._why = f"{type(error).__name__}: {error}"[:200]

    @property
    def label(self) -> str:  # type: ignore[override]
        return self._point.name

    @property
    def title(self) -> str:
        return f"{self._point.name} (cannot be loaded: {self._why})"

    def build(self, endpoint: Endpoint, parameters: Parameters) -> object:  # type: ignore[override]
        raise self._refusal()

    async def list_models(self, endpoint: Endpoint) -> list[str]:
        raise self._refusal()

    async def embed(self, endpoint: Endpoint, texts: list[str]) -> EmbeddingResult:
        raise self._refusal()

    def _refusal(self) -> CallFailed:
        return CallFailed(
            ErrorKind.BAD_REQUEST,
            f"the package of the provider “{self._point.name}” cannot be loaded ({self._why}); "
            "an operator can repair it",
        )
