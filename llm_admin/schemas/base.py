"""What all specs share: strict, frozen, and validation errors as `Problem`s in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.schemas.storable import texts_in, unfit, why_not

IDENTIFIER = re.compile(r"^[^\W\d]\w*$")

WORDS = {
    "missing": "This is needed.",
    "extra_forbidden": "This is not known here.",
    "string_type": "This must be text.",
    "string_too_short": "This must not be empty.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "int_from_float": "This must be a whole number.",
    "float_type": "This must be a number.",
    "float_parsing": "This must be a number.",
    "finite_number": "This must be an ordinary number.",
    "bool_type": "This must be yes or no.",
    "bool_parsing": "This must be yes or no.",
    "list_type": "This must be a list.",
    "dict_type": "This must be a set of names and values.",
    "model_type": "This must be a set of names and values.",
    "model_attributes_type": "This must be a set of names and values.",
}


class Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _fit(value: dict[str, Any]) -> dict[str, Any]:
    if reason := unfit(value):
        raise ValueError(f"This {reason}.")
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(_fit)]
S = TypeVar("S", bound=BaseModel)


def problems_of(error: ValidationError, *, prefix: tuple[str | int, ...] = ()) -> list[Problem]:
    return [Problem(prefix + tuple(one["loc"]), _message(one)) for one in error.errors(include_url=False)]


def _message(one: Any) -> str:
    context = one.get("ctx") or {}
    match one["type"]:
        case "value_error":
            return str(context.get("error", one["msg"]))
        case "literal_error" | "enum":
            return f"Choose one of {context.get('expected', '')}."
        case "string_too_long":
            return f"This must have at most {context['max_length']:,} characters."
        case "greater_than_equal":
            return f"This must be at least {_number(context['ge'])}."
        case "greater_than":
            return f"This must be more than {_number(context['gt'])}."
        case "less_than_equal":
            return f"This must be at most {_number(context['le'])}."
        case "less_than":
            return f"This must be less than {_number(context['lt'])}."
        case "too_short":
            return "Add at least one."
        case "too_long":
            return f"At most {context['max_length']:,} are possible."
        case kind:
            return WORDS.get(kind) or f"{one['msg'].rstrip('.')}."


def _number(limit: float) -> str:
    return f"{limit:g}"


def parse(spec: type[S], data: Any, *, prefix: tuple[str | int, ...] = ()) -> S:
    """Raises InvalidInput with every problem and its place."""
    if bad := [(place, reason) for place, text in texts_in(data, prefix) if (reason := why_not(text))]:
        raise InvalidInput([Problem(place, f"This {reason}.") for place, reason in bad])
    try:
        return spec.model_validate(data)
    except ValidationError as error:
        raise InvalidInput(problems_of(error, prefix=prefix)) from None


def duplicates(names: Iterable[str]) -> list[int]:
    """Positions of names that came before."""
    seen: set[str] = set()
    positions = []
    for position, name in enumerate(names):
        if name in seen:
            positions.append(position)
        seen.add(name)
    return positions
