from __future__ import annotations

import datetime as dt
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from llm_admin.admin.dashboard_cards import delta
from llm_admin.choices import CallStatus, ErrorKind, Role
from llm_admin.models import Connection, InteractionLog, LanguageModel
from llm_admin.selectors.periods import PERIODS
from llm_admin.selectors.usage import Totals
from tests import factories
from tests.log_rows import log, minutes_ago, run, unsaved

HOME = reverse("admin:index")
DAY = 24 * 60


@pytest.fixture
def operator(member, login):
    return login(member(Role.OPERATOR))


def cards(response):
    return {card.title: card for card in response.context["panel"]["cards"]}


def charts(response):
    return {chart.key: chart for chart in response.context["panel"]["charts"]}


def listed(client, url):
    """How many logs the list behind a link has."""
    response = client.get(url)
    assert response.status_code == 200, url
    return response.context["cl"].result_count


def some_calls(scope):
    """Of the last day: 4 calls; of the week: 6; and one of eight days ago."""
    log(scope, cost_nano=2_000_000, latency_ms=400)
    log(scope, cost_nano=None, latency_ms=900)
    log(scope, status=CallStatus.FAILED, error_kind=ErrorKind.TIMEOUT, cost_nano=None, latency_ms=60_000)
    log(scope, status=CallStatus.CANCELLED, error_kind=ErrorKind.CANCELLED, cost_nano=None, latency_ms=50)
    log(scope, at=minutes_ago(3 * DAY), cost_nano=1_000_000, latency_ms=500)
    log(scope, at=minutes_ago(3 * DAY), status=CallStatus.FAILED, error_kind=ErrorKind.TIMEOUT, latency_ms=600)
    log(scope, at=minutes_ago(8 * DAY), cost_nano=4_000_000, latency_ms=2_000)


class TestEmptyConsole:
    def test_shows_three_steps_instead_of_zeros(self, operator, scope):
        factories.prompt(scope)
        page = operator.get(HOME)
        assert [step.title for step in page.context["steps"]] == [
            "Try a prompt",
            "Connect a model",
            "Run a workflow",
        ]
        assert "panel" not in page.context
        for step in page.context["steps"]:
            assert operator.get(step.url).status_code == 200

    def test_offers_nobody_what_they_may_not_do(self, member, login, scope):
        steps = login(member(Role.VIEWER)).get(HOME).context["steps"]
        assert [step.action for step in steps] == ["", "", ""]
        assert "Ask an author" in steps[0].text
        assert "An operator" in steps[1].text

    def test_without_prompts_the_first_step_is_their_import(self, member, login, scope):
        step = login(member(Role.AUTHOR)).get(HOME).context["steps"][0]
        assert step.url == reverse("admin:llm_admin_prompt_import")

    def test_a_connected_provider_is_a_step_done(self, operator, scope):
        Connection.objects.create(workspace=scope, name="OpenAI", provider="openai")
        page = operator.get(HOME)
        assert [step.done for step in page.context["steps"]] == [False, True, False]
        assert "(done)" in page.content.decode()

    def test_calls_of_another_workspace_leave_it_empty(self, operator, scope):
        log(factories.workspace())
        assert "steps" in operator.get(HOME).context


def test_somebody_without_a_workspace_reads_whom_to_ask(outsider, login):
    page = login(outsider).get(HOME)
    assert page.status_code == 200
    assert "Ask an admin to add you" in page.content.decode()


class TestNumbers:
    def test_cards(self, operator, scope):
        some_calls(scope)
        found = cards(operator.get(HOME, {"range": "7d"}))
        assert {title: card.value for title, card in found.items()} == {
            "Cost": "$0.004",
            "Calls": "6",
            "Typical time of a call": "500 ms",
            "Errors": "2",
        }
        assert found["Cost"].notes[0][0] == "Not counted: 3 calls of unknown cost"
        assert found["Typical time of a call"].notes[0][0] == "95% took at most 1 min 0 s"
        assert [text for text, _ in found["Errors"].notes] == [
            "33.3% of the calls",
            "1 more was stopped or interrupted",
        ]

    @pytest.mark.parametrize(("key", "calls"), [("24h", "4"), ("7d", "6"), ("30d", "7"), ("", "6"), ("nonsense", "6")])
    def test_ranges(self, operator, scope, key, calls):
        some_calls(scope)
        assert cards(operator.get(HOME, {"range": key}))["Calls"].value == calls

    def test_against_the_period_before(self, operator, scope):
        some_calls(scope)
        found = {title: card.delta for title, card in cards(operator.get(HOME)).items()}
        assert found["Calls"].words == "500% more than in the 7 days before"
        assert found["Cost"].words == "About as in the 7 days before"
        assert (found["Typical time of a call"].words, found["Typical time of a call"].tone) == (
            "75% faster than in the 7 days before",
            "better",
        )
        assert (found["Errors"].words, found["Errors"].tone) == ("2 more than in the 7 days before", "worse")

    @pytest.mark.parametrize("key", list(PERIODS))
    def test_each_number_leads_to_exactly_its_logs(self, operator, scope, key):
        some_calls(scope)
        page = operator.get(HOME, {"range": key})
        found = cards(page)
        assert listed(operator, found["Calls"].url) == int(found["Calls"].value)
        assert listed(operator, found["Cost"].url) == int(found["Calls"].value)
        assert listed(operator, found["Errors"].url) == int(found["Errors"].value)
        assert listed(operator, found["Cost"].notes[0][1]) == {"24h": 3, "7d": 3, "30d": 3}[key]
        assert listed(operator, found["Errors"].notes[1][1]) == 1

    def test_each_bar_leads_to_exactly_its_logs(self, operator, scope):
        some_calls(scope)
        found = charts(operator.get(HOME, {"range": "7d"}))
        assert found["cost"].urls == found["calls"].urls
        assert found["latency"].urls == [f"{url}&o=-4" for url in found["calls"].urls]
        for position, url in enumerate(found["calls"].urls):
            assert listed(operator, url) == sum(line.values[position] for line in found["calls"].lines)
        for position, url in enumerate(found["errors"].urls):
            assert listed(operator, url) == sum(line.values[position] for line in found["errors"].lines)

    def test_cost_is_stacked_by_model_the_dearest_first_and_few(self, operator, scope):
        for number in range(9):
            model = LanguageModel.objects.create(workspace=scope, alias=f"m{number}", name=f"Model {number}")
            log(scope, model=model, cost_nano=(number + 1) * 10**9)
        lines = charts(operator.get(HOME))["cost"].lines
        assert [line.name for line in lines] == [f"Model {n}" for n in (8, 7, 6, 5, 4, 3)] + ["Other models"]
        assert [sum(line.values) for line in lines] == pytest.approx([9, 8, 7, 6, 5, 4, 6])

    def test_an_unknown_cost_is_not_drawn_as_nothing(self, operator, scope):
        log(scope, cost_nano=None)
        page = operator.get(HOME)
        assert cards(page)["Cost"].value == "unknown"
        assert "The cost is unknown" in charts(page)["cost"].empty
        assert "no price was entered" in page.content.decode()

    def test_the_table_behind_a_chart_has_its_numbers(self, operator, scope):
        some_calls(scope)
        page = operator.get(HOME)
        rows = charts(page)["latency"].rows
        assert rows[-1][2] == ["400 ms", "1 min 0 s"]
        assert ">400 ms</td>" in page.content.decode()
        assert "–" in rows[2][2], "a day without calls has no time, not 0 ms"

    def test_currency_of_the_workspace(self, operator, scope):
        scope.currency, scope.currency_rate = "EUR", Decimal("0.5")
        scope.save()
        log(scope, cost_nano=3_000_000_000)
        page = operator.get(HOME)
        assert cards(page)["Cost"].value == "€1.50"
        assert charts(page)["cost"].unit == "€"
        assert sum(charts(page)["cost"].lines[0].values) == pytest.approx(1.5)
        assert "€1.50" in page.content.decode()

    def test_every_member_sees_the_teams_numbers(self, member, login, scope):
        log(scope, user=member(Role.AUTHOR))
        page = login(member(Role.VIEWER)).get(HOME)
        assert cards(page)["Calls"].value == "1"
        assert "The lists behind them show your own" in page.content.decode()

    def test_numbers_of_other_workspaces_are_not_there(self, operator, scope):
        log(scope)
        elsewhere = factories.workspace()
        log(elsewhere, prompt=factories.prompt(elsewhere, name="Elsewhere's secret prompt"))
        page = operator.get(HOME)
        assert cards(page)["Calls"].value == "1"
        assert "Elsewhere" not in page.content.decode()


class TestLists:
    def test_top_prompts_of_the_week_lead_to_the_prompt_and_its_logs(self, operator, scope):
        prompt = factories.prompt(scope, name="R&D <b>summary</b>")
        log(scope, prompt=prompt, cost_nano=10**9)
        log(scope, prompt=prompt, status=CallStatus.FAILED, cost_nano=None)
        log(scope, prompt=prompt, at=minutes_ago(9 * DAY))
        page = operator.get(HOME)
        row = page.context["tops"][0]["rows"][0]
        assert row["page"] == reverse("admin:llm_admin_prompt_change", args=[prompt.pk])
        assert listed(operator, row["logs"]) == row["top"].calls == 2
        assert listed(operator, row["failed"]) == row["top"].errors == 1
        html = page.content.decode()
        assert "R&amp;D &lt;b&gt;summary&lt;/b&gt;" in html
        assert "+ 1 unknown" in html

    def test_a_deleted_prompt_still_counts(self, operator, scope):
        log(scope, prompt_id=999_999)
        html = operator.get(HOME).content.decode()
        assert "Deleted prompt" in html

    def test_recent_runs_are_ones_own_unless_one_may_see_all(self, member, login, scope):
        log(scope)
        author, other = member(Role.AUTHOR), member(Role.AUTHOR)
        run(scope, title="Mine v1", owner=author)
        run(scope, title="Theirs v1", owner=other)
        html = login(author).get(HOME).content.decode()
        assert "Mine v1" in html
        assert "Theirs v1" not in html
        html = login(member(Role.OPERATOR)).get(HOME).content.decode()
        assert "Mine v1" in html
        assert "Theirs v1" in html


class TestFragment:
    url = reverse("admin:llm_admin_numbers")

    def test_has_the_numbers_of_one_prompt(self, operator, scope):
        prompt, other = factories.prompt(scope), factories.prompt(scope)
        log(scope, prompt=prompt)
        log(scope, prompt=other)
        page = operator.get(self.url, {"prompt": prompt.pk, "range": "24h"})
        assert cards(page)["Calls"].value == "1"
        assert listed(operator, cards(page)["Calls"].url) == 1
        assert "<html" not in page.content.decode()

    def test_has_the_numbers_of_one_workflow(self, operator, scope):
        workflow = factories.workflow(scope)
        log(scope, workflow=workflow)
        log(scope)
        assert cards(operator.get(self.url, {"workflow": workflow.pk}))["Calls"].value == "1"

    def test_its_switch_keeps_the_prompt(self, operator, scope):
        prompt = factories.prompt(scope)
        switch = operator.get(self.url, {"prompt": prompt.pk}).context["panel"]["switch"]
        assert [choice["key"] for choice in switch if choice["current"]] == ["7d"]
        assert [parse_qs(urlsplit(choice["fragment"]).query) for choice in switch] == [
            {"prompt": [str(prompt.pk)], "range": [key]} for key in PERIODS
        ]

    def test_without_calls_says_so(self, operator, scope):
        html = operator.get(self.url, {"prompt": factories.prompt(scope).pk}).content.decode()
        assert "Nothing ran in this time" in html
        assert "<canvas" not in html

    @pytest.mark.parametrize("query", [{"prompt": 999_999}, {"prompt": "x"}, {"workflow": 999_999}])
    def test_unknown_ones_are_not_found(self, operator, scope, query):
        assert operator.get(self.url, query).status_code == 404

    def test_a_prompt_of_somebody_elses_workspace_is_not_found(self, operator, scope):
        prompt = factories.prompt(factories.workspace())
        assert operator.get(self.url, {"prompt": prompt.pk}).status_code == 404

    def test_a_viewer_may_read_it(self, member, login, scope):
        log(scope)
        assert login(member(Role.VIEWER)).get(self.url).status_code == 200

    def test_others_may_not(self, outsider, login, client):
        assert client.get(self.url).status_code == 302
        assert login(outsider).get(self.url).status_code == 403

    def test_changes_nothing_by_post(self, operator):
        assert operator.post(self.url).status_code == 405


@pytest.mark.parametrize("path", [HOME, reverse("admin:llm_admin_numbers")])
def test_queries_do_not_grow(operator, scope, django_assert_max_num_queries, path):
    counts = []
    for count in (3, 297):
        made = [factories.prompt(scope) for _ in range(count // 3)]
        rows = [unsaved(scope, prompt=made[n // 3], at=minutes_ago(n), status="failed") for n in range(count)]
        InteractionLog.objects.bulk_create(rows)
        for number in range(min(count, 6)):
            run(scope, title=f"Run {number}", owner=None)
        with django_assert_max_num_queries(40) as queries:
            assert operator.get(path).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        (112, 100, "12% more than in the 7 days before"),
        (88, 100, "12% less than in the 7 days before"),
        (1400, 100, "13 times more than in the 7 days before"),
        (0, 100, "100 less than in the 7 days before"),
        (3, 0, "3 more than in the 7 days before"),
        (1004, 1000, "About as in the 7 days before"),
        (0, 0, "About as in the 7 days before"),
        (None, 5, "Not comparable with the 7 days before"),
    ],
)
def test_changes_in_words(now, before, words):
    assert delta(now, before, PERIODS["7d"], Totals(calls=9)).words == words


def test_a_difference_without_a_share_has_its_unit(operator, scope):
    log(scope, cost_nano=4_000_000)
    log(scope, cost_nano=0, at=minutes_ago(8 * DAY))
    assert cards(operator.get(HOME))["Cost"].delta.words == "$0.004 more than in the 7 days before"


def test_nothing_before_is_said():
    assert delta(3, 0, PERIODS["24h"], Totals()).words == "No calls in the 24 hours before"


def test_the_first_and_last_bar_say_that_they_are_parts(operator, scope):
    log(scope)
    titles = charts(operator.get(HOME, {"range": "7d"}))["calls"].titles
    assert ", from " in titles[0] or dt.datetime.now(dt.UTC).strftime("%H:%M") == "00:00"
    assert titles[-1].endswith(", so far")
