"""Filters by click, ranges by click, tables, files, and panels about one object."""

from __future__ import annotations

import csv
import io

import pytest
from django.urls import reverse

from llm_admin.choices import ErrorKind, Role, RunSource
from llm_admin.models import Connection, Deployment, InteractionLog, LanguageModel, Membership
from llm_admin.services import documents
from tests import factories
from tests.admin.dashboard.pages import CSV, HOME, NUMBERS, about, at, cards, charts, chips, listed, row, tables
from tests.log_rows import log, minutes_ago, unsaved

LOGS = reverse("admin:llm_admin_interactionlog_changelist")
TUESDAY = {"from": "2026-03-03", "to": "2026-03-03"}


@pytest.fixture
def some(scope, member):
    """Two prompts, two models, a failure, and a call of a program: 6 calls in all."""
    red, blue = factories.prompt(scope, name="Red"), factories.prompt(scope, name="Blue")
    fast, slow = (LanguageModel.objects.create(workspace=scope, alias=name, name=name) for name in ("fast", "slow"))
    ada = member(Role.AUTHOR, "ada")
    log(scope, prompt=red, model=fast, user=ada, cost_nano=4 * 10**9, latency_ms=100)
    log(scope, prompt=red, model=slow, user=ada, cost_nano=2 * 10**9, latency_ms=9_000)
    log(scope, prompt=red, model=slow, status="failed", error_kind=ErrorKind.TIMEOUT, cost_nano=None, latency_ms=60_000)
    log(scope, prompt=blue, model=fast, cost_nano=10**9, latency_ms=300)
    log(scope, model=fast, cost_nano=10**9, source=RunSource.CODE, latency_ms=200)
    log(scope, prompt=blue, model=fast, status="failed", error_kind=ErrorKind.RATE_LIMIT, cost_nano=None)
    return {"red": red, "blue": blue, "fast": fast, "slow": slow, "ada": ada}


class TestCrossFiltering:
    def test_a_row_narrows_everything_and_its_chip_takes_it_back(self, operator, scope, some):
        page = operator.get(NUMBERS, {"range": "24h"})
        red = row(page, "prompt", "Red")
        assert (red.calls, red.cost, red.errors, red.share) == ("3", "$6.00", "33.3%", "75%")
        page = operator.get(red.narrow.fragment)
        assert cards(page)["Calls"].value == "3"
        assert {name: chip.value for name, chip in chips(page).items()} == {"prompt": "Red"}
        assert "prompt" not in tables(page), "there is but one left"
        page = operator.get(row(page, "model", "slow").narrow.fragment)
        assert cards(page)["Calls"].value == "2"
        assert [line.name for line in charts(page)["cost"].lines] == ["slow"]
        page = operator.get(chips(page)["prompt"].without.fragment)
        assert (list(chips(page)), cards(page)["Calls"].value) == (["model"], "2")

    def test_legends_narrow_too(self, operator, scope, some):
        page = operator.get(NUMBERS, {"range": "24h"})
        links = {line.name: line.link for chart in charts(page).values() for line in chart.lines}
        assert cards(operator.get(links["slow"].fragment))["Calls"].value == "2"
        assert cards(operator.get(links["Took too long"].fragment))["Calls"].value == "1"
        assert cards(operator.get(links["Failed"].fragment))["Calls"].value == "2"
        assert links["Stopped or interrupted"] is None

    def test_links_to_logs_carry_the_filter(self, operator, scope, some):
        page = operator.get(NUMBERS, {"range": "24h", "prompt": some["red"].pk, "source": "studio"})
        assert listed(operator, cards(page)["Calls"].url) == 3
        assert listed(operator, cards(page)["Errors"].url) == 1
        assert listed(operator, row(page, "model", "slow").logs) == 2
        newest = charts(page)["errors"].bars[-2:]  # where an hour has only just begun, the calls lie in the one before
        assert sum(listed(operator, bar.logs) for bar in newest) == 1

    def test_every_address_works_as_a_page_and_can_be_shared(self, operator, scope, some):
        page = operator.get(NUMBERS, {"range": "24h"})
        shared = row(page, "prompt", "Red").narrow.page
        assert shared == f"{HOME}?range=24h&prompt={some['red'].pk}"
        assert row(page, "prompt", "Red").narrow.fragment in operator.get(shared).content.decode().replace("&amp;", "&")

    def test_a_filter_that_fits_nothing_says_what_to_do(self, operator, scope, some):
        html = operator.get(NUMBERS, {"prompt": factories.prompt(scope).pk}).content.decode()
        assert "No call fits these filters" in html

    def test_people_are_for_those_who_may_see_everyones_calls(self, operator, member, login, scope, some):
        assert row(operator.get(NUMBERS), "user", "ada").calls == "2"
        author = login(some["ada"])
        page = author.get(NUMBERS)
        assert cards(page)["Calls"].value == "6", "sums are the team's"
        assert "user" not in tables(page)
        assert author.get(NUMBERS, {"user": member(Role.VIEWER, "eve").pk}).status_code == 403
        assert author.get(CSV, {"csv": "user"}).status_code == 403
        assert cards(author.get(NUMBERS, {"user": some["ada"].pk}))["Calls"].value == "2"


class TestTables:
    def test_order_and_the_rest(self, operator, scope):
        for number in range(9):
            prompt = factories.prompt(scope, name=f"P{number}")
            log(scope, prompt=prompt, cost_nano=10**9 * (number + 1), latency_ms=1_000 * (9 - number))
        page = operator.get(NUMBERS)
        table = tables(page)["prompt"]
        assert [one.name for one in table.rows] == ["P8", "P7", "P6", "P5", "P4", "P3"]
        assert (table.others.name, table.others.calls, table.others.cost) == ("3 others", "3", "$6.00")
        slowest = next(head for head in table.heads if head.key == "p95")
        page = operator.get(slowest.link.fragment)
        assert [one.name for one in tables(page)["prompt"].rows][:2] == ["P0", "P1"]
        assert len(tables(operator.get(tables(page)["prompt"].toggle.fragment))["prompt"].rows) == 9

    def test_versions_within_a_prompt(self, operator, scope):
        prompt = factories.prompt(scope, name="Versioned")
        version = documents.version_of(prompt)
        log(scope, prompt=prompt, prompt_version=version, cost_nano=5)
        log(scope, prompt=prompt, cost_nano=4)
        page = operator.get(NUMBERS, {"prompt": prompt.pk})
        assert [one.name for one in tables(page)["version"].rows] == ["v1", "Text that was not saved"]
        assert cards(operator.get(row(page, "version", "v1").narrow.fragment))["Calls"].value == "1"

    def test_a_deleted_prompt_still_counts(self, operator, scope):
        log(scope, prompt_id=999_999)
        found = row(operator.get(NUMBERS), "prompt", "Deleted prompt")
        assert (found.calls, found.page) == ("1", "")


class TestRanges:
    def test_a_bar_leads_closer_and_there_is_a_way_back(self, operator, scope):
        log(scope, at=at("2026-03-03 14:20"), latency_ms=9_000)
        log(scope, at=at("2026-03-03 09:20"), latency_ms=100)
        log(scope, at=at("2026-03-05 09:20"), latency_ms=100)
        week = operator.get(NUMBERS, {"from": "2026-03-02", "to": "2026-03-08"})
        assert [bar.title for bar in charts(week)["calls"].bars][:2] == ["Mon 2 Mar", "Tue 3 Mar"]
        day = operator.get(charts(week)["calls"].bars[1].zoom.fragment)
        assert (day.context["panel"]["heading"], cards(day)["Calls"].value) == ("Tue 3 Mar 2026", "2")
        peak = charts(day)["latency"]
        assert peak.said.startswith("Highest p95: ")
        assert peak.said.endswith(" s, Tue 3 Mar, 14:00–15:00")
        hour = operator.get(peak.said_link.fragment)
        assert (hour.context["panel"]["heading"], cards(hour)["Calls"].value) == ("Tue 3 Mar 2026, 14:00 – 15:00", "1")
        assert [bar.label for bar in charts(hour)["calls"].bars] == ["14:00", "14:15", "14:30", "14:45"]
        assert charts(hour)["calls"].bars[0].zoom is None
        for expected in ("Tue 3 Mar 2026", "Mon 2 Mar 2026 – Sun 8 Mar 2026"):
            hour = operator.get(hour.context["panel"]["picker"]["wider"][1].fragment)
            assert hour.context["panel"]["heading"] == expected
        later = operator.get(hour.context["panel"]["picker"]["later"][1].fragment)
        assert later.context["panel"]["heading"] == "Mon 9 Mar 2026 – Sun 15 Mar 2026"

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ({"from": "2026-03-04", "to": "2026-03-03"}, "The first day is after the last one."),
            ({"from": "2999-01-01", "to": "2999-01-02"}, "still to come"),
            ({"from": "1999-01-01", "to": "2026-01-02"}, "too long"),
            ({"from": "soon", "to": "later"}, "is no time"),
            ({"from": "2026-13-45"}, "is no time"),
            ({"from": "9999-12-31T23:59Z", "to": "9999-12-31T23:59+14:00"}, "still to come"),
        ],
    )
    def test_what_cannot_be_shown_is_said(self, operator, scope, query, words):
        log(scope)
        page = operator.get(NUMBERS, query)
        assert page.status_code == 200
        assert words in page.content.decode()
        assert page.context["panel"]["heading"] == "Last 7 days"
        home = operator.get(HOME, query).context["fragment"]
        assert words in operator.get(home).content.decode(), "the page says it, too"

    def test_a_picked_range_becomes_the_address(self, operator, scope):
        answer = operator.get(NUMBERS, TUESDAY | {"push": "1", "source": "studio"})
        assert answer["HX-Push-Url"] == f"{HOME}?from=2026-03-03&to=2026-03-03&source=studio"


class TestTimeZone:
    def test_days_are_those_of_the_reader(self, operator, scope):
        log(scope, at=at("2026-03-03 01:00"))  # still Monday in New York
        assert cards(operator.get(NUMBERS, TUESDAY))["Calls"].value == "1"
        operator.cookies["llm_zone"] = "America/New_York"
        page = operator.get(NUMBERS, TUESDAY)
        assert cards(page)["Calls"].value == "0"
        assert "Times in America/New_York" in page.content.decode()

    def test_the_hour_that_is_repeated_is_told_apart(self, operator, scope):
        operator.cookies["llm_zone"] = "Europe/Berlin"
        log(scope, at=at("2025-10-26 00:30"))
        log(scope, at=at("2025-10-26 01:30"))
        bars = charts(operator.get(NUMBERS, {"from": "2025-10-26", "to": "2025-10-26"}))["calls"].bars
        assert len(bars) == 25
        assert [bar.label for bar in bars[1:5]] == ["01:00", "02:00 CEST", "02:00 CET", "03:00"]
        assert [listed(operator, bar.logs) for bar in bars[2:4]] == [1, 1]

    def test_a_choice_beats_the_browser_until_it_is_taken_back(self, operator, scope):
        url = reverse("admin:llm_admin_time_zone")
        operator.cookies["llm_zone"] = "Europe/Berlin"
        assert operator.post(url, {"zone": "Asia/Tokyo", "next": HOME + "?range=24h"}).url == HOME + "?range=24h"
        assert operator.get(NUMBERS).context["panel"]["zone"] == "Asia/Tokyo"
        assert operator.post(url, {"zone": "Asia/Tokyo", "own": "1", "next": "https://example.com/"}).url == HOME
        assert operator.get(NUMBERS).context["panel"]["zone"] == "Europe/Berlin"

    @pytest.mark.parametrize("zone", ["Mars/Base", "../../etc/passwd", "x" * 5_000])
    def test_what_is_no_zone_changes_nothing(self, operator, scope, zone):
        operator.cookies["llm_zone"] = zone
        assert operator.get(NUMBERS).context["panel"]["zone"] == "UTC"
        answer = operator.post(reverse("admin:llm_admin_time_zone"), {"zone": zone}, follow=True)
        assert "is no time zone" in answer.content.decode()


class TestFiles:
    def rows(self, client, **query):
        answer = client.get(CSV, query)
        assert answer.status_code == 200
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))

    def test_of_a_chart(self, operator, scope):
        operator.cookies["llm_zone"] = "Europe/Berlin"
        model = LanguageModel.objects.create(workspace=scope, alias="m", name="=HYPERLINK(1)")
        log(scope, at=at("2026-03-03 08:30"), model=model, cost_nano=1_250_000, latency_ms=1_234)
        log(scope, at=at("2026-03-03 09:30"), model=model, cost_nano=None)
        found = self.rows(operator, csv="cost", **TUESDAY)
        assert len(found) == 24
        nine, ten = found[9:11]
        assert (nine["from"], nine["until"]) == ("2026-03-03T09:00:00+01:00", "2026-03-03T10:00:00+01:00")
        assert (nine["all models in USD"], nine["'=HYPERLINK(1) in USD"]) == ("0.00125", "0.00125")
        assert (ten["all models in USD"], ten["calls of unknown cost"]) == ("", "1"), "unknown is not nothing"
        times = self.rows(operator, csv="latency", **TUESDAY)
        assert (int(times[9]["p95 in ms"]), times[8]["p95 in ms"]) == (about(1_234), "")

    def test_of_a_table_has_all_rows_and_no_formula(self, operator, scope):
        for number in range(9):
            log(scope, prompt=factories.prompt(scope, name=f"=1+{number}"), cost_nano=None)
        found = self.rows(operator, csv="prompt")
        assert len(found) == 9
        assert {one["prompt"][:3] for one in found} == {"'=1"}
        assert {one["cost in USD"] for one in found} == {""}

    def test_every_chart_and_table_has_one_that_follows_the_filter(self, operator, scope, some):
        page = operator.get(NUMBERS, {"range": "24h", "prompt": some["red"].pk})
        assert sum(int(one["calls"]) for one in self.from_url(operator, charts(page)["calls"].csv)) == 3
        for made in [*charts(page).values(), *tables(page).values()]:
            assert self.from_url(operator, made.csv), made.title

    def from_url(self, client, url):
        return list(csv.DictReader(io.StringIO(client.get(url).content.decode("utf-8-sig"))))

    def test_unknown_ones(self, operator, scope):
        assert operator.get(CSV, {"csv": "secrets"}).status_code == 404


class TestPanelsAboutOneThing:
    def subject(self, scope, some, kind):
        if kind == "connection":
            connection = Connection.objects.create(workspace=scope, name="C", provider="openai")
            places = [
                Deployment.objects.create(model=some["fast"], connection=connection, provider_model=n) for n in "ab"
            ]
            for place in places:
                log(scope, deployment=place)
            return connection.pk, 2, "connection"
        if kind == "version":
            version = documents.version_of(some["red"])
            InteractionLog.objects.filter(prompt=some["red"], model=some["slow"]).update(prompt_version=version)
            return version.pk, 2, None
        if kind == "user":
            return some["ada"].pk, 2, "membership"
        if kind == "model":
            return some["slow"].pk, 2, "languagemodel"
        return some["red"].pk, 3, "prompt"

    @pytest.mark.parametrize("kind", ["prompt", "version", "model", "user", "connection"])
    def test_its_page_loads_a_panel_of_its_calls(self, member, login, scope, some, kind):
        pk, calls, page_of = self.subject(scope, some, kind)
        admin = login(member(Role.ADMIN))
        page = admin.get(NUMBERS, {"of": kind, kind: pk})
        assert cards(page)["Calls"].value == str(calls)
        assert chips(page) == {}
        fixed = {"version", "prompt"} if kind == "version" else {kind}
        assert not fixed & set(tables(page)), "there is only one"
        if page_of:
            object_pk = Membership.objects.get(user=pk).pk if kind == "user" else pk
            html = admin.get(reverse(f"admin:llm_admin_{page_of}_change", args=[object_pk])).content.decode()
            assert f"{NUMBERS}?of={kind}&amp;{kind}={pk}" in html
        away = factories.member(factories.workspace(), role=Role.ADMIN, username="away")
        assert login(away).get(NUMBERS, {"of": kind, kind: pk}).status_code in (403, 404)

    def test_connections_are_for_those_who_may_look_at_them(self, member, login, scope, some):
        pk, _, _ = self.subject(scope, some, "connection")
        assert login(member(Role.VIEWER)).get(NUMBERS, {"of": "connection", "connection": pk}).status_code == 403

    def test_above_the_list_of_logs_the_charts_follow_its_filters(self, operator, login, scope, some):
        query = {"when": "24h", "prompt": some["red"].pk, "cost": "known"}
        found = operator.get(LOGS, query).context["numbers"]
        assert cards(operator.get(found["url"]))["Calls"].value == "3"
        assert found["ignored"] == "whether the cost is known"
        page = operator.get(found["url"])
        assert (page.context["panel"]["switch"], page.context["panel"]["tables"]) == ([], [])
        link = next(line.link for line in charts(page)["cost"].lines if line.name == "slow")
        assert link.page.startswith(LOGS), "the list follows, not only the chart"
        assert listed(operator, link.page) == 2
        own = login(some["ada"]).get(LOGS).context["numbers"]["url"]
        assert f"user={some['ada'].pk}" in own


@pytest.mark.parametrize("path", [NUMBERS, f"{CSV}?csv=prompt"])
def test_queries_do_not_grow_with_calls(operator, scope, django_assert_max_num_queries, path):
    prompt = factories.prompt(scope)
    counts = []
    for count in (3, 60):
        rows = [unsaved(scope, prompt=prompt, at=minutes_ago(n), status="failed") for n in range(count)]
        InteractionLog.objects.bulk_create(rows)
        with django_assert_max_num_queries(40) as queries:
            assert operator.get(path).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
