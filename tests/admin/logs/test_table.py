"""The list of logs is drawn by our own code where unfold's is slow: it must come out the same."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from unfold.contrib.filters.forms import DropdownForm
from unfold.templatetags.unfold_list import results

from llm_admin.admin.log_columns import TITLES
from llm_admin.admin.quick_select import QuickForm
from llm_admin.choices import CallStatus, ErrorKind, Role
from llm_admin.models import Deployment, LanguageModel, LogReader
from tests import factories
from tests.log_rows import log, text

LIST = reverse("admin:llm_admin_interactionlog_changelist")


def squeezed(html):
    return re.sub(r"\s*([<>])\s*", r"\1", str(html))


def some_calls(where, person):
    prompt = factories.prompt(where, name='<b>"Tom" & Jerry</b>', versions=1)
    model = LanguageModel.objects.get(alias="demo")
    found = [
        log(where, prompt=prompt, prompt_version=prompt.versions.get(), model=model, user=person, cost_nano=None),
        log(where, status=CallStatus.FAILED, error_kind=ErrorKind.TIMEOUT, input_tokens=None, output_tokens=None),
        log(where, cached=True, deployment=Deployment.objects.first(), tried=[{"error_kind": "timeout"}]),
    ]
    for one in found:
        text(one, answer="a <i>parcel</i>")
    return found


@pytest.mark.parametrize("role", [Role.ADMIN, Role.VIEWER])
@pytest.mark.parametrize("query", ["view=0", "status=failed&view=0", "q=parcel&when=90d"])
def test_rows_are_those_of_unfold(scope, member, login, role, query):
    person = member(role)
    LogReader.objects.create(workspace=scope, user=person, columns=list(TITLES))
    some_calls(scope, person)
    response = login(person).get(f"{LIST}?{query}")
    cl = response.context["cl"]
    assert role == Role.VIEWER or len(cl.rows) == (1 if "status" in query else 3)
    assert [squeezed("".join(row)) for row in cl.rows] == [squeezed("".join(cells)) for cells in results(cl)]
    html = response.content.decode()
    assert all("".join(row) in html for row in cl.rows)
    assert "<b>" not in html.partition("result_list")[2]


@pytest.mark.parametrize("chosen", ["", "2", "no such one", None])
def test_a_select_is_that_of_unfold(chosen):
    choices = [["", "All"], ("1", "One & <b>two</b>"), (2, 'A "name"'), ("2", "The same value again"), ("", "Nothing")]
    given = {"label": "By model", "name": "model", "choices": choices, "data": {"model": chosen}}
    ours, theirs = (form(**given)["model"] for form in (QuickForm, DropdownForm))
    assert squeezed(ours) == squeezed(theirs)
    assert "Nothing" in str(ours), "its choices are still there the second time"


def test_a_column_of_places_takes_no_query_for_each_call(scope, member, login, django_assert_max_num_queries):
    person = member(Role.ADMIN)
    LogReader.objects.create(workspace=scope, user=person, columns=["when", "place", "version_name"])
    client, prompt = login(person), factories.prompt(scope, versions=1)
    for _ in range(10):
        log(scope, deployment=Deployment.objects.first(), prompt=prompt, prompt_version=prompt.versions.get())
    client.get(LIST)
    with django_assert_max_num_queries(20):
        html = client.get(LIST).content.decode()
    assert html.count(str(Deployment.objects.first())) >= 10
