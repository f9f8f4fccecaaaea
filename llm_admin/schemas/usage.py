"""What a call used, as the provider counted it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_TOKENS = 2**31 - 1  # of one call; what the table's columns hold


def count_of(told: Any) -> int | None:
    """What a provider or a cache says is a number of tokens. What cannot be one is unknown."""
    return told if type(told) is int and 0 <= told <= MOST_TOKENS else None


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Unknown numbers are None. `input` includes what was read from and written to the provider's cache, `output`
    includes reasoning: as LangChain's `usage_metadata` says it."""

    input: int | None = None
    output: int | None = None
    cached_input: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None

    @classmethod
    def of(cls, metadata: Mapping[str, Any] | None) -> TokenUsage:
        """From LangChain's `usage_metadata`."""
        told = metadata or {}
        inputs, outputs = told.get("input_token_details") or {}, told.get("output_token_details") or {}
        return cls(
            input=count_of(told.get("input_tokens")),
            output=count_of(told.get("output_tokens")),
            cached_input=count_of(inputs.get("cache_read")),
            cache_write=count_of(inputs.get("cache_creation")),
            reasoning=count_of(outputs.get("reasoning")),
        )
