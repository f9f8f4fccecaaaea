from __future__ import annotations

import datetime as dt
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from llm_admin.admin.dashboard_cards import delta
from llm_admin.choices import Role
from llm_admin.models import LanguageModel
from llm_admin.selectors import periods
from llm_admin.selectors.usage import Totals
from tests import factories
from tests.admin.dashboard.pages import DAY, NUMBERS, about, cards, charts, listed, milliseconds, some_calls
from tests.log_rows import log, minutes_ago

THEN = "the 7 days before"


class TestNumbers:
    def test_cards(self, operator, scope):
        some_calls(scope)
        found = cards(operator.get(NUMBERS, {"range": "7d"}))
        times = {title: milliseconds(found.pop(title).value) for title in ("Typical time of a call", "Slow calls")}
        assert {title: card.value for title, card in found.items()} == {
            "Cost": "$0.004",
            "Calls": "6",
            "Errors": "2",
        }
        assert times == {"Typical time of a call": about(500), "Slow calls": about(60_000)}
        assert found["Cost"].notes[0][0] == "Not counted: 3 calls of unknown cost"
        assert [text for text, _ in found["Errors"].notes] == [
            "33.3% of the calls",
            "1 more was stopped or interrupted",
        ]

    @pytest.mark.parametrize(("key", "calls"), [("24h", "4"), ("7d", "6"), ("30d", "7"), ("", "6"), ("nonsense", "6")])
    def test_ranges(self, operator, scope, key, calls):
        some_calls(scope)
        assert cards(operator.get(NUMBERS, {"range": key}))["Calls"].value == calls

    def test_against_the_period_before(self, operator, scope):
        some_calls(scope)
        found = {title: card.delta for title, card in cards(operator.get(NUMBERS)).items()}
        assert found["Calls"].words == "500% more than in the 7 days before"
        assert found["Cost"].words == "About as in the 7 days before"
        assert found["Typical time of a call"].words.endswith("% faster than in the 7 days before")
        assert found["Typical time of a call"].tone == "better"
        assert (found["Errors"].words, found["Errors"].tone) == ("2 more than in the 7 days before", "worse")

    @pytest.mark.parametrize("key", list(periods.ROLLING))
    def test_each_number_leads_to_exactly_its_logs(self, operator, scope, key):
        some_calls(scope)
        page = operator.get(NUMBERS, {"range": key})
        found = cards(page)
        assert listed(operator, found["Calls"].url) == int(found["Calls"].value)
        assert listed(operator, found["Cost"].url) == int(found["Calls"].value)
        assert listed(operator, found["Errors"].url) == int(found["Errors"].value)
        assert listed(operator, found["Cost"].notes[0][1]) == 3
        assert listed(operator, found["Errors"].notes[1][1]) == 1

    def test_each_bar_leads_to_exactly_its_logs(self, operator, scope):
        some_calls(scope)
        found = charts(operator.get(NUMBERS, {"range": "7d"}))
        for key in ("calls", "errors"):
            for position, bar in enumerate(found[key].bars):
                assert listed(operator, bar.logs) == sum(line.values[position] for line in found[key].lines)
        assert [bar.logs for bar in found["latency"].bars] == [f"{bar.logs}&sort=latency" for bar in found["cost"].bars]

    def test_cost_is_stacked_by_model_the_dearest_first_and_few(self, operator, scope):
        for number in range(9):
            model = LanguageModel.objects.create(workspace=scope, alias=f"m{number}", name=f"Model {number}")
            log(scope, model=model, cost_nano=(number + 1) * 10**9)
        lines = charts(operator.get(NUMBERS))["cost"].lines
        assert [line.name for line in lines] == [f"Model {n}" for n in (8, 7, 6, 5, 4, 3)] + ["Other models"]
        assert [sum(line.values) for line in lines] == pytest.approx([9, 8, 7, 6, 5, 4, 6])

    def test_an_unknown_cost_is_not_drawn_as_nothing(self, operator, scope):
        log(scope, cost_nano=None)
        page = operator.get(NUMBERS)
        assert cards(page)["Cost"].value == "unknown"
        assert "The cost is unknown" in charts(page)["cost"].empty
        assert "no price was entered" in page.content.decode()

    def test_the_table_behind_a_chart_has_its_numbers(self, operator, scope):
        some_calls(scope)
        page = operator.get(NUMBERS)
        rows = charts(page)["latency"].rows
        assert [milliseconds(text) for text in rows[-1][1]] == [about(400), about(60_000)]
        assert f">{rows[-1][1][0]}</td>" in page.content.decode()
        assert "–" in rows[2][1], "a day without calls has no time, not 0 ms"

    def test_currency_of_the_workspace(self, operator, scope):
        scope.currency, scope.currency_rate = "EUR", Decimal("0.5")
        scope.save()
        log(scope, cost_nano=3_000_000_000)
        page = operator.get(NUMBERS)
        assert cards(page)["Cost"].value == "€1.50"
        assert charts(page)["cost"].unit == "€"
        assert sum(charts(page)["cost"].lines[0].values) == pytest.approx(1.5)
        assert "€1.50" in page.content.decode()

    def test_every_member_sees_the_teams_numbers(self, member, login, scope):
        log(scope, user=member(Role.AUTHOR))
        page = login(member(Role.VIEWER)).get(NUMBERS)
        assert cards(page)["Calls"].value == "1"
        assert "The lists behind them show your own" in page.content.decode()

    def test_numbers_of_other_workspaces_are_not_there(self, operator, scope):
        log(scope)
        elsewhere = factories.workspace()
        log(elsewhere, prompt=factories.prompt(elsewhere, name="Elsewhere's secret prompt"))
        page = operator.get(NUMBERS)
        assert cards(page)["Calls"].value == "1"
        assert "Elsewhere" not in page.content.decode()


class TestFragment:
    def test_has_the_numbers_of_one_prompt(self, operator, scope):
        prompt, other = factories.prompt(scope), factories.prompt(scope)
        log(scope, prompt=prompt)
        log(scope, prompt=other)
        page = operator.get(NUMBERS, {"of": "prompt", "prompt": prompt.pk, "range": "24h"})
        assert cards(page)["Calls"].value == "1"
        assert listed(operator, cards(page)["Calls"].url) == 1
        assert "<html" not in page.content.decode()

    def test_has_the_numbers_of_one_workflow(self, operator, scope):
        workflow = factories.workflow(scope)
        log(scope, workflow=workflow)
        log(scope)
        assert cards(operator.get(NUMBERS, {"of": "workflow", "workflow": workflow.pk}))["Calls"].value == "1"

    def test_its_switch_keeps_the_prompt(self, operator, scope):
        prompt = factories.prompt(scope)
        panel = operator.get(NUMBERS, {"of": "prompt", "prompt": prompt.pk}).context["panel"]
        assert [choice.key for choice in panel["switch"] if choice.current] == ["7d"]
        assert [parse_qs(urlsplit(choice.link.fragment).query) for choice in panel["switch"]] == [
            {"of": ["prompt"], "prompt": [str(prompt.pk)], "range": [key]} for key in periods.ROLLING
        ]
        assert panel["chips"] == []
        assert not any(choice.link.push for choice in panel["switch"]), "the studio keeps its own address"

    def test_without_calls_says_so(self, operator, scope):
        html = operator.get(NUMBERS, {"of": "prompt", "prompt": factories.prompt(scope).pk}).content.decode()
        assert "Nothing ran in this time" in html
        assert "<canvas" not in html

    @pytest.mark.parametrize(
        "query",
        [
            {"of": "prompt", "prompt": 999_999},
            {"of": "workflow", "workflow": 999_999},
            {"of": "user", "user": 999_999},
            {"prompt": "x"},
            {"model": "9" * 30},
            {"source": "nowhere"},
        ],
    )
    def test_unknown_ones_are_not_found(self, operator, scope, query):
        assert operator.get(NUMBERS, query).status_code == 404

    def test_a_prompt_of_somebody_elses_workspace_is_not_there(self, operator, scope):
        prompt = factories.prompt(factories.workspace(), name="Elsewhere")
        assert operator.get(NUMBERS, {"of": "prompt", "prompt": prompt.pk}).status_code == 404
        html = operator.get(NUMBERS, {"prompt": prompt.pk}).content.decode()
        assert "Deleted prompt" in html
        assert "Elsewhere" not in html

    def test_a_viewer_may_read_it(self, member, login, scope):
        log(scope)
        assert login(member(Role.VIEWER)).get(NUMBERS).status_code == 200

    def test_others_may_not(self, outsider, login, client):
        assert client.get(NUMBERS).status_code == 302
        assert login(outsider).get(NUMBERS).status_code == 403

    def test_changes_nothing_by_post(self, operator):
        assert operator.post(NUMBERS).status_code == 405


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
    assert delta(now, before, THEN, Totals(calls=9)).words == words


def test_a_difference_without_a_share_has_its_unit(operator, scope):
    log(scope, cost_nano=4_000_000)
    log(scope, cost_nano=0, at=minutes_ago(8 * DAY))
    assert cards(operator.get(NUMBERS))["Cost"].delta.words == "$0.004 more than in the 7 days before"


def test_nothing_before_is_said():
    assert delta(3, 0, "the 24 hours before", Totals()).words == "No calls in the 24 hours before"


def test_bars_that_are_parts_say_so(operator, scope):
    log(scope)

    def titles(**given):
        return [bar.title for bar in charts(operator.get(NUMBERS, given))["calls"].bars]

    days = titles(range="7d")
    assert len(days) == 7
    assert ", from " not in days[0]
    assert days[-1].endswith(", so far")
    begun = dt.datetime.now(dt.UTC).replace(hour=14, minute=0) - dt.timedelta(days=9)
    picked = titles(**{"from": f"{begun:%Y-%m-%dT%H:%MZ}", "to": f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%MZ}"})
    assert picked[0].endswith(", from 14:00")
