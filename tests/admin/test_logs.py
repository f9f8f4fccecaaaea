from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import NoReverseMatch, reverse

from llm_admin.admin.log_links import BY_COST, BY_LATENCY
from llm_admin.choices import CallStatus, ErrorKind, Role, RunSource
from llm_admin.models import Deployment, DeploymentPrice, InteractionLog, LanguageModel, Membership
from tests import factories
from tests.log_rows import log, minutes_ago, run, text, unsaved

LIST = reverse("admin:llm_admin_interactionlog_changelist")
DAY = 24 * 60


def page_of(row):
    return reverse("admin:llm_admin_interactionlog_change", args=[row.pk])


@pytest.fixture
def operator(member, login):
    return login(member(Role.OPERATOR))


def listed(client, **query):
    response = client.get(LIST, query)
    assert response.status_code == 200, response.headers.get("Location")
    return list(response.context["cl"].result_list)


class TestList:
    def test_shows_what_a_call_was(self, operator, scope, member):
        prompt = factories.prompt(scope, name="Reply to a complaint", versions=2)
        log(
            scope,
            prompt=prompt,
            prompt_version=prompt.versions.get(number=2),
            model=LanguageModel.objects.get(alias="demo"),
            user=member(Role.AUTHOR, username="ana"),
            latency_ms=3_400,
            first_token_ms=842,
            input_tokens=1_204,
            output_tokens=31,
            cost_nano=420_000,
            source=RunSource.COMMAND,
        )
        html = operator.get(LIST).content.decode()
        for shown in (
            "Reply to a complaint",
            "v2",
            "Demo model",
            "Succeeded",
            "3.4 s",
            "842 ms",
            "1,204 → 31",
            "$0.00042",
        ):
            assert shown in html, shown
        assert "ana" in html
        assert "Command line" in html

    def test_a_failure_shows_its_kind_and_unknown_numbers_say_so(self, operator, scope):
        log(scope, status="failed", error_kind="rate_limit", cost_nano=None, input_tokens=None, output_tokens=None)
        html = operator.get(LIST).content.decode()
        assert "Too many requests</span>" in html
        assert html.count(">unknown</td>") == 2

    def test_survives_that_everything_it_names_is_gone(self, operator, scope):
        gone = {f"{name}_id": 999_999 for name in ("prompt", "prompt_version", "model", "user", "price", "deployment")}
        row = log(scope, run_id="01900000-0000-7000-8000-000000000000", **gone)
        assert "Deleted prompt" in operator.get(LIST).content.decode()
        assert operator.get(page_of(row)).status_code == 200
        row = log(scope, workflow_id=999_999)
        assert "Deleted workflow" in operator.get(LIST).content.decode()
        assert operator.get(page_of(row)).status_code == 200

    def test_the_newest_come_first_whenever_they_were_stored(self, operator, scope):
        new, old = log(scope), log(scope, at=minutes_ago(90))
        assert listed(operator) == [new, old]

    def test_ones_own_unless_one_may_see_all(self, member, login, scope):
        author = member(Role.AUTHOR)
        mine = log(scope, user=author)
        theirs, nobodys = log(scope, user=member(Role.AUTHOR)), log(scope)
        assert listed(login(author)) == [mine]
        assert "These are your own calls" in login(author).get(LIST).content.decode()
        client = login(member(Role.OPERATOR))
        assert {*listed(client)} == {mine, theirs, nobodys}
        assert "These are your own calls" not in client.get(LIST).content.decode()

    def test_of_this_workspace_only(self, operator, scope):
        log(factories.workspace())
        assert listed(operator) == []

    def test_is_refused_to_outsiders(self, outsider, login, client):
        assert client.get(LIST).status_code == 302
        assert login(outsider).get(LIST).status_code == 403

    def test_an_empty_one_says_what_it_is_for(self, operator):
        html = operator.get(LIST).content.decode()
        assert "No calls yet" in html
        assert reverse("admin:llm_admin_prompt_changelist") in html

    @pytest.mark.parametrize(("order", "field"), [(BY_LATENCY, "latency_ms"), (BY_COST, "cost_nano")])
    def test_the_columns_that_links_sort_by(self, operator, scope, order, field):
        rows = [log(scope, **{field: value}) for value in (20, 30, 10)]
        assert listed(operator, **order) == [rows[1], rows[0], rows[2]]

    def test_queries_do_not_grow(self, operator, scope, member, django_assert_max_num_queries):
        counts = []
        for count in (3, 297):
            people = [member(Role.AUTHOR) for _ in range(3)]
            prompts = [factories.prompt(scope, versions=2) for _ in range(3)]
            workflows = [factories.workflow(scope) for _ in range(3)]
            rows = [
                unsaved(
                    scope,
                    prompt=prompts[n % 3],
                    prompt_version=prompts[n % 3].versions.first(),
                    workflow=workflows[n % 3],
                    user=people[n % 3],
                    model=LanguageModel.objects.get(alias="demo"),
                )
                for n in range(count)
            ]
            InteractionLog.objects.bulk_create(rows)
            with django_assert_max_num_queries(20) as queries:
                assert operator.get(LIST).status_code == 200
            counts.append(len(queries))
        assert counts[0] == counts[1]


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "field", "right", "wrong"),
        [
            ({"status": "failed"}, "status", ["failed"], ["succeeded", "cancelled"]),
            ({"status": "unfinished"}, "status", ["cancelled", "interrupted"], ["failed", "succeeded"]),
            ({"error": "timeout"}, "error_kind", ["timeout"], ["", "rate_limit"]),
            ({"source": "code"}, "source", ["code"], ["studio"]),
            ({"cost": "unknown"}, "cost_nano", [None], [0, 5]),
            ({"cost": "known"}, "cost_nano", [0, 5], [None]),
            ({"prompt": "7"}, "prompt_id", [7], [8, None]),
            ({"workflow": "7"}, "workflow_id", [7], [8, None]),
            ({"model": "7"}, "model_id", [7], [8, None]),
            ({"user": "7"}, "user_id", [7], [8, None]),
        ],
    )
    def test_by_what_a_call_was(self, operator, scope, query, field, right, wrong):
        expected = {log(scope, **{field: value}) for value in right}
        for value in wrong:
            log(scope, **{field: value})
        assert set(listed(operator, **query)) == expected

    @pytest.mark.parametrize(("when", "count"), [("1h", 1), ("24h", 2), ("7d", 3), ("30d", 4), ("90d", 5), ("", 6)])
    def test_by_time(self, operator, scope, when, count):
        for days in (0, 0.5, 3, 20, 60, 200):
            log(scope, at=minutes_ago(days * DAY + 1))
        assert len(listed(operator, when=when)) == count

    def test_by_exact_time_the_end_left_out(self, operator, scope):
        since, until = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, dt.UTC), dt.datetime(2026, 1, 3, tzinfo=dt.UTC)
        inside = [log(scope, at=until - dt.timedelta(microseconds=1)), log(scope, at=since)]
        log(scope, at=since - dt.timedelta(microseconds=1))
        log(scope, at=until)
        assert listed(operator, since=since.isoformat(), until=until.isoformat()) == inside

    def test_the_exact_time_stays_when_another_filter_is_applied(self, operator, scope):
        html = operator.get(LIST, {"since": "2026-01-02T03:04:05+00:00"}).content.decode()
        assert '<input type="hidden" name="since" value="2026-01-02T03:04:05+00:00">' in html
        assert "From 2 Jan 2026, 03:04:05 UTC" in html

    @pytest.mark.parametrize("query", [{"since": "yesterday"}, {"until": "2026-13-40"}, {"prompt": "x"}])
    def test_nonsense_leads_back_to_the_list(self, operator, scope, query):
        response = operator.get(LIST, query)
        assert (response.status_code, response.headers["Location"]) == (302, f"{LIST}?e=1")

    def test_they_combine(self, operator, scope):
        wanted = log(scope, prompt_id=7, model_id=3, status="failed")
        log(scope, prompt_id=7, model_id=4, status="failed")
        log(scope, prompt_id=7, model_id=3)
        log(scope, prompt_id=8, model_id=3, status="failed")
        assert listed(operator, prompt=7, model=3, status="failed", when="24h") == [wanted]

    def test_other_workspaces_names_are_not_offered(self, operator, scope):
        factories.prompt(factories.workspace(), name="Elsewhere's secret prompt")
        factories.prompt(scope, name="Ours")
        log(scope)
        html = operator.get(LIST).content.decode()
        assert "Ours" in html
        assert "Elsewhere" not in html

    def test_members_are_offered_only_to_those_who_see_all(self, member, login, scope):
        log(scope)
        author = login(member(Role.AUTHOR, username="ana"))
        assert 'name="user"' not in author.get(LIST).content.decode()
        assert 'name="user"' in login(member(Role.OPERATOR)).get(LIST).content.decode()


class TestPage:
    def test_shows_the_texts_as_people_read_them(self, operator, scope):
        row = log(scope, prompt=factories.prompt(scope, name="Reply"))
        messages = [{"role": "system", "content": "Be <kind>."}, {"role": "user", "content": "Where is my order?"}]
        text(row, messages=messages, answer="On its way.", parameters={"temperature": 0.3, "max_tokens": 90})
        html = operator.get(page_of(row)).content.decode()
        for shown in ("Be &lt;kind&gt;.", "Where is my order?", "On its way.", "System", "User"):
            assert shown in html, shown
        assert "<dt>Temperature</dt><dd>0.3</dd>" in html
        assert "<dt>Longest answer, in tokens</dt><dd>90</dd>" in html

    def test_shows_how_the_cost_came_about(self, operator, scope):
        deployment = Deployment.objects.get(model__alias="demo")
        price = DeploymentPrice.objects.create(
            deployment=deployment, input_per_million=Decimal("2.5"), output_per_million=Decimal(10)
        )
        row = log(
            scope,
            deployment=deployment,
            price=price,
            input_tokens=1_000,
            cached_input_tokens=400,
            output_tokens=31,
            cost_nano=2_810_000,
        )
        html = operator.get(page_of(row)).content.decode()
        assert "600 in × $2.50/M + 400 cached × $2.50/M + 31 out × $10.00/M" in html
        assert "$0.00281" in html
        assert "demo at Demo (no AI)" in html

    def test_shows_each_kind_of_token_with_its_rate_and_amount(self, operator, scope):
        deployment = Deployment.objects.get(model__alias="demo")
        price = DeploymentPrice.objects.create(
            deployment=deployment,
            starts_at=dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC),
            input_per_million=Decimal(3),
            output_per_million=Decimal(15),
            cached_input_per_million=Decimal("0.3"),
            cache_write_per_million=Decimal("3.75"),
            reasoning_per_million=Decimal(20),
            per_request=Decimal("0.005"),
            tiers=[{"above": 9_000, "input": "6"}],
            source="published",
            origin="acme one, list 1.0",
        )
        counts = {"cached_input_tokens": 4_000, "cache_write_tokens": 5_000, "reasoning_tokens": 60}
        row = log(
            scope, deployment=deployment, price=price, input_tokens=10_000, output_tokens=100,
            cost_nano=6_000_000 + 1_200_000 + 18_750_000 + 600_000 + 1_200_000 + 5_000_000, **counts,
        )  # fmt: skip
        html = operator.get(page_of(row)).content.decode()
        for cells in (
            ("Input", "1,000", "$6.00", "$0.006"),
            ("Input, read from the provider&#x27;s cache", "4,000", "$0.30", "$0.0012"),
            ("Input, written to the provider&#x27;s cache", "5,000", "$3.75", "$0.01875"),
            ("Output", "40", "$15.00", "$0.0006"),
            ("Output, for reasoning", "60", "$20.00", "$0.0012"),
            ("The request itself", "–", "$0.005 each", "$0.005"),
        ):
            assert "".join(f"<td>{cell}</td>" for cell in cells) in html, cells
        assert "How was this computed?" in html
        assert "<td>$0.03275</td>" in html
        assert "more than 9,000 input tokens" in html
        assert "valid from 1 Mar 2026. Published: acme one, list 1.0." in html
        assert "The stored cost is not this sum" not in html

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"input_tokens": None}, "the provider did not say how many tokens this took"),
            ({}, "there was no price for this model at the time of the call"),
            ({"status": CallStatus.CANCELLED, "output_tokens": None}, "the call ended early"),
            ({"status": CallStatus.FAILED, "output_tokens": None}, "the call failed before the provider said"),
        ],
    )
    def test_says_why_a_cost_is_unknown(self, operator, scope, fields, words):
        row = log(scope, **{"cost_nano": None} | fields)
        html = operator.get(page_of(row)).content.decode()
        assert words in html
        assert "<dt>Cost</dt><dd>unknown</dd>" in html

    def test_an_answer_from_our_cache_cost_nothing(self, operator, scope):
        html = operator.get(page_of(log(scope, cached=True, cost_nano=0))).content.decode()
        assert "given again from the cache" in html

    def test_dollars_and_the_workspaces_currency_are_told_apart(self, operator, scope):
        scope.currency, scope.currency_rate = "EUR", Decimal("0.5")
        scope.save()
        price = DeploymentPrice.objects.create(
            deployment=Deployment.objects.get(model__alias="demo"), input_per_million=1, output_per_million=1
        )
        row = log(scope, price=price, input_tokens=1_000_000, output_tokens=0, cost_nano=10**9)
        html = operator.get(page_of(row)).content.decode()
        assert "Sum, in US dollars" in html
        assert "<td>$1.00</td>" in html
        assert "Shown as €0.50: this workspace counts 0.5 EUR for a dollar." in html

    def test_a_failure_comes_with_the_runs_advice(self, operator, scope):
        failed = run(scope, status="failed", error_kind="rate_limit", error_message="Wait a minute and run it again.")
        row = log(scope, status="failed", error_kind=ErrorKind.RATE_LIMIT, run=failed)
        text(row, answer="", error="429 slow down")
        html = operator.get(page_of(row)).content.decode()
        assert "Too many requests" in html
        assert "Wait a minute and run it again." in html
        assert "429 slow down" in html
        assert reverse("admin:llm_admin_run_change", args=[failed.pk]) in html

    def test_a_call_that_went_well_in_a_run_that_failed_later_has_no_advice(self, operator, scope):
        failed = run(scope, status="failed", error_kind="parse_error", error_message="Ask for JSON.")
        assert "Ask for JSON." not in operator.get(page_of(log(scope, run=failed))).content.decode()

    def test_a_stopped_call_shows_what_had_arrived(self, operator, scope):
        row = log(scope, status=CallStatus.CANCELLED, error_kind=ErrorKind.CANCELLED)
        text(row, answer="Once upon a")
        html = operator.get(page_of(row)).content.decode()
        assert "Answer, as far as it came" in html
        assert "Once upon a" in html

    def test_says_when_texts_were_not_kept(self, operator, scope):
        assert "texts of this call were not kept" in operator.get(page_of(log(scope))).content.decode()

    def test_of_somebody_else_is_not_shown_to_authors(self, member, login, scope):
        row = log(scope, user=member(Role.AUTHOR))
        text(row, answer="planted-in-an-answer")
        response = login(member(Role.AUTHOR)).get(page_of(row), follow=True)
        assert "planted-in-an-answer" not in response.content.decode()
        response = login(member(Role.OPERATOR)).get(page_of(row))
        assert "planted-in-an-answer" in response.content.decode()

    def test_ones_own_is_shown_to_a_viewer(self, member, login, scope):
        viewer = member(Role.VIEWER)
        row = log(scope, user=viewer)
        text(row, answer="planted-in-an-answer")
        assert "planted-in-an-answer" in login(viewer).get(page_of(row)).content.decode()

    def test_of_another_workspace_is_not_shown_to_strangers_of_it(self, operator, scope):
        elsewhere = factories.workspace()
        row = log(elsewhere)
        text(row, answer="planted-in-an-answer")
        assert "planted-in-an-answer" not in operator.get(page_of(row), follow=True).content.decode()

    def test_of_another_workspace_of_the_same_person_leads_there(self, member, login, scope):
        person, elsewhere = member(Role.OPERATOR), factories.workspace()
        Membership.objects.with_scopes_disabled().create(workspace=elsewhere, user=person, role=Role.OPERATOR)
        row = log(elsewhere)
        text(row, answer="planted-in-an-answer")
        assert "planted-in-an-answer" in login(person).get(page_of(row), follow=True).content.decode()

    def test_but_only_ones_own_there(self, member, login, scope):
        person, elsewhere = member(Role.OPERATOR), factories.workspace()
        Membership.objects.with_scopes_disabled().create(workspace=elsewhere, user=person, role=Role.AUTHOR)
        row = log(elsewhere)
        text(row, answer="planted-in-an-answer")
        assert "planted-in-an-answer" not in login(person).get(page_of(row), follow=True).content.decode()

    def test_outsiders_are_refused(self, outsider, login, scope):
        row = log(scope)
        text(row, answer="planted-in-an-answer")
        response = login(outsider).get(page_of(row))
        assert response.status_code == 403
        assert "planted" not in response.content.decode()

    def test_cannot_be_changed_added_or_deleted(self, operator, scope):
        row = log(scope)
        assert operator.post(page_of(row), {"latency_ms": 1}).status_code == 405
        row.refresh_from_db()
        assert row.latency_ms == 1_000
        for name, arguments in (("add", []), ("delete", [row.pk]), ("history", [row.pk])):
            with pytest.raises(NoReverseMatch):
                reverse(f"admin:llm_admin_interactionlog_{name}", args=arguments)

    @pytest.mark.parametrize("pk", ["999999", "x"])
    def test_an_unknown_one_leads_home(self, operator, scope, pk):
        response = operator.get(f"{LIST}{pk}/change/")
        assert (response.status_code, response.headers["Location"]) == (302, reverse("admin:index"))
