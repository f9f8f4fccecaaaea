"""The prices of each deployment, below the model's form: a small table with a form of its own, swapped by itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminTextInputWidget

from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.forms import add_refusal
from llm_admin.exceptions import InvalidInput
from llm_admin.models import Deployment, DeploymentPrice
from llm_admin.services import models


def _amount(label: str, **details: Any) -> forms.DecimalField:
    widget = UnfoldAdminTextInputWidget({"inputmode": "decimal", "autocomplete": "off"})
    return forms.DecimalField(label=label, min_value=0, max_digits=12, decimal_places=6, widget=widget, **details)


class PriceForm(forms.Form):
    input_per_million = _amount("Input, $")
    output_per_million = _amount("Output, $")
    cached_input_per_million = _amount("Cached input, $", required=False)
    starts_at = forms.DateField(label="From", required=False, widget=UnfoldAdminTextInputWidget({"type": "date"}))

    def clean_starts_at(self) -> dt.datetime | None:
        """Midnight of that day; None is now."""
        day = self.cleaned_data["starts_at"]
        return timezone.make_aware(dt.datetime.combine(day, dt.time())) if day else None


@dataclass(frozen=True)
class PriceRow:
    price: DeploymentPrice
    amounts: list[str]
    state: str


@dataclass(frozen=True)
class DeploymentPrices:
    deployment: Deployment
    rows: list[PriceRow]
    form: forms.Form


def prices_of(deployment: Deployment, form: forms.Form | None = None) -> DeploymentPrices:
    current = models.current_price(deployment)
    rows = [PriceRow(one, _amounts(one), _state(one, current)) for one in deployment.prices.all()]
    prefix = f"d{deployment.pk}"  # several of these forms stand on one page
    return DeploymentPrices(deployment, rows, form or PriceForm(prefix=prefix))


def _amounts(price: DeploymentPrice) -> list[str]:
    three = (price.input_per_million, price.output_per_million, price.cached_input_per_million)
    return ["as input" if amount is None else models.dollars(amount) for amount in three]


def _state(price: DeploymentPrice, current: DeploymentPrice | None) -> str:
    if price == current:
        return "Valid now"
    return "Planned" if price.starts_at > timezone.now() else "Earlier"


def price_urls(model_admin: Any) -> list[URLPattern]:
    def view(function: Any) -> Any:
        return model_admin.admin_site.admin_view(require_POST(function))

    def add(request: HttpRequest, pk: int) -> HttpResponse:
        return add_view(request, model_admin, pk)

    def delete(request: HttpRequest, pk: int) -> HttpResponse:
        return delete_view(request, model_admin, pk)

    return [
        path("deployments/<int:pk>/prices/add/", view(add), name="llm_admin_deploymentprice_add"),
        path("prices/<int:pk>/delete/", view(delete), name="llm_admin_deploymentprice_delete"),
    ]


def add_view(request: HttpRequest, model_admin: Any, pk: int) -> HttpResponse:
    actor = actor_of(request)
    actor.require("add_deploymentprice")
    deployment = find_or_404(request, Deployment, pk, path="model__workspace")
    form = PriceForm(request.POST, prefix=f"d{pk}")
    if form.is_valid():
        try:
            price = models.add_price(deployment, actor=actor, **form.cleaned_data)
        except InvalidInput as error:
            add_refusal(form, error)
        else:
            model_admin.log_change(
                request, deployment.model, f"Added the price {models.price_text(price)} of {deployment}."
            )
            return _section(request, deployment)
    return _section(request, deployment, form, status=422)


def delete_view(request: HttpRequest, model_admin: Any, pk: int) -> HttpResponse:
    actor = actor_of(request)
    price = find_or_404(request, DeploymentPrice, pk, path="deployment__model__workspace")
    deployment = price.deployment
    models.delete_price(price, actor=actor)
    model_admin.log_change(request, deployment.model, f"Deleted the price {models.price_text(price)} of {deployment}.")
    return _section(request, deployment)


def _section(
    request: HttpRequest, deployment: Deployment, form: forms.Form | None = None, *, status: int = 200
) -> HttpResponse:
    htmx = bool(getattr(request, "htmx", False))
    if not htmx and form is None:
        return redirect("admin:llm_admin_languagemodel_change", deployment.model_id)
    fresh = models.with_prices(Deployment.objects.filter(pk=deployment.pk)).get()
    context = {"item": prices_of(fresh, form)}
    if htmx:
        return render(request, "llm_admin/models/_deployment_prices.html", context, status=status)
    return render(request, "llm_admin/models/price_page.html", context, status=status)
