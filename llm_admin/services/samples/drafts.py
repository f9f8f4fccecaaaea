"""What was thrown for one run and its calls, before it becomes rows."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from llm_admin.choices import RunSource
from llm_admin.runtime.prompts import Chat
from llm_admin.services.samples.chance import Ending
from llm_admin.services.samples.models import SampleModel
from llm_admin.services.samples.world import Script

NO_JSON = "this is not JSON (line 1, column 1); it begins with: Here is what you asked for"


@dataclass(slots=True)
class SampleCall:
    """`position`: which of the script's sites made it. Unknown numbers are None."""

    position: int
    created_at: dt.datetime
    ending: Ending
    latency_ms: int
    answer_tokens: int
    first_token_ms: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    cost_nano: int | None = None
    price_id: int | None = None

    @property
    def ended_at(self) -> dt.datetime:
        return self.created_at + dt.timedelta(milliseconds=self.latency_ms)


@dataclass(slots=True)
class SampleRun:
    id: uuid.UUID
    script: Script
    variant: int
    model: SampleModel
    source: RunSource
    owner_id: Any
    started_at: dt.datetime
    ended_at: dt.datetime | None = None
    calls: list[SampleCall] = field(default_factory=list)
    not_parsed: bool = False

    @property
    def inputs(self) -> dict[str, Any]:
        return self.script.variants[self.variant][0]

    @property
    def chats(self) -> list[Chat]:
        """The messages of each call."""
        return self.script.variants[self.variant][1]


def failed_step(sample: SampleRun) -> str:
    """Its id: the step of the last call, or the one after it that could not read the answer."""
    order = sample.script.walked
    if not order:
        return ""
    path = sample.script.sites[sample.calls[-1].position].path
    at = next(position for position, (one, _) in enumerate(order) if one == path)
    return order[min(at + sample.not_parsed, len(order) - 1)][1].id
