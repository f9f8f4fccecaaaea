"""Providers whose libraries are an extra of ours: listed always, usable once they are installed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from pydantic import ValidationError

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers.addresses import address, option
from llm_admin.runtime.providers.base import Endpoint, Parameters, Provider
from llm_admin.runtime.providers.pools import Pools

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

T = TypeVar("T", bound="BaseChatModel | Any")
C = TypeVar("C")


class Place(NamedTuple):
    """Where a client asks, and how: in the order in which clients are made of it."""

    url: str
    key: str
    headers: dict[str, str]
    timeout: float
    wait: float  # for the first token

    @property
    def identity(self) -> Hashable:
        return self.url, self.key, tuple(sorted(self.headers.items())), self.timeout, self.wait


@dataclass(frozen=True, slots=True)
class Library(Generic[C]):
    """What a provider needs of the module that imports its library; `C` is the library's client."""

    pools: Callable[[], Pools[C]]
    client: Callable[[Place], C]
    classify: Callable[[BaseException], CallFailed | None]


class ExtraProvider(Provider, Generic[C]):
    """Options of a connection: `headers` and `body`, both added to every request."""

    def __init__(self) -> None:
        self._clients: Pools[C] | None = None
        if self.missing:
            self.modules = ()  # they cannot be imported; whoever calls is told by `require`

    @abstractmethod
    def library(self) -> Library[C]:
        """Imports it; only called when nothing is missing."""

    def place(self, endpoint: Endpoint) -> Place:
        url, key = address(endpoint, self.default_base_url)
        return Place(url, key, option(endpoint, "headers"), endpoint.timeout, endpoint.first_token_timeout)

    def client(self, place: Place) -> C:
        """One for each event loop and place."""
        library = self.library()
        if self._clients is None:
            self._clients = library.pools()
        return self._clients.get(place.identity, lambda: library.client(place))

    def classify(self, exc: BaseException) -> CallFailed | None:
        found = None if self.missing else self.library().classify(exc)
        return found or super().classify(exc)

    async def aclose(self) -> None:
        if self._clients is not None:
            await self._clients.aclose()

    def require(self) -> None:
        """Raises CallFailed with the command that installs what is missing."""
        if self.missing:
            raise CallFailed(
                ErrorKind.BAD_REQUEST,
                f"{self.label} is not installed on this server: an operator can install it with {self.missing}",
            )


def made(make: Callable[[], T]) -> T:
    """What LangChain finds wrong with a setting is said by its name. Raises CallFailed."""
    try:
        return make()
    except ValidationError as error:
        wrong = ", ".join(sorted({str((one["loc"] or ("?",))[0]) for one in error.errors()}))
        said = str(error.errors()[0]["msg"])[:150]
        raise CallFailed(ErrorKind.BAD_REQUEST, f"the provider cannot use this value of {wrong} ({said})") from None


def split(parameters: Parameters, fields: Mapping[str, str], unknown_here: Iterable[str] = ()) -> tuple[Any, Any]:
    """(what the model has a field for, by the field's name; the rest). What this provider does not have is left out:
    a prompt may run on several."""
    known = {fields[name]: value for name, value in parameters.items() if name in fields}
    left_out = {*fields, *unknown_here, "response_format"}
    return known, {name: value for name, value in parameters.items() if name not in left_out}


def schema_of(parameters: Parameters) -> dict[str, Any] | None:
    """The JSON schema that the answer should fit, when there is one."""
    wanted = parameters.get("response_format")
    if not isinstance(wanted, dict) or wanted.get("type") != "json_schema":
        return None
    named = wanted.get("json_schema")
    schema = named.get("schema") if isinstance(named, dict) else None
    return schema if isinstance(schema, dict) else None


def wants_json(parameters: Parameters) -> bool:
    wanted = parameters.get("response_format")
    return isinstance(wanted, dict) and wanted.get("type") in ("json_object", "json_schema")
