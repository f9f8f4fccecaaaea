"""What a call used, as the provider counted it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
            input=told.get("input_tokens"),
            output=told.get("output_tokens"),
            cached_input=inputs.get("cache_read"),
            cache_write=inputs.get("cache_creation"),
            reasoning=outputs.get("reasoning"),
        )
