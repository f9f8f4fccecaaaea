"""The rules that tables state, as `InvalidInput`."""

from __future__ import annotations

from collections.abc import Collection

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.schemas.storable import why_not


def clean(instance: Model, *, exclude: Collection[str] = ()) -> None:
    """`full_clean()`, with each message at its field."""
    try:
        instance.full_clean(exclude=exclude)
    except ValidationError as error:
        problems = [
            Problem(() if name == NON_FIELD_ERRORS else (name,), message)
            for name, messages in error.message_dict.items()
            for message in messages
        ]
        raise InvalidInput(problems) from None


def refuse_unstorable(**texts: str) -> None:
    """What people typed into fields of these names. Raises InvalidInput at each that no database holds."""
    if bad := [Problem((name,), f"This {reason}.") for name, text in texts.items() if (reason := why_not(text))]:
        raise InvalidInput(bad)
