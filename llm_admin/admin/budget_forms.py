"""The form of a budget: an amount as people write it, instead of nano-dollars."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from llm_admin.admin.forms import add_problems
from llm_admin.choices import BudgetPeriod, BudgetScope, BudgetUnit
from llm_admin.exceptions import Problem
from llm_admin.models import Budget, Workspace
from llm_admin.services import budgets
from llm_admin.services.budget_words import to_stored, to_typed

PLACES = {"limit": "amount", "warn_at": "levels"}  # of the table -> of the form


def _radio(label: str, choices: Any, initial: str, **details: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=choices, initial=initial, widget=UnfoldAdminRadioSelectWidget, **details
    )


def amount_field(label: str, **details: Any) -> forms.DecimalField:
    widget = UnfoldAdminTextInputWidget({"inputmode": "decimal", "autocomplete": "off"})
    return forms.DecimalField(label=label, max_digits=18, decimal_places=6, widget=widget, **details)


class BudgetForm(forms.ModelForm):
    """`workspace` is set per request. Of a budget that is there, what it counts is not asked again."""

    workspace: Workspace
    scope = _radio("Whose calls count", BudgetScope.choices, BudgetScope.WORKSPACE)
    unit = _radio("Counted in", BudgetUnit.choices, BudgetUnit.MONEY)
    period = _radio("Begins anew after", BudgetPeriod.choices, BudgetPeriod.MONTH)
    amount = amount_field("How much")
    levels = forms.CharField(
        label="Warn at",
        required=False,
        max_length=100,
        initial="50, 80",
        widget=UnfoldAdminTextInputWidget({"inputmode": "numeric", "autocomplete": "off"}),
        help_text="Percent of it, with commas between: 50, 80. Once each: on the home page, and by mail to the owner.",
    )

    class Meta:
        model = Budget
        fields = ("name", "enabled")  # the admin adds the pickers: they cannot be made outside of a workspace

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        budget, currency = self.instance, self.workspace.currency
        self.fields["amount"].help_text = f"In {currency}, a number of tokens, or a number of calls."
        if budget.pk:
            for name in ("scope", "unit", "period", *budgets.SUBJECTS):
                self.fields.pop(name, None)
            self.initial["amount"] = to_typed(budget.limit, budget.unit, self.workspace)
            self.initial["levels"] = ", ".join(map(str, budget.warn_at))
            self.fields["amount"].help_text = f"In {currency if budget.unit == BudgetUnit.MONEY else budget.unit}."

    def clean_levels(self) -> list[int]:
        words = self.cleaned_data["levels"].replace("%", " ").replace(",", " ").split()
        if any(not (word.isascii() and word.isdigit() and 1 <= int(word[:4]) <= 99) for word in words):
            raise forms.ValidationError("Whole percents from 1 to 99, with commas between: 50, 80.")
        return sorted({int(word) for word in words})

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        amount, unit = data.get("amount"), data.get("unit") or self.instance.unit
        if amount is not None:
            try:
                self.instance.limit = stored(amount, unit, self.workspace)
            except forms.ValidationError as error:
                self.add_error("amount", error)
        self.instance.warn_at = data.get("levels") or []
        return data

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        before = Budget.objects.filter(pk=self.instance.pk).first() if self.instance.pk else None
        found = budgets.check(self.instance, before=before)
        placed = [Problem(tuple(PLACES.get(str(name), name) for name in p.location), p.message) for p in found]
        add_problems(self, [one for one in placed if not one.location or one.location[0] not in self.errors])


def stored(amount: Decimal, unit: str, workspace: Workspace) -> int:
    """In the unit of the table. Raises ValidationError."""
    if unit != BudgetUnit.MONEY and amount != amount.to_integral_value():
        raise forms.ValidationError("Calls and tokens are whole numbers.")
    return to_stored(amount, unit, workspace)


class OverrideForm(forms.Form):
    amount = amount_field("Allow more by")
    reason = forms.CharField(
        max_length=300, widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}), label="Why (it stays on record)"
    )

    def __init__(self, *args: Any, budget: Budget, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.budget, self.workspace = budget, workspace
        unit = workspace.currency if budget.unit == BudgetUnit.MONEY else budget.unit
        self.fields["amount"].label = f"Allow more, {unit}"

    def clean_amount(self) -> int:
        return stored(self.cleaned_data["amount"], self.budget.unit, self.workspace)
