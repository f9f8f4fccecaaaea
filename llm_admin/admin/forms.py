"""What our forms share: problems that a service found, shown at their fields."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms

from llm_admin.exceptions import InvalidInput, Problem


def add_problems(form: forms.BaseForm, problems: Iterable[Problem]) -> None:
    """A place that the form does not have becomes a message above it."""
    for problem in problems:
        name = problem.location[0] if problem.location else None
        form.add_error(name if isinstance(name, str) and name in form.fields else None, problem.message)


def add_refusal(form: forms.BaseForm, error: InvalidInput) -> None:
    add_problems(form, error.problems)
