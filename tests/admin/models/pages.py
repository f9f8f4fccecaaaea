"""The pages of models as a test fills them in."""

from __future__ import annotations

from decimal import Decimal

from django.urls import reverse
from django.utils import timezone

from llm_admin.models import DeploymentPrice, InteractionLog

LIST = reverse("admin:llm_admin_languagemodel_changelist")
ADD = reverse("admin:llm_admin_languagemodel_add")
HTMX = {"hx-request": "true"}


def page(model):
    return reverse("admin:llm_admin_languagemodel_change", args=[model.pk])


def row(number, connection, provider_model, *, pk="", model="", enabled=True, priority=1, delete=False, **limits):
    values = {
        "id": pk,
        "model": model,
        "connection": connection,
        "provider_model": provider_model,
        "priority": priority,
        "weight": 1,
    } | limits
    values |= {"enabled": "on"} if enabled else {}
    values |= {"DELETE": "on"} if delete else {}
    return {f"deployments-{number}-{name}": value for name, value in values.items()}


def form(*rows, initial=0, **fields):
    data = {"name": "Fast", "alias": "fast", "description": "", "enabled": "on"} | fields
    data |= {"deployments-TOTAL_FORMS": len(rows), "deployments-INITIAL_FORMS": initial}
    for one in rows:
        data |= one
    return {name: value for name, value in data.items() if value is not None}


def used_by_a_log(**refers):
    return InteractionLog.objects.create(
        created_at=timezone.now(), status="succeeded", source="studio", latency_ms=1, **refers
    )


def price(place, amount="1", **fields):
    return DeploymentPrice.objects.create(
        deployment=place, input_per_million=Decimal(amount), output_per_million=Decimal("2"), **fields
    )


def add_price(client, place, *, headers=HTMX, **fields):
    values = {"input_per_million": "0.15", "output_per_million": "0.6"} | fields
    url = reverse("admin:llm_admin_deploymentprice_add", args=[place.pk])
    return client.post(url, {f"d{place.pk}-{name}": value for name, value in values.items()}, headers=headers)


def delete_price(client, one, *, headers=HTMX):
    return client.post(reverse("admin:llm_admin_deploymentprice_delete", args=[one.pk]), headers=headers)
