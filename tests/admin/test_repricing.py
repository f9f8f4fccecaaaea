"""The page on which operators price past calls again."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from llm_admin.choices import Role
from llm_admin.models import Deployment, DeploymentPrice, InteractionLog, LanguageModel, Repricing
from llm_admin.services import catalogue, repricing
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.log_rows import log

SINCE = (timezone.now() - dt.timedelta(days=30)).date().isoformat()


@pytest.fixture
def operator(member, login):
    return login(member(Role.OPERATOR, "olga"))


@pytest.fixture
def place(scope):
    return Deployment.objects.get(model__alias="demo")


@pytest.fixture
def unpriced(scope, place):
    DeploymentPrice.objects.create(
        deployment=place,
        input_per_million=2,
        output_per_million=Decimal("0"),
        starts_at=timezone.now() - dt.timedelta(days=20),
    )
    return log(scope, deployment=place, cost_nano=None, input_tokens=1_000_000)


@pytest.fixture
def begun(monkeypatch):
    """Jobs that were handed to the background, which has no part in these tests."""
    launched = []
    monkeypatch.setattr(repricing, "launch", launched.append)
    return launched


def page(place, name="reprice"):
    return reverse(f"admin:llm_admin_languagemodel_{name}", args=[place.model_id])


def test_it_is_found_from_the_models_page(operator, place):
    html = operator.get(reverse("admin:llm_admin_languagemodel_change", args=[place.model_id])).content.decode()
    assert page(place) in html


def test_choose_look_begin_watch(operator, place, unpriced, begun):
    assert "Show what would change" in operator.get(page(place)).content.decode()
    html = operator.get(page(place), {"since": SINCE, "deployments": place.pk}).content.decode()
    assert "Price 1 call again" in html
    assert "<td>$0.00</td><td>$2.00</td>" in html
    assert "<td>1</td><td>0</td>" in html
    assert operator.post(page(place), {"since": SINCE, "deployments": place.pk}).url == page(place)
    (job,) = Repricing.objects.all()
    assert begun == [job.pk]
    assert job.owner.username == "olga"
    html = operator.get(page(place)).content.decode()
    assert 'hx-trigger="every 1s"' in html
    while repricing.step(job.pk):
        pass
    html = operator.get(page(place, "reprice_progress")).content.decode()
    assert "hx-trigger" not in html
    assert "1 of 1" in html
    assert "$0.00 → $2.00" in html
    unpriced.refresh_from_db()
    assert unpriced.cost_nano == 2 * 10**9


def test_nothing_to_do_is_said(operator, place, unpriced):
    InteractionLog.objects.update(cost_nano=2 * 10**9, price=DeploymentPrice.objects.get())
    html = operator.get(page(place), {"since": SINCE, "deployments": place.pk}).content.decode()
    assert "There is nothing to do." in html
    InteractionLog.objects.all().delete()
    html = operator.get(page(place), {"since": SINCE, "deployments": place.pk}).content.decode()
    assert "There are no calls since that day." in html


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"since": "soon"}, "valid date"),
        ({"since": "2099-01-01"}, "has not begun yet"),
        ({"since": "0001-01-01"}, "between the years 2000 and 2100"),
        ({"since": "2000-01-01"}, ""),
        ({"deployments": ""}, "Choose at least one place"),
        ({"deployments": "999999"}, "not one of the available choices"),
        ({"deployments": "9" * 30}, "not all among the available choices"),
        ({"deployments": "x"}, "not a valid value"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_bad_input_is_said_at_its_field(operator, place, begun, method, fields, words):
    data = {"since": SINCE, "deployments": place.pk} | fields
    response = getattr(operator, method)(page(place), {name: value for name, value in data.items() if value})
    assert response.status_code == (422 if words else {"get": 200, "post": 302}[method])
    assert words in response.content.decode()
    assert bool(begun) == (not words and method == "post")


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_day_is_asked_for(operator, place, begun, method):
    response = getattr(operator, method)(page(place), {"since": "", "deployments": place.pk})
    assert (response.status_code, begun) == (422, [])
    assert "Choose a day." in response.content.decode()


def test_one_at_a_time(operator, place, begun):
    given = {"since": SINCE, "deployments": place.pk}
    operator.post(page(place), given)
    response = operator.post(page(place), given)
    assert response.status_code == 422
    assert "being priced again already" in response.content.decode()
    assert len(begun) == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUTHOR])
def test_only_operators(member, login, place, begun, role):
    client = login(member(role))
    given = {"since": SINCE, "deployments": place.pk}
    assert client.get(page(place)).status_code == 403
    assert client.get(page(place), given).status_code == 403
    assert client.post(page(place), given).status_code == 403
    assert client.get(page(place, "reprice_progress")).status_code == 403
    html = client.get(reverse("admin:llm_admin_languagemodel_change", args=[place.model_id])).content.decode()
    assert page(place) not in html
    assert begun == []


def test_another_workspaces_model(operator, begun):
    with workspace_scope(factories.workspace()):
        theirs = Deployment.objects.get()
    given = {"since": SINCE, "deployments": theirs.pk}
    assert operator.get(page(theirs)).status_code == 404
    assert operator.post(page(theirs), given).status_code == 404
    assert operator.get(page(theirs, "reprice_progress")).status_code == 404
    ours = LanguageModel.objects.with_scopes_disabled().get(alias="demo", workspace__slug="default")
    url = reverse("admin:llm_admin_languagemodel_reprice", args=[ours.pk])
    assert operator.post(url, given).status_code == 422
    assert begun == []


def test_the_page_takes_equally_many_queries_for_few_and_many_calls(operator, place, unpriced):
    def queries():
        catalogue.forget()
        with CaptureQueriesContext(database) as found:
            operator.get(page(place), {"since": SINCE, "deployments": place.pk})
        return len(found)

    few = queries()
    for _ in range(50):
        log(place.model.workspace, deployment=place)
    assert queries() == few
