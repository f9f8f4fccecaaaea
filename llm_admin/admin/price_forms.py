"""What a price is entered with: three common amounts, the rest under “More”."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from llm_admin.schemas.plans import PriceTier

TIERS = (1, 2)  # more of them come from a price list only
TIER_RATES = ("input", "output", "cached_input", "cache_write", "reasoning")
COMMON = ("input_per_million", "output_per_million", "cached_input_per_million", "starts_at")


def midnight(day: dt.date) -> dt.datetime:
    """Raises ValidationError for days that no database holds in every time zone."""
    if not 2000 <= day.year <= 2100:
        raise forms.ValidationError("Choose a day between the years 2000 and 2100.")
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def _amount(label: str, **details: Any) -> forms.DecimalField:
    widget = UnfoldAdminTextInputWidget({"inputmode": "decimal", "autocomplete": "off"})
    return forms.DecimalField(label=label, min_value=0, max_digits=12, decimal_places=6, widget=widget, **details)


class PriceForm(forms.Form):
    """US dollars. `tiers` is in the cleaned data as PriceTiers."""

    input_per_million = _amount("Input, $")
    output_per_million = _amount("Output, $")
    cached_input_per_million = _amount("Cached input, $", required=False)
    starts_at = forms.DateField(label="From", required=False, widget=UnfoldAdminTextInputWidget({"type": "date"}))
    cache_write_per_million = _amount("Cache write, $", required=False)
    reasoning_per_million = _amount("Reasoning, $", required=False)
    per_request = _amount("Per request, $", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number in TIERS:
            widget = UnfoldAdminTextInputWidget({"inputmode": "numeric", "autocomplete": "off"})
            above = forms.IntegerField(
                label="Above, input tokens", required=False, min_value=1, max_value=10**9 - 1, widget=widget
            )
            self.fields[f"tier{number}_above"] = above
            for rate in TIER_RATES:
                self.fields[_tier_field(number, rate)] = _amount(_title(rate), required=False)

    def clean_starts_at(self) -> dt.datetime | None:
        """Midnight of that day; None is now."""
        day = self.cleaned_data["starts_at"]
        return midnight(day) if day else None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        tiers = [tier for number in TIERS if (tier := self._tier(given, number))]
        kept = {name: value for name, value in given.items() if not name.startswith("tier")}
        return kept | {"tiers": tiers}

    def _tier(self, given: dict[str, Any], number: int) -> PriceTier | None:
        above = given.get(f"tier{number}_above")
        rates = {rate: given.get(_tier_field(number, rate)) for rate in TIER_RATES}
        some = any(rate is not None for rate in rates.values())
        if above is None and some and not self.has_error(f"tier{number}_above"):
            self.add_error(f"tier{number}_above", "Say above how many input tokens these rates hold.")
        if above is not None and not some and not self.errors:
            self.add_error(f"tier{number}_above", "Give at least one rate for calls above this number.")
        return PriceTier(above, **rates) if above is not None and some else None

    @property
    def common(self) -> list[forms.BoundField]:
        return [self[name] for name in COMMON]

    @property
    def more(self) -> list[forms.BoundField]:
        return [self[name] for name in ("cache_write_per_million", "reasoning_per_million", "per_request")]

    @property
    def tiers(self) -> list[list[forms.BoundField]]:
        return [[self[f"tier{number}_above"], *(self[_tier_field(number, r)] for r in TIER_RATES)] for number in TIERS]

    @property
    def shows_more(self) -> bool:
        """Whether something stands there that must be seen."""
        fields = [*self.more, *(field for tier in self.tiers for field in tier)]
        return self.is_bound and any(field.errors or field.value() for field in fields)


def _tier_field(number: int, rate: str) -> str:
    return f"tier{number}_{rate}"


def _title(rate: str) -> str:
    return f"{rate.replace('_', ' ').capitalize()}, $"
