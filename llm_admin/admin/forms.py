"""What our forms share: problems that a service found, shown at their fields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from llm_admin.exceptions import InvalidInput, Problem


def add_problems(form: forms.BaseForm, problems: Iterable[Problem]) -> None:
    """A place that the form does not have becomes a message above it."""
    for problem in problems:
        name = problem.location[0] if problem.location else None
        form.add_error(name if isinstance(name, str) and name in form.fields else None, problem.message)


def add_refusal(form: forms.BaseForm, error: InvalidInput) -> None:
    add_problems(form, error.problems)


class TwoButtons:
    """“Save and add another” is for data entry, not for settings."""

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context["show_save_and_add_another"] = False
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]


def without_links(field: Any) -> Any:
    """A picker without the pencil and the plus beside it, which open other windows."""
    if field is not None and hasattr(field.widget, "can_add_related"):
        field.widget = field.widget.widget
    return field
