"""The runtime's Resolver over the ORM: a model's alias -> where it runs, with key and price of this moment."""

from __future__ import annotations

from typing import cast

from django.db.models import Prefetch
from django.utils import timezone

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.jobs.writer import WRITER
from llm_admin.models import Deployment, DeploymentPrice, LanguageModel
from llm_admin.schemas.plans import DeploymentPlan, ModelPlan, PricePlan
from llm_admin.services import catalogue


class ModelResolver:
    """Reads in the writer's thread when it is not cached: the loop holds no connection."""

    def __init__(self, workspace_id: int) -> None:
        self.workspace_id = workspace_id

    async def model(self, alias: str) -> ModelPlan:
        key = ("model", self.workspace_id, alias)
        found = catalogue.peek(key)
        if found is None:
            found = await WRITER.write(lambda: catalogue.cached(key, lambda: load_model(self.workspace_id, alias)))
        return cast("ModelPlan", found)


def load_model(workspace_id: int, alias: str) -> ModelPlan:
    deployments = Deployment._base_manager.filter(enabled=True).select_related("connection")
    rows = LanguageModel._base_manager.filter(workspace_id=workspace_id, alias=alias, enabled=True).prefetch_related(
        Prefetch("deployments", queryset=deployments.order_by("priority", "id"))
    )
    model = rows.first()
    if model is None:
        raise CallFailed(ErrorKind.BAD_REQUEST, f"there is no model “{alias}”, or it is switched off")
    plans = tuple(deployment_plan(deployment) for deployment in model.deployments.all())
    return ModelPlan(model.pk, model.alias, model.name, plans)


def deployment_plan(deployment: Deployment) -> DeploymentPlan:
    connection = deployment.connection
    return DeploymentPlan(
        id=deployment.pk,
        provider=connection.provider,
        provider_model=deployment.provider_model,
        connection=connection.name,
        base_url=connection.base_url,
        api_key=connection.secret(),
        options=connection.options,
        price=current_price(deployment),
    )


def current_price(deployment: Deployment) -> PricePlan | None:
    rows = DeploymentPrice._base_manager.filter(deployment=deployment, starts_at__lte=timezone.now())
    price = rows.order_by("-starts_at", "-id").first()
    if price is None:
        return None
    return PricePlan(price.pk, price.input_per_million, price.output_per_million, price.cached_input_per_million)
