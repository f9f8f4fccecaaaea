from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from llm_admin.schemas.base import Spec
from llm_admin.schemas.steps.base import Place, Slot, StepSpec, first_part, names_in
from llm_admin.schemas.steps.nested import AnyStep, slot

Operator = Literal[
    "is",
    "is_not",
    "contains",
    "contains_not",
    "begins_with",
    "ends_with",
    "one_of",
    "more_than",
    "at_least",
    "less_than",
    "at_most",
    "empty",
    "not_empty",
    "yes",
    "no",
]
OPERATOR_TITLES: dict[str, Any] = {
    "is": "is",
    "is_not": "is not",
    "contains": "contains",
    "contains_not": "does not contain",
    "begins_with": "begins with",
    "ends_with": "ends with",
    "one_of": "is one of (one in a line)",
    "more_than": "is more than",
    "at_least": "is at least",
    "less_than": "is less than",
    "at_most": "is at most",
    "empty": "is empty",
    "not_empty": "is not empty",
    "yes": "is yes",
    "no": "is no",
}
ALONE = frozenset(("empty", "not_empty", "yes", "no"))
NUMERIC = frozenset(("more_than", "at_least", "less_than", "at_most"))


class Condition(Spec):
    """Texts are compared without regard to capitals and outer spaces."""

    value: str = Field(
        title="What",
        min_length=1,
        max_length=200,
        json_schema_extra={"choices_from": "variables", "empty_title": "Choose a value"},
    )
    operator: Operator = Field(default="is", title="How", json_schema_extra={"choice_titles": OPERATOR_TITLES})
    to: str = Field(
        default="",
        title="With",
        max_length=10_000,
        description="{{name}} puts in an input or an earlier result.",
        json_schema_extra={"hidden_when": ["operator", [*sorted(ALONE)]]},
    )

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        if self.operator in NUMERIC and not names_in(self.to):
            try:
                float(self.to)
            except ValueError:
                raise ValueError(f"“{OPERATOR_TITLES[self.operator]}” needs a number, such as 10.") from None
        if self.operator not in ALONE and not self.to:
            raise ValueError(f"Say what it {OPERATOR_TITLES[self.operator]}; or use “is empty”.")
        return self


class BranchStep(StepSpec):
    label = "Branch"
    icon = "call_split"
    help = "Goes one of two ways. Its result is the result of the last step on the way taken."
    example = "If category is refund: … Otherwise: …"
    result = "way"
    slot_titles = {"yes": "If so", "no": "Otherwise"}

    type: Literal["branch"] = "branch"
    match: Literal["all", "any"] = Field(
        default="all",
        title="When",
        json_schema_extra={"choice_titles": {"all": "all of these are so", "any": "one of these is so"}},
    )
    conditions: list[Condition] = Field(
        min_length=1, max_length=20, title="Conditions", json_schema_extra={"add_title": "Add a condition"}
    )
    yes: list[AnyStep] = slot("If so")
    no: list[AnyStep] = slot("Otherwise")

    def uses(self) -> list[tuple[Place, str]]:
        found: list[tuple[Place, str]] = []
        for position, one in enumerate(self.conditions):
            found.append((("conditions", position, "value"), first_part(one.value)))
            found += [(("conditions", position, "to"), name) for name in names_in(one.to)]
        return found

    def slots(self) -> list[Slot]:
        return [Slot("yes", "If so", self.yes), Slot("no", "Otherwise", self.no)]
