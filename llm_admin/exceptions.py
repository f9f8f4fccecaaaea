"""One exception per failure decision. Each carries fields; the words for people are made at the edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_admin.choices import ErrorKind

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what a person gave. `location` is a path such as ("steps", 1, "prompt")."""

    location: tuple[str | int, ...]
    message: str

    def __str__(self) -> str:
        place = " › ".join(str(p + 1) if isinstance(p, int) else p for p in self.location)
        return f"{place}: {self.message}" if place else self.message


class ConsoleError(Exception):
    """Anything that we refuse or that failed in a way we understand. str() is a sentence for people."""


class InvalidInput(ConsoleError):
    """What a person gave cannot be used; nothing was saved."""

    def __init__(self, problems: Sequence[Problem] | str) -> None:
        if isinstance(problems, str):
            problems = [Problem((), problems)]
        self.problems = list(problems)
        super().__init__("; ".join(str(p) for p in self.problems))


class PermissionRefused(ConsoleError):
    """The actor's role in this workspace does not allow it."""


class NotFound(ConsoleError):
    """No such object in this workspace."""


class Conflict(ConsoleError):
    """Somebody else changed it first, or it is in use."""


class ShuttingDown(ConsoleError):
    """The server is going down and takes no new runs."""


class CallFailed(ConsoleError):
    """A model call or a step failed. `kind` decides the status, the advice and (later) the retry.

    `detail` is the provider's own short message, already masked; `status_code` its HTTP status;
    `retry_after` in seconds; `connection` and `model` are names, for the advice. `unknown_model`: this provider
    does not have the model, whatever its status.
    """

    unknown_model = False

    def __init__(
        self,
        kind: ErrorKind,
        detail: str = "",
        *,
        status_code: int | None = None,
        retry_after: float | None = None,
        connection: str = "",
        model: str = "",
    ) -> None:
        self.connection = connection
        self.model = model
        self.kind = kind
        self.detail = detail
        self.status_code = status_code
        self.retry_after = retry_after
        super().__init__(detail or kind.label)


class Elsewhere(Exception):
    """The object of this page is in another workspace of this person; the middleware takes them there."""

    def __init__(self, workspace_id: int) -> None:
        self.workspace_id = workspace_id
        super().__init__(f"in workspace {workspace_id}")
