"""Each filter of the list of logs: for people who see everybody's calls, for others, and beside other workspaces."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from llm_admin.choices import Role
from llm_admin.models import Deployment, InteractionFeedback, InteractionLog, LanguageModel, Membership
from llm_admin.selectors import log_minutes
from llm_admin.services import labels
from llm_admin.services import log_minutes as keeping
from tests import factories
from tests.log_rows import log, minutes_ago, text, unsaved

LIST = reverse("admin:llm_admin_interactionlog_changelist")


@pytest.fixture
def operator(member, login):
    return login(member(Role.OPERATOR))


def listed(client, **query):
    response = client.get(LIST, query)
    assert response.status_code == 200, response.headers.get("Location")
    return {row.pk for row in response.context["cl"].result_list}


RUN = uuid.UUID("01900000-0000-7000-8000-000000000001")
CASES = [
    ({"version": "7"}, {"prompt_version_id": 7}, {"prompt_version_id": 8}),
    ({"deployment": "7"}, {"deployment_id": 7}, {"deployment_id": None}),
    ({"cached": "yes"}, {"cached": True}, {"cached": False}),
    ({"cached": "no"}, {"cached": False}, {"cached": True}),
    ({"run": str(RUN)}, {"run_id": RUN}, {"run_id": None}),
    ({"latency_from": "1.5"}, {"latency_ms": 1_500}, {"latency_ms": 1_499}),
    ({"latency_to": "1,5"}, {"latency_ms": 1_500}, {"latency_ms": 1_501}),
    ({"cost_from": "0.002"}, {"cost_nano": 2_000_000}, {"cost_nano": None}),
    ({"cost_from": "0", "cost_to": "0.002"}, {"cost_nano": 2_000_000}, {"cost_nano": 2_000_001}),
    ({"tokens_from": "150"}, {"input_tokens": 100, "output_tokens": 50}, {"input_tokens": 99, "output_tokens": 50}),
    ({"tokens_to": "150"}, {"input_tokens": 0, "output_tokens": 150}, {"input_tokens": 100, "output_tokens": None}),
    ({"status": "unfinished"}, {"status": "interrupted"}, {"status": "failed"}),
    ({"error": "timeout"}, {"error_kind": "timeout"}, {"error_kind": ""}),
    ({"source": "batch"}, {"source": "batch"}, {"source": "code"}),
    ({"model": "3"}, {"model_id": 3}, {"model_id": 4}),
    ({"prompt": "3"}, {"prompt_id": 3}, {"prompt_id": None}),
    ({"workflow": "3"}, {"workflow_id": 3}, {"workflow_id": 4}),
    ({"cost": "unknown"}, {"cost_nano": None}, {"cost_nano": 0}),
    ({"when": "1h"}, {"at": minutes_ago(5)}, {"at": minutes_ago(65)}),
]


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize(("query", "right", "wrong"), CASES, ids=[str(query) for query, _, _ in CASES])
def test_a_filter_shows_ones_own_calls_of_this_workspace(
    member, login, scope, monkeypatch, indexed, query, right, wrong
):
    author, operator, elsewhere = member(Role.AUTHOR), member(Role.OPERATOR), factories.workspace()
    mine, others = log(scope, user=author, **right), log(scope, **right)
    log(elsewhere, user=author, **right)
    log(scope, user=author, **wrong)
    if indexed:
        monkeypatch.setattr(log_minutes, "SMALL", 0)
        monkeypatch.setattr(log_minutes, "LATE", 0)
        keeping.index_some()
    assert listed(login(author), **query) == {mine.pk}
    assert listed(login(operator), **query) == {mine.pk, others.pk}


def test_a_label_means_the_versions_that_have_it_now(operator, scope, system):
    prompt, other = factories.prompt(scope, versions=2), factories.prompt(scope)
    one, two = prompt.versions.order_by("number")
    old, new = log(scope, prompt=prompt, prompt_version=one), log(scope, prompt=prompt, prompt_version=two)
    live = other.versions.get()
    elsewhere = log(scope, prompt=other, prompt_version=live)
    labels.move(prompt, actor=system, label="staging", number=2, reason="")
    assert listed(operator, label="staging") == {new.pk}
    assert listed(operator, label="staging", version=one.pk) == set()
    assert listed(operator, label="production", prompt=prompt.pk) == {old.pk}
    assert listed(operator, label="production") == {old.pk, elsewhere.pk}
    assert listed(operator, label="nowhere") == set()


def test_a_connection_means_what_runs_there(operator, scope):
    here = Deployment.objects.get(model__alias="demo")
    right = log(scope, deployment=here)
    log(scope, deployment_id=here.pk + 1)
    assert listed(operator, connection=here.connection_id) == {right.pk}
    assert listed(operator, connection=999) == set()


def test_feedback(operator, scope):
    good, bad, neither = log(scope), log(scope), log(scope)
    for row, value in ((good, "up"), (bad, "down")):
        InteractionFeedback.objects.create(workspace=scope, log_id=row.pk, value=value, answered_at=row.created_at)
    InteractionFeedback._base_manager.create(
        workspace=factories.workspace(), log_id=neither.pk, value="up", answered_at=neither.created_at
    )
    assert listed(operator, feedback="up") == {good.pk}
    assert listed(operator, feedback="down") == {bad.pk}
    assert listed(operator, feedback="none") == {neither.pk}


def test_costs_are_given_in_the_workspaces_currency(operator, scope):
    scope.currency, scope.currency_rate = "EUR", "0.5"
    scope.save()
    right = log(scope, cost_nano=4 * 10**9)
    log(scope, cost_nano=10**9)
    assert listed(operator, cost_from="2", cost_to="2") == {right.pk}
    assert "By cost, in €" in operator.get(LIST).content.decode()


@pytest.mark.parametrize(
    "query",
    [
        {"latency_from": "fast"}, {"latency_from": "-1"}, {"cost_to": "1e99"}, {"tokens_from": "NaN"}, {"run": "x"},
        {"version": "1" * 40}, {"user": "²"}, {"since": "9999-99-99"}, {"until": "0001-01-01T00:00+23:59"},
        {"before": "x"}, {"before": "2026-01-01T00:00~x"}, {"after": "~"}, {"status": "odd"}, {"cached": "1"},
        {"sort": "id"}, {"feedback": "fine"}, {"connection": "x"}, {"no_such_field": "1"},
    ],
)  # fmt: skip
def test_nonsense_leads_back_to_the_list(operator, scope, query):
    response = operator.get(LIST, query)
    assert (response.status_code, response.headers["Location"]) == (302, f"{LIST}?e=1")
    assert operator.get(f"{LIST}?e=1").status_code == 200


@pytest.mark.parametrize(
    "text_", ['"', "-", "*", "a AND (", "\\", "😀", "x" * 3_000, "'; --", "w:1", "{}", "𝔞", "\u202e"]
)
def test_no_search_is_an_error(operator, scope, text_):
    row = log(scope)
    text(row, answer="plain words")
    assert operator.get(LIST, {"q": text_}).status_code == 200


def test_a_search_shows_the_place_with_the_words_marked(operator, scope):
    row, other = log(scope), log(scope)
    text(row, answer="Before it <b>the Parcel</b> came & went.")
    text(other, answer="nothing")
    html = operator.get(LIST, {"q": "parcel went"}).content.decode()
    assert "&lt;b&gt;the <mark>Parcel</mark>&lt;/b&gt; came &amp; <mark>went</mark>." in html
    assert listed(operator, q="parcel") == {row.pk}
    assert listed(operator, q="parcel", status="failed") == set()


def test_a_search_finds_only_what_one_may_see(member, login, scope):
    author = member(Role.AUTHOR)
    mine, theirs = log(scope, user=author), log(scope)
    for row in (mine, theirs):
        text(row, answer="planted")
    assert listed(login(author), q="planted") == {mine.pk}
    assert listed(login(member(Role.OPERATOR)), q="planted") == {mine.pk, theirs.pk}


class TestPages:
    def test_lead_back_and_forth_without_a_count(self, operator, scope, django_assert_max_num_queries):
        rows = InteractionLog.objects.bulk_create([unsaved(scope, at=minutes_ago(n + 1)) for n in range(125)])
        with django_assert_max_num_queries(22) as queries:
            first = operator.get(LIST).context["cl"]
        assert not [
            one for one in queries.captured_queries if "COUNT(" in one["sql"] and "interactionlog" in one["sql"]
        ]
        assert ({row.pk for row in first.result_list}, first.first, first.last) == (
            {row.pk for row in rows[:50]},
            1,
            50,
        )
        assert set(first.links) == {"older"}
        second = operator.get(LIST + first.links["older"]).context["cl"]
        assert ([row.pk for row in second.result_list], second.first) == ([row.pk for row in rows[50:100]], 51)
        assert set(second.links) == {"older", "newer", "newest"}
        third = operator.get(LIST + second.links["older"])
        assert "101–125 of 125" in third.content.decode()
        assert set(third.context["cl"].links) == {"newer", "newest"}
        back = operator.get(LIST + third.context["cl"].links["newer"]).context["cl"]
        assert [row.pk for row in back.result_list] == [row.pk for row in second.result_list]
        assert back.links["newest"] == "?view=0"
        begin = operator.get(LIST + back.links["newer"]).context["cl"]
        assert [row.pk for row in begin.result_list] == [row.pk for row in first.result_list]
        assert set(begin.links) == {"older"}

    def test_keep_the_filters_and_the_order(self, operator, scope):
        rows = InteractionLog.objects.bulk_create(
            [unsaved(scope, latency_ms=n, status="failed" if n % 2 else "succeeded") for n in range(150)]
        )
        slow = operator.get(LIST, {"sort": "latency", "status": "failed"}).context["cl"]
        assert [row.latency_ms for row in slow.result_list] == list(range(149, 50, -2))
        more = operator.get(LIST + slow.links["older"]).context["cl"]
        assert [row.latency_ms for row in more.result_list] == list(range(49, 0, -2))
        assert len(rows) == 150

    def test_other_parts_of_the_address_do_not_confuse_them(self, operator, scope):
        log(scope)
        for query in ({"p": "7"}, {"from": "x"}, {"skip": "-1", "sort": "cost"}, {"o": "-4"}, {"from": "9" * 30}):
            assert operator.get(LIST, query).status_code == 200, query


def test_names_of_other_workspaces_are_not_offered(member, login, scope):
    other = factories.workspace()
    factories.prompt(other, name="Elsewhere's prompt")
    LanguageModel.objects.with_scopes_disabled().filter(workspace=other).update(name="Elsewhere's model")
    Membership.objects.with_scopes_disabled().create(workspace=other, user=factories.user("elsewheres"), role="author")
    html = login(member(Role.OPERATOR)).get(LIST, {"prompt": 1, "connection": 1}).content.decode()
    assert "lsewhere" not in html
