"""What the executor needs of a provider. Importing this imports no LangChain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
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


class Provider(ABC):
    """One instance serves all connections of its kind, in every event loop of the process."""

    label: ClassVar[str]
    needs_key: ClassVar[bool] = True  # at the default address; a server of one's own may want none
    default_base_url: ClassVar[str] = ""

    modules: ClassVar[tuple[str, ...]] = ()  # what `build` needs: imported in a thread first, seconds the first time

    @abstractmethod
    def build(self, endpoint: Endpoint, parameters: Parameters) -> BaseChatModel:
        """A model to stream from in the running event loop. Raises CallFailed if the endpoint cannot work."""

    @abstractmethod
    async def list_models(self, endpoint: Endpoint) -> list[str]:
        """The provider's names of its models. Raises CallFailed."""

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
