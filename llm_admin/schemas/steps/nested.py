"""Steps that hold steps: any type that is registered, looked up by its name."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, SerializeAsAny, WrapValidator

from llm_admin.schemas.steps import STEP_SPECS, StepSpec


def _step_of_its_type(data: Any, _handler: Any) -> StepSpec:
    """Looks the step's type up in the registry, so that errors name the field and not a branch of a union."""
    if isinstance(data, StepSpec):
        return data
    kind = data.get("type") if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in STEP_SPECS:
        raise ValueError(f"There is no step type “{kind}”. Known: {', '.join(STEP_SPECS.names())}.")
    return STEP_SPECS.get(kind).model_validate(data)


AnyStep = Annotated[SerializeAsAny[StepSpec], WrapValidator(_step_of_its_type)]


def slot(title: str) -> Any:
    """A field that holds steps; the editor shows it as a list of cards inside the card."""
    return Field(default_factory=list, title=title, max_length=100, json_schema_extra={"left_out": True})
