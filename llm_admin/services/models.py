"""Models that people pick, and the deployments behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from llm_admin.exceptions import Conflict, InvalidInput, NotFound, Problem
from llm_admin.models import Deployment, InteractionLog, LanguageModel, Workspace
from llm_admin.services import published, route_state
from llm_admin.services.validation import clean
from llm_admin.tenancy import workspace_scope

if TYPE_CHECKING:
    from llm_admin.services.actors import Actor

FAKE = "fake"


def save(model: LanguageModel, *, actor: Actor) -> LanguageModel:
    """Raises InvalidInput: an alias that is taken or changed, the default model switched off."""
    actor.require("change_languagemodel" if model.pk else "add_languagemodel")
    if not model.pk:
        model.workspace = actor.workspace
    with workspace_scope(actor.workspace):
        if problems := check(model):
            raise InvalidInput(problems)
        clean(model)
        model.save()
    return model


def check(model: LanguageModel) -> list[Problem]:
    """Beside the fields' own rules; open the scope around it."""
    if not model.pk:
        # The table's constraint says it too, but a form without the workspace does not ask it.
        taken = LanguageModel.objects.filter(alias=model.alias).exists()
        return [Problem(("alias",), "There is a model with this alias already.")] if taken else []
    problems = []
    alias = LanguageModel.objects.filter(pk=model.pk).values_list("alias", flat=True).first()
    if alias != model.alias:
        words = f"Prompts and code know this model as “{alias}”. Make another model for another alias."
        problems.append(Problem(("alias",), words))
    if not model.enabled and _is_default(model):
        words = "This is the workspace's default model. Choose another one in the workspace settings first."
        problems.append(Problem(("enabled",), words))
    return problems


def delete(model: LanguageModel, *, actor: Actor) -> None:
    """Raises Conflict for the default model, and for one that logs refer to."""
    actor.require("delete_languagemodel")
    with workspace_scope(actor.workspace), transaction.atomic():
        if _is_default(model):
            raise Conflict(f"“{model}” is the workspace's default model. Choose another one in the settings first.")
        if InteractionLog.objects.filter(model=model).exists():
            raise Conflict(f"“{model}” stands in the logs, which need its name and prices. Switch it off instead.")
        model.delete()


def save_deployment(deployment: Deployment, *, actor: Actor) -> Deployment:
    actor.require("change_deployment" if deployment.pk else "add_deployment")
    for thing in (deployment.model, deployment.connection):
        if thing.workspace_id != actor.workspace.pk:
            raise NotFound(f"There is no “{thing}” in the workspace “{actor.workspace}”.")
    deployment.provider_model = deployment.provider_model.strip()
    with workspace_scope(actor.workspace):
        clean(deployment)
        deployment.save()
        route_state.wake([deployment.pk])
        published.ensure(deployment)
    return deployment


def delete_deployment(deployment: Deployment, *, actor: Actor) -> None:
    actor.require("delete_deployment")
    with workspace_scope(actor.workspace), transaction.atomic():
        if problem := undeletable(deployment):
            raise Conflict(problem)
        deployment.delete()


def undeletable(deployment: Deployment) -> str:
    """A sentence when logs need it; open the scope around it."""
    if not InteractionLog.objects.filter(deployment=deployment).exists():
        return ""
    return f"“{deployment}” stands in the logs, which need its name and prices. Switch it off instead of deleting it."


def first_deployment(model: LanguageModel) -> Deployment | None:
    """The one that a call goes to; from the deployments that are loaded already."""
    return next((one for one in model.deployments.all() if one.enabled), None)


def answers_come_from_no_ai(workspace: Workspace) -> bool:
    """Whether the default model runs on the demo provider. One query."""
    rows = Deployment._base_manager.filter(model=workspace.default_model_id, enabled=True)
    provider = rows.order_by("priority", "id").values_list("connection__provider", flat=True).first()
    return provider == FAKE


def _is_default(model: LanguageModel) -> bool:
    return Workspace.objects.filter(pk=model.workspace_id, default_model=model).exists()
