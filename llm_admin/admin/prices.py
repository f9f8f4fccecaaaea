"""The prices of each deployment, below the model's form: a small table with a form of its own, swapped by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_POST

from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.forms import add_refusal
from llm_admin.admin.price_forms import PriceForm
from llm_admin.choices import PriceSource
from llm_admin.exceptions import InvalidInput
from llm_admin.models import Deployment, DeploymentPrice
from llm_admin.services import prices, published


@dataclass(frozen=True)
class PriceRow:
    price: DeploymentPrice
    amounts: list[str]
    further: list[str]
    source: str
    state: str
    is_own: bool


@dataclass(frozen=True)
class DeploymentPrices:
    deployment: Deployment
    rows: list[PriceRow]
    form: forms.Form


def prices_of(deployment: Deployment, form: forms.Form | None = None) -> DeploymentPrices:
    current = prices.current(deployment)
    rows = [_row(one, current) for one in deployment.prices.all()]
    prefix = f"d{deployment.pk}"  # several of these forms stand on one page
    return DeploymentPrices(deployment, rows, form or PriceForm(prefix=prefix))


def _row(price: DeploymentPrice, current: DeploymentPrice | None) -> PriceRow:
    is_own = price.source == PriceSource.OWN
    return PriceRow(
        price, _amounts(price), prices.further(price), prices.source_text(price), _state(price, current), is_own
    )


def _amounts(price: DeploymentPrice) -> list[str]:
    three = (price.input_per_million, price.output_per_million, price.cached_input_per_million)
    return ["as input" if amount is None else prices.dollars(amount) for amount in three]


def _state(price: DeploymentPrice, current: DeploymentPrice | None) -> str:
    if price == current:
        return "Valid now"
    if price.starts_at > timezone.now():
        return "Planned"
    own_holds = current is not None and current.source == PriceSource.OWN and price.source != PriceSource.OWN
    return "Replaced by your own" if own_holds and price.ends_at is None else "Earlier"


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
            price = prices.add(deployment, actor=actor, **form.cleaned_data)
        except InvalidInput as error:
            add_refusal(form, error)
        else:
            model_admin.log_change(request, deployment.model, f"Added the price {prices.text(price)} of {deployment}.")
            return _section(request, deployment)
    return _section(request, deployment, form, status=422)


def delete_view(request: HttpRequest, model_admin: Any, pk: int) -> HttpResponse:
    actor = actor_of(request)
    price = find_or_404(request, DeploymentPrice, pk, path="deployment__model__workspace")
    deployment = price.deployment
    prices.delete(price, actor=actor)
    published.ensure(deployment)  # the provider's price holds again, where it has one
    model_admin.log_change(request, deployment.model, f"Deleted the price {prices.text(price)} of {deployment}.")
    return _section(request, deployment)


def _section(
    request: HttpRequest, deployment: Deployment, form: forms.Form | None = None, *, status: int = 200
) -> HttpResponse:
    htmx = bool(getattr(request, "htmx", False))
    if not htmx and form is None:
        return redirect("admin:llm_admin_languagemodel_change", deployment.model_id)
    fresh = prices.with_prices(Deployment.objects.filter(pk=deployment.pk)).get()
    context = {"item": prices_of(fresh, form)}
    if htmx:
        return render(request, "llm_admin/models/_deployment_prices.html", context, status=status)
    return render(request, "llm_admin/models/price_page.html", context, status=status)
