"""The models that sample calls are made by: the workspace's own, or two samples."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from llm_admin.exceptions import InvalidInput
from llm_admin.models import Connection, Deployment, DeploymentPrice, LanguageModel
from llm_admin.schemas.plans import PricePlan
from llm_admin.services.actors import Actor
from llm_admin.services.prices import plan_of
from llm_admin.services.workspaces import DEMO_ALIAS

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class SampleModel:
    """Medians in milliseconds: to the first token, and for each one after it. `prices`: newest first."""

    id: int
    alias: str
    name: str
    deployment_id: int | None
    connection: str
    prices: tuple[tuple[dt.datetime, PricePlan], ...]
    first_ms: float
    token_ms: float

    def price_at(self, moment: dt.datetime) -> PricePlan | None:
        return next((price for start, price in self.prices if start <= moment), None)


def models_of(actor: Actor) -> list[SampleModel]:
    """The enabled ones; where there is only the demo model, two that are clearly samples are made first."""
    if not LanguageModel.objects.exclude(alias=DEMO_ALIAS).exists():
        _add_model(actor, "fast", "Fast (demo)", "0.15", "0.60", None)
        _add_model(actor, "careful", "Careful (demo)", "2.50", "10.00", "1.25")
    enabled = LanguageModel.objects.filter(enabled=True).order_by("id")
    found = list(enabled.prefetch_related("deployments__connection", "deployments__prices"))
    if not found:
        raise InvalidInput("Every model is switched off. Switch one on under “Models” first.")
    others = [model for model in found if model.alias != DEMO_ALIAS]
    return [_sample_model(model, position) for position, model in enumerate(others or found)]


def _add_model(actor: Actor, alias: str, name: str, into: str, out: str, cached: str | None) -> None:
    connection = Connection.objects.filter(provider="fake").order_by("id").first()
    if connection is None:
        connection = Connection.objects.create(workspace=actor.workspace, name="Demo (no AI)", provider="fake")
    model = LanguageModel.objects.create(
        workspace=actor.workspace,
        alias=alias,
        name=name,
        description="Sample model for the sample logs: its answers come from no AI, its prices are invented.",
    )
    deployment = Deployment.objects.create(model=model, connection=connection, provider_model="demo")
    DeploymentPrice.objects.create(
        deployment=deployment,
        starts_at=LONG_AGO,
        input_per_million=Decimal(into),
        output_per_million=Decimal(out),
        cached_input_per_million=Decimal(cached) if cached else None,
    )


def _sample_model(model: LanguageModel, position: int) -> SampleModel:
    deployment = next((d for d in model.deployments.all() if d.enabled), None)
    prices = deployment.prices.all() if deployment else ()
    return SampleModel(
        id=model.pk,
        alias=model.alias,
        name=model.name,
        deployment_id=deployment.pk if deployment else None,
        connection=deployment.connection.name if deployment else "",
        prices=tuple((row.starts_at, plan_of(row)) for row in prices),
        first_ms=420 * (1 + position % 3),
        token_ms=11 * (1 + position % 3),
    )
