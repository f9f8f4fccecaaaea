"""What the executor needs of a provider. Importing this imports no LangChain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

# temperature, top_p, max_tokens, stop (a list of texts), response_format; any other name goes to the provider as it is.
Parameters = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a call goes. Times in seconds: of the whole call, and of the wait for each next piece of the answer."""

    provider: str
    provider_model: str
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    timeout: float = 120
    first_token_timeout: float = 60
    options: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class EmbeddingResult:
    """A vector for each text, in the order of the texts. `tokens` None: the provider does not say."""

    vectors: list[list[float]]
    tokens: int | None = None


class Provider(ABC):
    """One instance serves all connections of its kind, in every event loop of the process."""

    label: ClassVar[str]
    needs_key: ClassVar[bool] = True  # at the default address; a server of one's own may want none
    default_base_url: ClassVar[str] = ""
    supports_chat: ClassVar[bool] = True
    supports_embeddings: ClassVar[bool] = False

    # What `build` and `embed` need: imported in a thread first, seconds the first time.
    modules: tuple[str, ...] = ()
    # A provider whose libraries are an extra of ours: a package that is there when they are installed, and what to
    # install, as pyproject.toml says. Not "llm-console[...]": the package index has that name from somebody else.
    package: ClassVar[str] = ""
    requirement: ClassVar[str] = ""

    @property
    def missing(self) -> str:
        """The command that installs what this provider needs, or "" when it is there."""
        if not self.package or find_spec(self.package) is not None:
            return ""
        return f"pip install '{self.requirement or self.package}'"

    @property
    def title(self) -> str:
        """The label, and what is missing."""
        return f"{self.label} (not installed: {self.missing})" if self.missing else self.label

    @abstractmethod
    def build(self, endpoint: Endpoint, parameters: Parameters) -> BaseChatModel:
        """A model to stream from in the running event loop. Raises CallFailed if the endpoint cannot work."""

    @abstractmethod
    async def list_models(self, endpoint: Endpoint) -> list[str]:
        """The provider's names of its models. Raises CallFailed."""

    async def embed(self, endpoint: Endpoint, texts: list[str]) -> EmbeddingResult:
        """Raises CallFailed."""
        raise CallFailed(ErrorKind.BAD_REQUEST, f"{self.label} makes no embeddings; choose another connection")

    def classify(self, exc: BaseException) -> CallFailed | None:
        """What the model raised, as a failure with a kind; None: not the provider's doing."""
        if isinstance(exc, CallFailed):
            return exc
        if isinstance(exc, TimeoutError):
            return CallFailed(ErrorKind.TIMEOUT, "no answer in time")
        return None

    def problem_at_end(self, response_metadata: dict[str, Any], got_usage: bool) -> CallFailed | None:  # noqa: FBT001
        """What is wrong with a stream that ended without an error.

        `response_metadata` is the last chunk's that has a finish_reason (or {}).
        """
        reason = response_metadata.get("finish_reason")
        if reason == "content_filter":
            return CallFailed(ErrorKind.CONTENT_FILTER, "the provider's content filter stopped the answer")
        if not reason and not got_usage:
            return CallFailed(ErrorKind.PROVIDER_DOWN, "the answer broke off")
        return None

    async def aclose(self) -> None:
        """Closes what belongs to the running event loop."""
        return None


class EmbeddingProvider(Provider):
    """A provider that only makes embeddings."""

    supports_chat = False
    supports_embeddings = True

    def build(self, endpoint: Endpoint, parameters: Parameters) -> BaseChatModel:
        raise CallFailed(ErrorKind.BAD_REQUEST, f"{self.label} makes embeddings only; choose another connection")

    @abstractmethod
    async def embed(self, endpoint: Endpoint, texts: list[str]) -> EmbeddingResult:
        """Raises CallFailed, or what `classify` knows."""
