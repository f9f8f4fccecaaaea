"""Connection, model, deployment and price in one go, as `manage.py connect` does it: idempotent by name and alias."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from llm_admin.choices import PriceSource
from llm_admin.exceptions import Conflict, InvalidInput, Problem
from llm_admin.models import Connection, Deployment, LanguageModel
from llm_admin.services import connections, models, prices, workspace_settings
from llm_admin.services.actors import Actor
from llm_admin.tenancy import workspace_scope


@dataclass(frozen=True)
class Wanted:
    """`base_url` and `api_key_env` None: leave what is there. Prices in US dollars per million tokens."""

    provider: str
    name: str
    model: str
    alias: str
    base_url: str | None = None
    api_key_env: str | None = None
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    default: bool = False


@dataclass(frozen=True)
class Done:
    """`sentences` about what was made or changed: none the second time."""

    sentences: list[str]
    warning: str


def connect(wanted: Wanted, *, actor: Actor) -> Done:
    """All or nothing; raises ConsoleErrors."""
    if (wanted.input_price is None) != (wanted.output_price is None):
        raise InvalidInput([Problem(("price",), "Give both prices or none: --input-price and --output-price.")])
    with transaction.atomic(), workspace_scope(actor.workspace):
        connection, done = _connection(wanted, actor)
        model, said = _model(wanted, actor)
        done += said
        deployment, said = _deployment(wanted, actor, model, connection)
        done += said + _price(wanted, actor, deployment)
        if wanted.default and actor.workspace.default_model_id != model.pk:
            workspace_settings.change(actor.workspace, actor=actor, default_model=model)
            done.append(f"“{model.alias}” is the default model now.")
    return Done(done, connections.missing_variable(connection))


def _connection(wanted: Wanted, actor: Actor) -> tuple[Connection, list[str]]:
    found = Connection.objects.filter(name=wanted.name).first()
    connection = found or Connection(name=wanted.name)
    before = _values(connection)
    connection.provider = wanted.provider
    if wanted.base_url is not None:
        connection.base_url = wanted.base_url.strip().rstrip("/")
    if wanted.api_key_env is not None:
        connection.api_key_env = wanted.api_key_env
    if found and before == _values(connection):
        return connection, []
    connections.save(connection, actor=actor)
    return connection, [f"Connection “{connection}” {'updated' if found else 'created'}."]


def _values(connection: Connection) -> tuple[str, str, str]:
    return connection.provider, connection.base_url, connection.api_key_env


def _model(wanted: Wanted, actor: Actor) -> tuple[LanguageModel, list[str]]:
    found = LanguageModel.objects.filter(alias=wanted.alias).first()
    if found and found.enabled:
        return found, []
    model = found or LanguageModel(alias=wanted.alias, name=wanted.alias)
    model.enabled = True
    models.save(model, actor=actor)
    return model, [f"Model “{model.alias}” {'switched on' if found else 'created'}."]


def _deployment(
    wanted: Wanted, actor: Actor, model: LanguageModel, connection: Connection
) -> tuple[Deployment, list[str]]:
    deployments = list(Deployment.objects.filter(model=model).select_related("connection"))
    found = next((one for one in deployments if one.connection_id == connection.pk), None)
    if found is None and deployments:
        raise Conflict(
            f"The model “{model.alias}” runs on “{deployments[0].connection}” already. "
            "Choose another alias, or add a place where it runs on the model's page."
        )
    if found and found.provider_model == wanted.model and found.enabled:
        return found, []
    deployment = found or Deployment(model=model, connection=connection)
    deployment.provider_model, deployment.enabled = wanted.model, True
    models.save_deployment(deployment, actor=actor)
    return deployment, [f"“{model.alias}” {'now runs' if found else 'runs'} as {wanted.model} on “{connection}”."]


def _price(wanted: Wanted, actor: Actor, deployment: Deployment) -> list[str]:
    if wanted.input_price is None or wanted.output_price is None:
        return []
    now = prices.current(deployment)
    if now and now.source == PriceSource.PUBLISHED:
        now = None  # one's own stays when the provider changes its list
    same = now and (now.input_per_million, now.output_per_million) == (wanted.input_price, wanted.output_price)
    if same:
        return []
    price = prices.add(
        deployment, actor=actor, input_per_million=wanted.input_price, output_per_million=wanted.output_price
    )
    return [f"Price from now on: {prices.text(price)} per million tokens."]
