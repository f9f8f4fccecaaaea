"""Budgets in the admin: the list, the form, the page of one, and the home page."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from llm_admin.choices import Role
from llm_admin.models import Budget, BudgetOverride, BudgetUse, Membership, Workspace
from llm_admin.selectors.budget_periods import span_of
from llm_admin.services import budgets, catalogue
from llm_admin.services.budget_words import amount_text, to_stored, to_typed
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.log_rows import log
from tests.services.budget_calls import NANO, budget

LIST = reverse("admin:llm_admin_budget_changelist")
ADD = reverse("admin:llm_admin_budget_add")
HOME = reverse("admin:index")
ON_HOME = reverse("admin:llm_admin_numbers_part") + "?part=budgets"
HTMX = {"hx-request": "true"}


@pytest.fixture
def olga(member):
    return member(Role.OPERATOR, "olga")


@pytest.fixture
def operator(olga, login):
    return login(olga)


def page(of):
    return reverse("admin:llm_admin_budget_change", args=[of.pk])


def override(client, of, headers=HTMX, **fields):
    values = {"amount": "5", "reason": "Board meeting"} | fields
    url = reverse("admin:llm_admin_budget_override", args=[of.pk])
    return client.post(url, {f"more-{name}": value for name, value in values.items()}, headers=headers)


def form(**fields):
    values = {"name": "Team", "scope": "workspace", "unit": "money", "period": "month", "amount": "12.50"}
    return values | {"levels": "50, 80", "enabled": "on", "owner": ""} | fields


def errors(response):
    return response.context["adminform"].form.errors


def use(of):
    return BudgetUse.objects.filter(budget=of)


class TestTheForm:
    def test_money_is_typed_in_the_workspaces_currency(self, operator, scope, olga):
        Workspace.objects.update(currency="EUR", currency_rate=Decimal("0.5"))
        log(scope, at=timezone.now(), cost_nano=7)
        response = operator.post(ADD, form(owner=olga.pk), follow=True)
        made = Budget.objects.get()
        assert (made.limit, made.warn_at, made.owner, made.workspace) == (25 * NANO, [50, 80], olga, scope)
        assert use(made).get().used == 7
        assert "with what was used in this period already" in response.content.decode()
        assert operator.get(page(made)).context["adminform"].form.initial["amount"] == Decimal("12.50")

    def test_what_it_counts_is_shown_and_stays(self, operator, scope):
        made = budget(scope)
        response = operator.get(page(made))
        assert not {"scope", "unit", "period", "user"} & set(response.context["adminform"].form.fields)
        assert "The whole workspace: calls, a calendar month" in response.content.decode()
        data = {"name": "Everybody", "amount": "30", "levels": "", "owner": "", "unit": "money", "scope": "user"}
        assert operator.post(page(made), data).status_code == 302
        made.refresh_from_db()
        assert (made.name, made.limit, made.unit, made.scope, made.enabled) == (
            "Everybody", 30, "calls", "workspace", False,
        )  # fmt: skip

    def test_only_the_subject_of_its_scope_is_kept(self, operator, scope, olga):
        prompt = factories.prompt(scope)
        operator.post(ADD, form(scope="prompt", prompt=prompt.pk, user=olga.pk))
        made = Budget.objects.get()
        assert (made.prompt, made.user) == (prompt, None)

    @pytest.mark.parametrize(
        ("fields", "place", "words"),
        [
            ({"amount": ""}, "amount", "required"),
            ({"amount": "0"}, "amount", "above 0"),
            ({"amount": "-3"}, "amount", "above 0"),
            ({"amount": "NaN"}, "amount", "Enter a number"),
            ({"amount": "99999999999"}, "amount", "more than a budget can hold"),
            ({"amount": "1.5", "unit": "calls"}, "amount", "whole numbers"),
            ({"levels": "50, many"}, "levels", "Whole percents"),
            ({"levels": "0"}, "levels", "Whole percents"),
            ({"levels": "٥"}, "levels", "Whole percents"),
            ({"scope": "user"}, "user", "Choose a person"),
            ({"scope": "moon"}, "scope", "valid choice"),
            ({"name": " "}, "name", "required"),
        ],
    )
    def test_bad_input_is_said_at_its_field(self, operator, scope, fields, place, words):
        response = operator.post(ADD, form(**fields))
        assert response.status_code == 200
        assert any(word in str(errors(response)[place]) for word in words.split("|"))
        assert not Budget.objects.exists()

    def test_all_that_is_wrong_is_said_at_once(self, operator, scope):
        found = errors(operator.post(ADD, form(name="", amount="", scope="user")))
        assert {name: len(words) for name, words in found.items()} == {"name": 1, "amount": 1, "user": 1}

    def test_a_name_that_is_taken(self, operator, scope):
        budget(scope)
        assert "of this name already" in str(errors(operator.post(ADD, form()))["name"])

    def test_pickers_offer_this_workspace_only(self, operator, scope, member):
        elsewhere = factories.workspace()
        with workspace_scope(elsewhere):
            theirs = factories.prompt(elsewhere)
        stranger = member(where=elsewhere)
        assert "prompt" in errors(operator.post(ADD, form(scope="prompt", prompt=theirs.pk)))
        assert "user" in errors(operator.post(ADD, form(scope="user", user=stranger.pk)))
        assert "owner" in errors(operator.post(ADD, form(owner=stranger.pk)))
        group = Group.objects.create(name="Strangers")
        group.user_set.add(stranger)
        assert "group" in errors(operator.post(ADD, form(scope="group", group=group.pk)))
        assert "Strangers" not in operator.get(ADD).content.decode()

    def test_delete(self, operator, scope):
        made = budget(scope)
        operator.post(reverse("admin:llm_admin_budget_delete", args=[made.pk]), {"post": "yes"})
        assert not Budget.objects.exists()

    def test_before_it_is_deleted_amounts_are_read_as_money(self, operator, scope):
        made = budget(scope, unit="money", limit=NANO)
        use(made).update(used=NANO // 4)
        text = operator.get(reverse("admin:llm_admin_budget_delete", args=[made.pk])).content.decode()
        assert "$0.25 used" in text
        assert str(NANO // 4) not in text

    @pytest.mark.parametrize(
        ("typed", "unit", "rate", "stored"),
        [("0.05", "money", "1", 50_000_000), ("1", "money", "150", 6_666_667), ("7", "calls", "150", 7)],
    )
    def test_amounts_there_and_back(self, typed, unit, rate, stored):
        where = Workspace(currency="JPY", currency_rate=Decimal(rate))
        assert to_stored(Decimal(typed), unit, where) == stored
        assert to_typed(stored, unit, where) == Decimal(typed)

    @pytest.mark.parametrize(
        ("amount", "unit", "words"),
        [
            (1, "calls", "1 call"),
            (2000, "tokens", "2,000 tokens"),
            (NANO, "money", "$1.00"),
            (None, "money", "unknown"),
        ],
    )
    def test_amounts_in_words(self, amount, unit, words):
        assert amount_text(amount, unit, Workspace(currency="USD", currency_rate=Decimal(1))) == words


class TestTheList:
    def test_each_with_its_bar_and_state(self, operator, scope):
        fine, short = budget(scope, name="A"), budget(scope, name="B", warn_at=[50])
        full, off = budget(scope, name="C"), budget(scope, name="D", enabled=False)
        use(fine).update(used=1), use(short).update(used=10), use(full).update(used=20)
        response = operator.get(LIST)
        shown = {one.name: one.standing.state for one in response.context["cl"].result_list}
        assert shown == {"A": "fine", "B": "warn", "C": "full", "D": "off"}
        text = response.content.decode()
        assert "10 of 20 calls" in text
        assert "20 of 20 calls" in text
        assert 'max="100" value="50"' in text
        assert off.name in text

    def test_names_in_the_middle_of_a_sentence_stay_names(self, operator, scope):
        one = budget(scope, period="week")
        for text in (operator.get(LIST).content.decode(), operator.get(page(one)).content.decode()):
            assert "a week, from Monday" in text

    def test_the_round_button_has_a_name(self, operator):
        assert 'aria-label="Add budget"' in operator.get(LIST).content.decode()

    def test_queries_do_not_grow(self, operator, scope, olga):
        counts = []
        values = {"workspace": scope, "owner": olga, "scope": "user", "user": olga, "unit": "calls", "limit": 5}
        today = span_of("month", timezone.now()).starts_on
        for more in (3, 297):
            made = [Budget(name=f"{more}-{number}", **values) for number in range(more)]
            made = Budget.objects.bulk_create(made)
            BudgetUse.objects.bulk_create(BudgetUse(budget=one, starts_on=today, used=4) for one in made)
            operator.get(LIST)
            catalogue.forget()  # what is cached for a second would make the counts differ
            with CaptureQueriesContext(database) as queries:
                operator.get(LIST)
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_the_menu_leads_there(self, operator):
        assert LIST in operator.get(HOME).content.decode()


class TestThePage:
    def test_who_used_it_for_what_and_before(self, operator, scope, olga):
        prompt = factories.prompt(scope, name="Summary")
        log(scope, at=timezone.now(), user=olga, prompt=prompt)
        made = budget(scope)
        first = span_of("month", timezone.now()).start
        earlier = span_of("month", first - dt.timedelta(days=1))
        BudgetUse.objects.create(budget=made, starts_on=earlier.starts_on, used=9, refused_calls=4)
        panel = operator.get(page(made)).context["panel"]
        assert [(one.name, one.used, one.more) for one in panel.people] == [("olga", "1 call", "1")]
        assert [one.name for one in panel.prompts] == ["Summary"]
        assert [(one.used, one.more) for one in panel.history] == [("1 call", "0"), ("9 calls", "4")]
        for line in (*panel.people, *panel.prompts, panel.history[0]):
            response = operator.get(line.url)
            assert (response.status_code, response.context["cl"].result_count) == (200, 1)

    def test_no_filter_shows_a_groups_calls(self, operator, scope, olga):
        group = Group.objects.create(name="Interns")
        group.user_set.add(olga)
        panel = operator.get(page(budget(scope, scope="group", group=group))).context["panel"]
        assert panel.history[0].url == ""

    def test_what_was_refused_and_what_nobody_knows_is_said(self, operator, scope):
        made = budget(scope)
        use(made).update(refused_calls=1, unknown_calls=2)
        text = operator.get(page(made)).content.decode()
        assert "1 call was refused." in text
        assert "How much 2 calls used is unknown" in text

    def test_of_another_workspace(self, operator, scope):
        elsewhere = factories.workspace()
        with workspace_scope(elsewhere):
            theirs = budget(elsewhere)
        assert operator.get(page(theirs)).status_code == 302
        assert override(operator, theirs).status_code == 404
        assert not BudgetOverride.objects.with_scopes_disabled().exists()


class TestOverriding:
    def test_more_is_allowed_and_shown(self, operator, scope, olga):
        made = budget(scope, unit="money", limit=NANO)
        response = override(operator, made, amount="5")
        assert response.status_code == 200
        assert "of $6.00 used" in response.content.decode()
        row = BudgetOverride.objects.get()
        assert (row.amount, row.by, row.reason) == (5 * NANO, olga, "Board meeting")
        assert "Board meeting" in operator.get(page(made)).content.decode()
        assert LogEntry.objects.get().change_message == "Allowed $5.00 more in this period: Board meeting"

    def test_queries_do_not_grow_with_what_was_allowed(self, operator, scope, olga, system):
        made, counts = budget(scope), []
        for more in (3, 297):
            rows = (BudgetOverride(use=use(made).get(), amount=1, by=olga, reason="More") for _ in range(more))
            BudgetOverride.objects.bulk_create(rows)
            operator.get(page(made))
            catalogue.forget()
            with CaptureQueriesContext(database) as queries:
                operator.get(page(made))
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_without_javascript(self, operator, scope):
        made = budget(scope)
        assert override(operator, made, headers={}).url == page(made)
        response = override(operator, made, headers={}, reason="")
        assert response.status_code == 422
        assert "Back to the budget" in response.content.decode()

    @pytest.mark.parametrize(
        ("fields", "place"),
        [
            ({"amount": "0"}, "amount"),
            ({"amount": "1.5"}, "amount"),
            ({"amount": "x"}, "amount"),
            ({"reason": " "}, "reason"),
        ],
    )
    def test_bad_input(self, operator, scope, fields, place):
        response = override(operator, budget(scope), **fields)
        assert response.status_code == 422
        assert place in response.context["panel"].form.errors
        assert not BudgetOverride.objects.exists()

    def test_what_was_refused_before_says_nothing_of_what_is_left(self, operator, scope, system):
        made = budget(scope, limit=10)
        use(made).update(refused_calls=3)
        assert "Running short" in operator.get(LIST).content.decode()
        budgets.override(made, actor=system, amount=5, reason="More")
        assert "Running short" not in operator.get(LIST).content.decode()
        assert "3 calls were refused, before more was allowed." in operator.get(page(made)).content.decode()
        use(made).update(refused_calls=4)
        assert "Running short" in operator.get(LIST).content.decode()
        assert "4 calls were refused." in operator.get(page(made)).content.decode()
        budgets.override(made, actor=system, amount=5, reason="Still more")
        assert "Running short" not in operator.get(LIST).content.decode()

    def test_what_is_on_record_is_not_deleted(self, operator, scope, system):
        made = budget(scope, unit="money", limit=NANO)
        budgets.override(made, actor=system, amount=2 * NANO, reason="Because")
        address = reverse("admin:llm_admin_budget_delete", args=[made.pk])
        text = operator.get(address).content.decode()
        assert "$2.00 more in" in text
        assert "by code: Because" in text
        assert str(2 * NANO) not in text
        response = operator.post(address, {"post": "yes"})
        assert response.status_code in (403, 409)
        assert Budget.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUTHOR])
def test_others_get_nowhere(scope, member, login, role):
    made, client = budget(scope), login(member(role))
    assert client.get(LIST).status_code == 403
    assert client.get(ADD).status_code == 403
    assert client.get(page(made)).status_code == 403
    assert client.post(ADD, form(name="Mine")).status_code == 403
    assert override(client, made).status_code == 403
    assert LIST not in client.get(HOME).content.decode()
    assert (Budget.objects.count(), BudgetOverride.objects.count()) == (1, 0)


class TestHome:
    def test_operators_see_all_the_fullest_first(self, operator, scope, member):
        log(scope, at=timezone.now() - dt.timedelta(days=90))
        budget(scope, name="Ann's", scope="user", user=member(username="ann"))
        made = budget(scope)
        budget(scope, name="Off", enabled=False)
        use(made).update(used=10)
        cards = operator.get(ON_HOME).context["budgets"]
        assert [(card.name, card.url) for card in cards][0] == ("Team", page(made))
        assert [card.name for card in cards] == ["Team", "Ann's"]
        assert cards[0].used == "10 of 20 calls used (50%)"

    def test_authors_see_what_concerns_them_in_words(self, scope, member, login):
        log(scope, at=timezone.now() - dt.timedelta(days=90))
        ann = member(username="ann")
        budget(scope, name="Ann's", scope="user", user=ann)
        budget(scope, name="Bob's", scope="user", user=member(username="bob"))
        response = login(ann).get(ON_HOME)
        assert [(card.name, card.url) for card in response.context["budgets"]] == [("Ann's", "")]
        assert "0 of 20 calls used (0%)" in response.content.decode()

    def test_two_queries_however_many(self, operator, scope, olga):
        log(scope, at=timezone.now() - dt.timedelta(days=90))
        counts = []
        for number in (0, 1, 6):
            for one in range(number):
                budget(scope, name=f"{number}-{one}", owner=olga, scope="user", user=olga)
            catalogue.forget()
            with CaptureQueriesContext(database) as queries:
                operator.get(ON_HOME)
            counts.append(len(queries))
        assert counts[2] == counts[1] == counts[0] + 1


class TestLimitsOfPersons:
    def test_in_the_workspaces_settings(self, scope, member, login):
        client = login(member(Role.ADMIN))
        url = reverse("admin:llm_admin_workspace_change", args=[scope.pk])
        shown = client.get(url).context["adminform"].form
        data = {
            name: value
            for name, field in shown.fields.items()
            if (value := shown.get_initial_for_field(field, name)) is not None
        }
        assert client.post(url, data | {"calls_per_minute": "0"}).status_code == 200
        assert client.post(url, data | {"calls_per_minute": "30"}).status_code == 302
        assert Workspace.objects.get(pk=scope.pk).calls_per_minute == 30
        assert client.post(url, data | {"calls_per_minute": ""}).status_code == 302
        assert Workspace.objects.get(pk=scope.pk).calls_per_minute is None

    def test_of_one_member(self, scope, member, login):
        client, ann = login(member(Role.ADMIN)), member(username="ann")
        row = Membership.objects.get(user=ann)
        url = reverse("admin:llm_admin_membership_change", args=[row.pk])
        assert client.post(url, {"role": "author", "calls_per_minute": "7"}).status_code == 302
        row.refresh_from_db()
        assert row.calls_per_minute == 7
        assert client.post(url, {"role": "author", "calls_per_minute": "-1"}).status_code == 200


def test_somebody_without_a_workspace(outsider):
    client = Client()
    client.force_login(outsider, backend="llm_admin.auth.WorkspaceBackend")
    assert client.get(LIST).status_code == 403
    assert client.get(HOME).status_code == 200
