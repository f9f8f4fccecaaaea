"""The form of a monitor: levels as people write them, and the address of a webhook that no page contains."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils.html import format_html
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from llm_admin.admin.forms import add_problems
from llm_admin.choices import MonitorDirection, MonitorWindow, NoData, RunSource, WebhookKind
from llm_admin.exceptions import Problem
from llm_admin.models import Deployment, Membership, Monitor, PromptVersion, Workspace
from llm_admin.selectors.monitor_measures import MEASURES
from llm_admin.services import monitor_checks
from llm_admin.services import monitor_words as words
from llm_admin.services.monitor_webhook import host_of

EVERY = {
    "prompt": "Every prompt",
    "workflow": "Every workflow",
    "model": "Every model",
    "deployment": "Every place",
    "user": "Everybody",
    "owner": "Nobody",
}
UNIT = '<span id="id_alarm_level_helptext">{}</span>'  # the preview says it again when the number changes
PLACES = {"warn": "warn_level", "alarm": "alarm_level", "version": "version_number"}  # of the table -> of the form


def members() -> QuerySet[Any]:
    here = Membership.objects.values("user")
    return get_user_model()._default_manager.filter(pk__in=here).order_by("username")


def _radio(label: str, choices: Any, initial: str, **details: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=choices, initial=initial, widget=UnfoldAdminRadioSelectWidget, **details
    )


def _level(label: str, help_text: str) -> forms.DecimalField:
    widget = UnfoldAdminTextInputWidget({"inputmode": "decimal", "autocomplete": "off"})
    return forms.DecimalField(
        label=label, required=False, max_digits=18, decimal_places=6, widget=widget, help_text=help_text
    )


class MonitorForm(forms.ModelForm):
    """`workspace` is set per request."""

    workspace: Workspace
    measure = forms.ChoiceField(label="Number", widget=UnfoldAdminSelectWidget)
    window = forms.TypedChoiceField(
        label="Over the last",
        coerce=int,
        choices=MonitorWindow.choices,
        initial=MonitorWindow.HOUR,
        widget=UnfoldAdminSelectWidget,
    )
    direction = _radio("Tells when it is", MonitorDirection.choices, MonitorDirection.ABOVE)
    alarm_level = _level("Alarm at", "")
    warn_level = _level("Warning at", "Comes before the alarm. Either of the two may be empty.")
    version_number = forms.IntegerField(
        label="Version",
        required=False,
        min_value=1,
        max_value=10**9,
        widget=UnfoldAdminIntegerFieldWidget({"min": "1"}),
        help_text="Its number, of the prompt above. Empty: all versions.",
    )
    no_data = _radio("With nothing to judge", NoData.choices, NoData.KEEP)
    people: forms.ModelMultipleChoiceField[Any] = forms.ModelMultipleChoiceField(
        label="People",
        required=False,
        queryset=None,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Members of the workspace; they get a mail.",
    )
    addresses_typed = forms.CharField(
        label="Further addresses",
        required=False,
        max_length=6_000,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "placeholder": "team@example.org"}),
        help_text="Mail addresses, with commas between.",
    )
    webhook = forms.CharField(
        label="Webhook",
        required=False,
        max_length=monitor_checks.LONGEST_URL,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password", "placeholder": "https://"}),
        help_text="An address that is posted to. It is stored encrypted and never shown again.",
    )
    webhook_kind = _radio("What is posted", WebhookKind.choices, WebhookKind.JSON)
    remove_webhook = forms.BooleanField(
        label="Remove the stored address", required=False, widget=UnfoldBooleanSwitchWidget
    )

    class Meta:
        model = Monitor
        fields = ("name", "enabled", "note", "measure", "window", "direction", "no_data", "webhook_kind")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "measure" not in self.fields:  # somebody who may only look
            return
        self._offer()
        self._show()

    def _offer(self) -> None:
        fields: dict[str, Any] = self.fields
        fields["measure"].choices = [(one.key, one.title) for one in MEASURES.values()]
        fields["people"].queryset = members()
        if "deployment" in fields:
            fields["deployment"].queryset = Deployment.objects.select_related("connection", "model")
        for name, label in EVERY.items():
            if name in fields:
                fields[name].empty_label = label
        if "source" in fields:
            fields["source"].choices = [("", "Every source"), *RunSource.choices]
        if "note" in fields:
            fields["note"].widget.attrs["rows"] = 3
        unit = words.unit_of(self.instance) if self.instance.measure else next(iter(MEASURES.values())).unit
        fields["alarm_level"].help_text = format_html(UNIT, words.unit_words(unit, self.workspace))

    def _show(self) -> None:
        monitor, unit = self.instance, words.unit_of(self.instance)
        for name in ("warn", "alarm"):
            self.initial[f"{name}_level"] = words.to_typed(getattr(monitor, name), unit, self.workspace)
        self.initial["addresses_typed"] = ", ".join(monitor.addresses)
        if monitor.version_id:
            self.initial["version_number"] = monitor.version.number
        if monitor.pk:
            self.initial["people"] = [one.pk for one in monitor.people.all()]
        if monitor.webhook_url:
            said = f"An address at {host_of(monitor.webhook_url)} is stored. Leave this empty to keep it."
            self.fields["webhook"].help_text = said
        else:
            del self.fields["remove_webhook"]

    def clean_addresses_typed(self) -> list[str]:
        typed = self.cleaned_data["addresses_typed"].replace(";", ",").split(",")
        return [address.strip() for address in typed if address.strip()]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        unit = words.unit_of(Monitor(measure=data.get("measure") or ""))
        for name in ("warn", "alarm"):
            typed = data.get(f"{name}_level")
            setattr(self.instance, name, None if typed is None else self._stored(name, typed, unit))
        self.instance.addresses = data.get("addresses_typed") or []
        self.instance.version = self._version(data)
        return data

    def _stored(self, name: str, typed: Decimal, unit: Any) -> int | None:
        if (level := words.to_stored(typed, unit, self.workspace)) > words.LARGEST:
            self.add_error(f"{name}_level", "That is more than a level can be. Give a smaller number.")
            return None
        if typed and not level:
            self.add_error(f"{name}_level", "That is too small to be measured.")
        return level

    def _version(self, data: dict[str, Any]) -> PromptVersion | None:
        number, prompt = data.get("version_number"), data.get("prompt")
        if number is None:
            return None
        if prompt is None:
            self.add_error("version_number", "Choose the prompt that has this version, too.")
            return None
        found = PromptVersion.objects.filter(prompt=prompt, number=number).select_related("prompt").first()
        if found is None:
            self.add_error("version_number", f"“{prompt}” has no version {number}.")
        return found

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        found = monitor_checks.check(
            self.instance, people=self.cleaned_data.get("people") or (), webhook=self.cleaned_data.get("webhook") or ""
        )
        placed = [Problem(_place(one), one.message) for one in found]
        add_problems(self, [one for one in placed if not one.location or one.location[0] not in self.errors])

    def more(self) -> dict[str, Any]:
        """What the service takes beside the object."""
        data = self.cleaned_data
        return {
            "people": list(data.get("people") or ()),
            "webhook": data.get("webhook") or "",
            "remove_webhook": bool(data.get("remove_webhook")),
        }


def _place(problem: Problem) -> tuple[str | int, ...]:
    name = str(problem.location[0]) if problem.location else ""
    return (PLACES.get(name, "addresses_typed" if name == "addresses" else name),) if name else ()
