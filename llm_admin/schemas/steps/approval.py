from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from llm_admin.choices import Role
from llm_admin.schemas.prompts import Text
from llm_admin.schemas.steps.base import Place, StepSpec, names_in

ROLES: dict[str, Any] = {
    "": "Only the people below",
    Role.AUTHOR.value: "Every author",
    Role.OPERATOR.value: "Every operator",
    Role.ADMIN.value: "Every admin",
}


class ApprovalStep(StepSpec):
    label = "Approval"
    icon = "how_to_reg"
    help = "Waits until somebody has read, perhaps edited, and approved a text. The result is the approved text."
    example = "Is this reply fit to be sent?"
    result = "approved"

    type: Literal["approval"] = "approval"
    question: str = Field(
        default="",
        title="What to look at",
        max_length=1_000,
        description="Shown to who decides. {{name}} puts in an input or an earlier result.",
        json_schema_extra={"widget": "textarea"},
    )
    text: Text = Field(
        default="",
        title="Text to approve",
        description="{{name}} puts in an input or an earlier result. Empty: the step before.",
        json_schema_extra={"widget": "textarea"},
    )
    role: Literal["", "author", "operator", "admin"] = Field(
        default="author", title="Who decides", json_schema_extra={"choice_titles": ROLES}
    )
    people: list[str] = Field(
        default_factory=list,
        max_length=50,
        title="And these people",
        json_schema_extra={"add_title": "Add a person", "item_choices_from": "people"},
    )
    hours: float | None = Field(
        default=None, gt=0, le=8_760, title="Hours to decide", description="Empty: it waits for as long as it takes."
    )
    at_deadline: Literal["decline", "approve"] = Field(
        default="decline",
        title="If nobody decides in time",
        json_schema_extra={"choice_titles": {"decline": "Decline", "approve": "Approve as it is"}},
    )

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.role and not self.people:
            raise ValueError("Say who decides: a role, or people by name.")
        return self

    def uses(self) -> list[tuple[Place, str]]:
        texts = {"question": self.question, "text": self.text}
        return [((field,), name) for field, text in texts.items() for name in names_in(text)]

    def previous_field(self) -> str:
        return "text"
