"""The runtime's Resolver over the ORM: a model's alias -> where it runs, with key and price of this moment."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from django.db.models import Prefetch

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.jobs.writer import WRITER
from llm_admin.models import Deployment, DeploymentPrice, LanguageModel
from llm_admin.schemas.plans import DeploymentPlan, ModelPlan
from llm_admin.services import catalogue, prices, published


class ModelResolver:
    """Reads in the writer's thread when it is not cached: the loop holds no connection."""

    def __init__(self, workspace_id: int) -> None:
        self.workspace_id = workspace_id

    async def model(self, alias: str) -> ModelPlan:
        key = ("model", self.workspace_id, alias)
        found = catalogue.peek(key)
        if found is None:
            found = await self._read(key, alias)
        return cast("ModelPlan", found)

    async def _read(self, key: Any, alias: str) -> Any:
        """The price list, when it is needed for the first time, is read in a thread of its own: it takes a second."""

        def build() -> ModelPlan:
            return load_model(self.workspace_id, alias, may_load=False)

        try:
            return await WRITER.write(lambda: catalogue.cached(key, build))
        except published.NotLoaded:
            await asyncio.to_thread(published.load)
            return await WRITER.write(lambda: catalogue.cached(key, build))


def load_model(workspace_id: int, alias: str, *, may_load: bool = True) -> ModelPlan:
    prices_too = Prefetch("prices", queryset=DeploymentPrice._base_manager.all())
    enabled = Deployment._base_manager.filter(enabled=True)
    deployments = enabled.select_related("connection").prefetch_related(prices_too)
    rows = LanguageModel._base_manager.filter(workspace_id=workspace_id, alias=alias, enabled=True).prefetch_related(
        Prefetch("deployments", queryset=deployments.order_by("priority", "id"))
    )
    model = rows.first()
    if model is None:
        raise CallFailed(ErrorKind.BAD_REQUEST, f"there is no model “{alias}”, or it is switched off")
    due = [deployment for deployment in model.deployments.all() if published.is_due(deployment)]
    for deployment in due:
        published.refresh(deployment, may_load=may_load)
    if due:
        return load_model(workspace_id, alias)
    plans = tuple(deployment_plan(deployment) for deployment in model.deployments.all())
    return ModelPlan(model.pk, model.alias, model.name, plans)


def deployment_plan(deployment: Deployment) -> DeploymentPlan:
    connection, price = deployment.connection, prices.current(deployment)
    return DeploymentPlan(
        id=deployment.pk,
        provider=connection.provider,
        provider_model=deployment.provider_model,
        connection=connection.name,
        base_url=connection.base_url,
        api_key=connection.secret(),
        options=connection.options,
        price=prices.plan_of(price) if price else None,
        connection_id=connection.pk,
        priority=deployment.priority,
        weight=deployment.weight,
        requests_per_minute=deployment.requests_per_minute,
        tokens_per_minute=deployment.tokens_per_minute,
        max_concurrency=deployment.max_concurrency,
    )
