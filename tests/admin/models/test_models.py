"""Models and where they run: from the form to what the next call would use."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from llm_admin.choices import Role
from llm_admin.exceptions import Conflict, InvalidInput, NotFound, PermissionRefused
from llm_admin.models import Connection, Deployment, DeploymentPrice, LanguageModel
from llm_admin.services import actors, catalogue, models, prices, workspace_settings
from llm_admin.services.resolving import load_model
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.admin.models.pages import ADD, LIST, add_price, delete_price, form, page, price, row, used_by_a_log

# ---- the form


def test_a_new_model_can_be_called(operator, acme, workspace):
    response = operator.post(ADD, form(row(0, acme.pk, " acme-1 ")))
    assert response.status_code == 302
    plan = load_model(workspace.pk, "fast")
    assert [(d.provider, d.provider_model, d.connection) for d in plan.deployments] == [("openai", "acme-1", "Acme")]


def test_a_model_runs_somewhere(operator):
    response = operator.post(ADD, form(row(0, "", "")))
    assert response.status_code == 200
    assert not LanguageModel.objects.with_scopes_disabled().filter(alias="fast").exists()


@pytest.mark.parametrize(("alias", "words"), [("Fast!", "Small letters"), ("demo", "with this alias already")])
def test_a_bad_alias_is_said_at_its_field(operator, acme, alias, words):
    response = operator.post(ADD, form(row(0, acme.pk, "acme-1"), alias=alias))
    assert words in str(response.context["adminform"].form.errors["alias"])


def test_the_alias_stays(operator, fast, place, acme, system):
    data = form(row(0, acme.pk, "acme-1", pk=place.pk, model=fast.pk), initial=1, name="Faster", alias="faster")
    assert operator.post(page(fast), data).status_code == 302
    fast.refresh_from_db()
    assert (fast.name, fast.alias) == ("Faster", "fast")
    fast.alias = "faster"
    with pytest.raises(InvalidInput, match="Prompts and code know this model as “fast”"):
        models.save(fast, actor=system)


def test_saving_is_effective_at_once(operator, fast, place, acme, workspace, monkeypatch):
    monkeypatch.setattr(catalogue, "LIFETIME", 3600)
    key = ("model", workspace.pk, "fast")
    catalogue.cached(key, lambda: load_model(workspace.pk, "fast"))
    operator.post(page(fast), form(row(0, acme.pk, "acme-2", pk=place.pk, model=fast.pk), initial=1))
    plan = catalogue.cached(key, lambda: load_model(workspace.pk, "fast"))
    assert plan.deployments[0].provider_model == "acme-2"
    add_price(operator, place)
    plan = catalogue.cached(key, lambda: load_model(workspace.pk, "fast"))
    assert plan.deployments[0].price.input == Decimal("0.15")


def test_the_default_model_cannot_be_switched_off(operator, workspace):
    model = workspace.default_model
    with workspace_scope(workspace):
        one = model.deployments.get()
    data = form(
        row(0, one.connection_id, "demo", pk=one.pk, model=model.pk), initial=1, name="Demo model", enabled=None
    )
    response = operator.post(page(model), data)
    assert "default model" in str(response.context["adminform"].form.errors["enabled"])
    model.refresh_from_db()
    assert model.enabled


def test_connections_of_another_workspace_are_not_offered(operator, acme, system):
    other = factories.workspace()
    with workspace_scope(other):
        theirs = Connection.objects.get()
    html = operator.get(ADD).content.decode()
    assert f'<option value="{acme.pk}"' in html
    assert f'<option value="{theirs.pk}"' not in html
    response = operator.post(ADD, form(row(0, theirs.pk, "acme-1")))
    assert response.status_code == 200
    model = models.save(LanguageModel(alias="own", name="Own"), actor=system)
    with pytest.raises(NotFound):
        models.save_deployment(Deployment(model=model, connection=theirs, provider_model="x"), actor=system)


# ---- deleting


def test_what_logs_name_is_not_deleted(operator, fast, place, acme, workspace, system):
    used_by_a_log(workspace=workspace, model=fast, deployment=place)
    with pytest.raises(Conflict, match="Switch it off instead"):
        models.delete(fast, actor=system)
    with pytest.raises(Conflict, match="Switch it off instead"):
        models.delete_deployment(place, actor=system)
    rows = [
        row(0, acme.pk, "acme-1", pk=place.pk, model=fast.pk, delete=True),
        row(1, acme.pk, "acme-2", model=fast.pk),
    ]
    response = operator.post(page(fast), form(*rows, initial=1))
    assert "Switch it off instead" in response.content.decode()
    assert Deployment.objects.get(model=fast) == place


def test_an_unused_place_is_deleted(operator, fast, place, acme):
    rows = [
        row(0, acme.pk, "acme-1", pk=place.pk, model=fast.pk, delete=True),
        row(1, acme.pk, "acme-2", model=fast.pk),
    ]
    assert operator.post(page(fast), form(*rows, initial=1)).status_code == 302
    assert Deployment.objects.get(model=fast).provider_model == "acme-2"


def test_an_unused_model_is_deleted_and_the_default_one_is_not(operator, fast, workspace):
    for model, there in ((fast, False), (workspace.default_model, True)):
        operator.post(reverse("admin:llm_admin_languagemodel_delete", args=[model.pk]), {"post": "yes"})
        assert LanguageModel.objects.filter(pk=model.pk).exists() == there


# ---- list


def test_the_list(operator, fast, place, workspace):
    price(place, "0.15")
    off = LanguageModel.objects.create(workspace=workspace, alias="old", name="Old", enabled=False)
    html = operator.get(LIST).content.decode()
    for words in (
        "Fast",
        "acme-1",
        "on Acme",
        "$0.15 in, $2.00 out",
        "Default",
        "unknown",
        "Nowhere yet",
        off.name,
        "Off",
    ):
        assert words in html


def test_the_list_shows_the_first_place_that_is_on(operator, fast, place, acme):
    Deployment.objects.create(model=fast, connection=acme, provider_model="first-but-off", priority=0, enabled=False)
    Deployment.objects.create(model=fast, connection=acme, provider_model="second", priority=5)
    html = operator.get(LIST).content.decode()
    assert "acme-1" in html
    assert "first-but-off" not in html


def many(workspace, acme, count):
    for number in range(count):
        model = LanguageModel.objects.create(workspace=workspace, alias=f"m{number}", name=f"M{number}")
        price(Deployment.objects.create(model=model, connection=acme, provider_model=f"p{number}"))
        yield model


def queries(client, url):
    catalogue.forget()
    with CaptureQueriesContext(database) as found:
        assert client.get(url).status_code == 200
    return len(found)


@pytest.mark.slow  # rows by the hundred
def test_the_list_takes_equally_many_queries_at_3_and_300(operator, workspace, acme):
    made = many(workspace, acme, 300)
    next(made), next(made)
    few = queries(operator, LIST)
    assert len(list(made)) == 298
    assert queries(operator, LIST) == few


@pytest.mark.slow  # rows by the hundred
def test_the_page_takes_equally_many_queries_at_3_and_300_prices(operator, fast, place):
    def make(count, year):
        for day in range(count):
            price(place, starts_at=dt.datetime(year, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=day))

    make(3, 2020)
    few = queries(operator, page(fast))
    make(297, 2021)
    assert queries(operator, page(fast)) == few


# ---- who may


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUTHOR])
def test_everybody_sees_what_there_is_and_only_operators_change_it(member, login, fast, place, acme, role):
    client, one = login(member(role)), price(place)
    assert "Fast" in client.get(LIST).content.decode()
    html = client.get(page(fast)).content.decode()
    assert "acme-1" in html
    assert "$1.00 in, $2.00 out" in html
    assert "Add price" not in html
    assert 'name="_save"' not in html
    assert client.get(ADD).status_code == 403
    assert client.post(page(fast), form(name="Mine")).status_code == 403
    assert add_price(client, place).status_code == 403
    assert add_price(client, place, input_per_million="abc").status_code == 403
    assert delete_price(client, one).status_code == 403
    assert DeploymentPrice.objects.get() == one


def test_services_refuse_an_author(fast, place, member, workspace):
    actor = actors.Actor(workspace, member(Role.AUTHOR), Role.AUTHOR)
    amounts = {"input_per_million": Decimal(1), "output_per_million": Decimal(1)}
    for act in (
        lambda: models.save(fast, actor=actor),
        lambda: models.delete(fast, actor=actor),
        lambda: models.save_deployment(place, actor=actor),
        lambda: models.delete_deployment(place, actor=actor),
        lambda: prices.add(place, actor=actor, **amounts),
        lambda: prices.delete(price(place), actor=actor),
    ):
        with pytest.raises(PermissionRefused):
            act()


def test_another_workspaces_prices(operator, system, workspace):
    other = factories.workspace()
    with workspace_scope(other):
        theirs = price(Deployment.objects.get())
    assert add_price(operator, theirs.deployment).status_code == 404
    assert delete_price(operator, theirs).status_code == 404
    with pytest.raises(NotFound):
        prices.delete(theirs, actor=system)
    with pytest.raises(NotFound):
        prices.add(theirs.deployment, actor=system, input_per_million=Decimal(1), output_per_million=Decimal(1))
    with workspace_scope(other):
        assert DeploymentPrice.objects.get() == theirs


def test_the_default_model_is_changed_in_the_settings(operator, fast, system, workspace):
    workspace_settings.change(workspace, actor=system, default_model=fast)
    html = operator.get(page(fast)).content.decode()
    assert "Demo model: these answers" not in html
