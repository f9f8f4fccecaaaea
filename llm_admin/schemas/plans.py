"""What a run executes (`RunPlan`, stored with it) and what it is given when it starts (`ModelPlan`, never stored)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from llm_admin.schemas.base import Spec
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.schemas.workflows import WorkflowSpec


class PromptPlan(Spec):
    """A prompt as it was resolved when the run was started. Without ids: unsaved text from the studio."""

    prompt_id: int | None = None
    version_id: int | None = None
    slug: str = ""
    number: int | None = None
    spec: PromptSpec


class RunPlan(Spec):
    schema_version: Literal[1] = 1
    kind: Literal["prompt", "workflow"]
    prompt: PromptPlan | None = None
    workflow_id: int | None = None
    workflow_version_id: int | None = None
    workflow_number: int | None = None
    workflow: WorkflowSpec | None = None
    prompts: dict[str, PromptPlan] = {}  # by step id
    model: str | None = None  # chosen for this run; beats the prompt's own
    default_model: str | None = None  # the workspace's, when the run was started
    cache: bool = True  # answers may come from the cache


@dataclass(frozen=True, slots=True)
class PriceTier:
    """Rates for the whole call when it has more than `above` input tokens; None: as without the tier."""

    above: int
    input: Decimal | None = None
    output: Decimal | None = None
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None
    reasoning: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PricePlan:
    """US dollars per million tokens."""

    id: int
    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None
    reasoning: Decimal | None = None
    per_request: Decimal | None = None
    tiers: tuple[PriceTier, ...] = ()


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    id: int
    provider: str
    provider_model: str
    connection: str
    base_url: str
    api_key: str = field(repr=False)
    options: dict[str, Any] = field(default_factory=dict)
    price: PricePlan | None = None
    connection_id: int | None = None
    priority: int = 1
    weight: int = 1
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_concurrency: int | None = None

    @property
    def endpoint_key(self) -> list[Any]:
        """Everything that decides where and how a call goes."""
        return [self.provider, self.provider_model, self.base_url, self.api_key, self.options]


@dataclass(frozen=True, slots=True)
class ModelPlan:
    id: int
    alias: str
    name: str
    deployments: tuple[DeploymentPlan, ...]
