"""Monitors in the admin: the list, the form with its preview, the page of one with its buttons, and the home page."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from llm_admin.choices import Role
from llm_admin.models import Monitor, MonitorDelivery, MonitorEvent, Workspace
from llm_admin.services import catalogue, monitor_delivery, monitor_watch, monitors
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.log_rows import log
from tests.servers.webhook_server import Answer, WebhookServer
from tests.services.monitor_rows import calls, monitor

LIST = reverse("admin:llm_admin_monitor_changelist")
ADD = reverse("admin:llm_admin_monitor_add")
PREVIEW = reverse("admin:llm_admin_monitor_preview")
HOME = reverse("admin:llm_admin_numbers_part") + "?part=monitors"
HTMX = {"hx-request": "true"}
ACTS = ("look", "test", "mute", "unmute", "secret")


@pytest.fixture
def olga(member):
    return member(Role.OPERATOR, "olga")


@pytest.fixture
def operator(olga, login):
    return login(olga)


@pytest.fixture
def hook():
    with WebhookServer() as server:
        yield server


def page(of):
    return reverse("admin:llm_admin_monitor_change", args=[of.pk])


def act(client, name, of, headers=HTMX, **data):
    return client.post(reverse(f"admin:llm_admin_monitor_{name}", args=[of.pk]), data, headers=headers)


def form(**fields):
    values = {
        "name": "Errors", "measure": "error_rate", "window": "60", "direction": "above", "alarm_level": "5",
        "warn_level": "", "min_calls": "0", "no_data": "keep", "in_a_row": "1", "tell_recovery": "on",
        "webhook_kind": "json", "enabled": "on",
    }  # fmt: skip
    return values | fields


def errors(response):
    return response.context["adminform"].form.errors


def recent(where, good, failed, **values):
    calls(where, good, failed, **({"at": timezone.now() - dt.timedelta(minutes=5)} | values))


class TestTheForm:
    def test_saved_shown_and_looked_at_at_once(self, operator, scope, olga):
        recent(scope, 9, 1)
        prompt = factories.prompt(scope, name="Summarise", versions=2)
        data = form(warn_level="2.5", people=[olga.pk], addresses_typed="a@example.org; b@example.org", owner=olga.pk)
        response = operator.post(ADD, data, follow=True)
        made = Monitor.objects.get()
        assert response.redirect_chain[-1][0] == page(made)
        assert (made.alarm, made.warn, made.owner, made.state) == (5_000, 2_500, olga, "alarm")
        assert (list(made.people.all()), made.addresses) == ([olga], ["a@example.org", "b@example.org"])
        text = response.content.decode()
        assert "Error rate over the last hour above 5%, a warning above 2.5%." in text
        assert "10%, 10 calls" in text
        data |= {"prompt": prompt.pk, "version_number": "2", "people": [], "addresses_typed": "", "alarm_level": "0.5"}
        assert operator.post(page(made), data | {"warn_level": ""}).status_code == 302
        made.refresh_from_db()
        assert (made.version.number, made.alarm, made.warn, made.addresses) == (2, 500, None, [])
        assert list(made.people.all()) == []
        initial = operator.get(page(made)).context["adminform"].form.initial
        assert (initial["version_number"], initial["alarm_level"]) == (2, Decimal("0.5"))

    def test_money_is_typed_in_the_workspaces_currency(self, operator, scope):
        Workspace.objects.update(currency="EUR", currency_rate=Decimal("0.5"))
        operator.post(ADD, form(measure="cost", alarm_level="12.50"))
        made = Monitor.objects.get()
        assert made.alarm == 25 * 10**9
        assert operator.get(page(made)).context["adminform"].form.initial["alarm_level"] == Decimal("12.5")
        assert "above €12.50" in operator.get(LIST).content.decode()

    @pytest.mark.parametrize(
        ("fields", "place", "words"),
        [
            ({"alarm_level": ""}, "alarm_level", "Give a level"),
            ({"alarm_level": "NaN"}, "alarm_level", "Enter a number"),
            ({"alarm_level": "Infinity"}, "alarm_level", "Enter a number"),
            ({"alarm_level": "-1"}, "alarm_level", "0 or more"),
            ({"alarm_level": "100"}, "alarm_level", "never above 100%"),
            ({"alarm_level": "0.000001"}, "alarm_level", "too small"),
            ({"alarm_level": "999999999999", "measure": "cost"}, "alarm_level", "more than a level can be"),
            ({"alarm_level": "9" * 40}, "alarm_level", "digits"),
            ({"warn_level": "7"}, "warn_level", "below that of the alarm"),
            ({"measure": "moon"}, "measure", "valid choice"),
            ({"window": "61"}, "window", "valid choice"),
            ({"in_a_row": "0"}, "in_a_row", "greater than or equal"),
            ({"remind_hours": "99999"}, "remind_hours", "less than or equal"),
            ({"version_number": "1"}, "version_number", "Choose the prompt"),
            ({"addresses_typed": "nobody"}, "addresses_typed", "no mail address"),
            ({"webhook": "file:///etc/passwd"}, "webhook", "no web address"),
            ({"webhook": "http://169.254.169.254/latest/"}, "webhook", "serves this machine"),
            ({"name": " "}, "name", "required"),
        ],
    )
    def test_bad_input_is_said_at_its_field(self, operator, scope, fields, place, words):
        response = operator.post(ADD, form(**fields))
        assert response.status_code == 200
        assert words in str(errors(response)[place])
        assert not Monitor.objects.exists()

    def test_pickers_offer_this_workspace_only(self, operator, scope, member):
        elsewhere = factories.workspace()
        with workspace_scope(elsewhere):
            theirs = factories.prompt(elsewhere, name="Their prompt")
        stranger = member(where=elsewhere, username="stranger")
        for field, pk in (
            ("prompt", theirs.pk),
            ("user", stranger.pk),
            ("owner", stranger.pk),
            ("people", stranger.pk),
        ):
            assert field in errors(operator.post(ADD, form(**{field: pk})))
        text = operator.get(ADD).content.decode()
        assert "stranger" not in text
        assert "Their prompt" not in text

    def test_the_address_of_a_webhook_is_never_shown(self, operator, scope, hook):
        operator.post(ADD, form(webhook=hook.url))
        made = Monitor.objects.get()
        for url in (page(made), LIST, reverse("admin:llm_admin_monitor_history", args=[made.pk])):
            text = operator.get(url).content.decode()
            assert "SECRETPATH" not in text
            assert made.webhook_secret not in text
        assert "is stored. Leave this empty" in operator.get(page(made)).content.decode()
        bad = operator.post(page(made), form(name="", webhook=hook.url + "typed")).content.decode()
        assert "SECRETPATH" not in bad
        operator.post(page(made), form())
        made.refresh_from_db()
        assert made.webhook_url == hook.url
        operator.post(page(made), form(remove_webhook="on"))
        made.refresh_from_db()
        assert made.webhook_url is None

    def test_delete(self, operator, scope, system):
        made = monitor(scope, addresses=["a@example.org"])
        monitor_delivery.test(made, actor=system)
        said = operator.get(reverse("admin:llm_admin_monitor_delete", args=[made.pk])).content.decode()
        assert "Monitor: Errors" in said and "Error rate over the last hour above 50%." in said
        assert "Lines of its history: 1" in said and "Messages: 1" in said
        assert "Settings changed" not in said and "deliverys" not in said
        operator.post(reverse("admin:llm_admin_monitor_delete", args=[made.pk]), {"post": "yes"})
        assert not Monitor.objects.exists()


class TestThePreview:
    def test_what_it_would_have_told(self, operator, scope):
        recent(scope, 1, 1, at=timezone.now() - dt.timedelta(minutes=20))
        recent(scope, 0, 3, at=timezone.now() - dt.timedelta(minutes=90))
        response = operator.post(PREVIEW, form(warn_level="2", alarm_level="60"), headers=HTMX)
        text = response.content.decode()
        assert "Error rate over the last hour above 60%, a warning above 2%." in text
        assert "50%, 2 calls" in text
        assert "Of the last 168 times 1 hour, 1 would have been an alarm and 1 a warning; 166 had nothing" in text
        assert text.count("<rect") == 168
        assert text.count("<line") == 2
        assert "status=failed" in text
        assert not Monitor.objects.exists()

    def test_each_measure(self, operator, scope):
        recent(scope, 2, 1, cost_nano=None)
        for key in operator.get(ADD).context["adminform"].form.fields["measure"].choices:
            for window in ("15", "43200"):
                data = form(measure=key[0], window=window, alarm_level="1", direction="above")
                assert "Now:" in operator.post(PREVIEW, data, headers=HTMX).content.decode(), key

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"alarm_level": ""}, "Not yet: Give a level"),
            ({"alarm_level": "x"}, "Not yet: Enter a number"),
            ({"measure": "moon"}, "Not yet: Select a valid choice"),
            ({"name": "", "addresses_typed": "nobody", "webhook": "x"}, "Now:"),
        ],
    )
    def test_what_is_not_there_yet(self, operator, scope, fields, words):
        response = operator.post(PREVIEW, form(**fields), headers=HTMX)
        assert (response.status_code, words in response.content.decode()) == (200, True)

    def test_the_unit_follows_the_number(self, operator, scope):
        assert '<span id="id_alarm_level_helptext">In USD.</span>' in operator.get(ADD).content.decode()
        for measure, words in {"error_rate": "In percent.", "p95": "In seconds.", "calls": "A number."}.items():
            text = operator.post(PREVIEW, form(measure=measure, alarm_level=""), headers=HTMX).content.decode()
            assert f'<span id="id_alarm_level_helptext" hx-swap-oob="true">{words}</span>' in text

    def test_three_readings_whatever_the_window(self, operator, scope):
        recent(scope, 5, 5)
        counts = []
        for window in ("15", "60", "43200"):
            operator.post(PREVIEW, form(window=window), headers=HTMX)
            with CaptureQueriesContext(database) as queries:
                operator.post(PREVIEW, form(window=window), headers=HTMX)
            counts.append(len(queries))
        assert max(counts) - min(counts) <= 2, counts


class TestTheList:
    def test_the_worst_first_with_its_sentence(self, operator, scope, system):
        recent(scope, 1, 1)
        for name, values in {"A fine one": {"alarm": 90_000}, "A warning": {"warn": 10_000, "alarm": 90_000}}.items():
            monitor_watch.look_now(monitor(scope, name=name, **values), actor=system)
        loud = monitor(scope, name="Loud", alarm=10_000)
        monitor_watch.look_now(loud, actor=system)
        monitors.mute(loud, actor=system, hours=1)
        monitor(scope, name="Off", enabled=False)
        response = operator.get(LIST)
        assert [one.name for one in response.context["cl"].result_list] == ["Loud", "A warning", "A fine one", "Off"]
        text = response.content.decode()
        assert "Error rate over the last hour above 10%" in text
        assert "50%, 2 calls" in text
        assert "Muted" in text

    def test_empty(self, operator, scope, member, login):
        said = operator.get(LIST).content.decode()
        assert "Nothing is watched yet" in said and "Add a monitor" in said
        said = login(member(Role.VIEWER, "vera")).get(LIST).content.decode()
        assert "Operators of the workspace make monitors." in said and "Add a monitor" not in said

    def test_queries_do_not_grow(self, operator, scope, olga):
        counts, prompt, model = [], factories.prompt(scope), None
        for number in (1, 12):
            for one in range(number):
                monitor(scope, name=f"{number}-{one}", prompt=prompt, model=model, owner=olga, user=olga)
            catalogue.forget()
            operator.get(LIST)
            catalogue.forget()
            with CaptureQueriesContext(database) as queries:
                operator.get(LIST)
            counts.append(len(queries))
        assert counts[0] == counts[1]


class TestThePage:
    def test_history_and_messages(self, operator, scope, system):
        recent(scope, 0, 1)
        made = monitor(scope, addresses=["a@example.org"], note="Ask Olga.")
        monitor_watch.look_now(made, actor=system)
        monitors.mute(made, actor=system, hours=8)
        text = operator.get(page(made)).content.decode()
        for words in (
            "100%, 1 call; above 50%",
            "For 8 hours",
            "Alarm: Errors",
            "a@example.org",
            "To be sent",
            "Unmute",
        ):
            assert words in text
        assert "MAIL_FROM is not set" in text

    def test_its_buttons(self, operator, scope, olga, hook):
        recent(scope, 0, 1)
        made = monitor(scope, webhook=hook.url)
        assert "Looked just now." in act(operator, "look", made).content.decode()
        hook.answers = [Answer(500, body="Oops")]
        assert "not sent. The server answered 500: Oops" in act(operator, "test", made).content.decode()
        assert "sent." in act(operator, "test", made).content.decode()
        assert [one.json["type"] for one in hook.received] == ["monitor.test"] * 2
        assert "Muted until" in act(operator, "mute", made, hours="1").content.decode()
        assert "Unmute" in act(operator, "mute", made, hours="").content.decode()
        assert "Mute for 1 hour" in act(operator, "unmute", made).content.decode()
        response = act(operator, "secret", made)
        made.refresh_from_db()
        assert made.webhook_secret in response.content.decode()
        assert "no-store" in response.headers["Cache-Control"]
        assert made.webhook_secret not in operator.get(page(made)).content.decode()
        assert set(MonitorEvent.objects.filter(by=olga).values_list("kind", flat=True)) == {
            "muted",
            "unmuted",
            "edited",
        }

    def test_a_test_that_reaches_nobody(self, operator, scope):
        assert "It tells nobody yet" in act(operator, "test", monitor(scope)).content.decode()

    def test_send_again(self, operator, scope, hook, system):
        recent(scope, 0, 1)
        made = monitor(scope, webhook=hook.url)
        monitor_watch.look_now(made, actor=system)
        row = MonitorDelivery.objects.get()
        url = reverse("admin:llm_admin_monitor_again", args=[made.pk, row.pk])
        hook.answers = [Answer(410, body="no_service")]
        assert "not sent. The server answered 410: no_service" in operator.post(url, headers=HTMX).content.decode()
        assert "Send again" in operator.get(page(made)).content.decode()
        assert "sent." in operator.post(url, headers=HTMX).content.decode()
        other = monitor(scope, name="Another")
        for pks in ((other.pk, row.pk), (made.pk, uuid.uuid4())):
            assert operator.post(reverse("admin:llm_admin_monitor_again", args=pks), headers=HTMX).status_code == 404

    def test_without_javascript(self, operator, scope):
        made = monitor(scope)
        assert act(operator, "mute", made, headers={}, hours="1").url == page(made)
        assert "Back to the monitor" in act(operator, "test", made, headers={}).content.decode()
        assert operator.get(reverse("admin:llm_admin_monitor_test", args=[made.pk])).status_code == 405

    @pytest.mark.parametrize("hours", ["0", "-1", "many", "1e3", "9" * 50, "٥"])
    def test_odd_hours(self, operator, scope, hours):
        assert act(operator, "mute", monitor(scope), hours=hours).status_code == 422

    def test_off(self, operator, scope):
        made = monitor(scope, enabled=False)
        assert act(operator, "look", made).status_code == 409
        assert "Look now" not in operator.get(page(made)).content.decode()

    def test_queries_do_not_grow_with_what_happened(self, operator, scope):
        made, counts = monitor(scope), []
        for more in (2, 40):
            now = timezone.now()
            rows = [MonitorEvent(monitor=made, at=now, kind="changed", state="ok", words="x") for _ in range(more)]
            MonitorEvent.objects.bulk_create(rows)
            sent = {"monitor": made, "channel": "mail", "to": "a@example.org", "payload": {}, "created_at": now}
            MonitorDelivery.objects.bulk_create([MonitorDelivery(title="x", **sent) for _ in range(more)])
            operator.get(page(made))
            catalogue.forget()
            with CaptureQueriesContext(database) as queries:
                operator.get(page(made))
            counts.append(len(queries))
        assert counts[0] == counts[1]


class TestWhoMayWhat:
    @pytest.mark.parametrize("role", [Role.VIEWER, Role.AUTHOR])
    def test_others_see_how_it_stands(self, scope, member, login, system, hook, role):
        recent(scope, 0, 1)
        made, client = monitor(scope, webhook=hook.url, addresses=["boss@example.org"], note="Call Ann."), None
        monitor_watch.look_now(made, actor=system)
        client = login(member(role))
        assert "Errors" in client.get(LIST).content.decode()
        text = client.get(page(made)).content.decode()
        for words in ("Error rate over the last hour above 50%", "100%, 1 call", "Call Ann."):
            assert words in text
        for words in ("boss@example.org", "127.0.0.1", "Send a test", "Mute", 'name="measure"'):
            assert words not in text
        before = list(Monitor.objects.values()), MonitorDelivery.objects.count()
        assert client.post(page(made), form(name="Mine")).status_code == 403
        assert client.get(ADD).status_code == client.post(PREVIEW, form()).status_code == 403
        assert [act(client, name, made).status_code for name in ACTS] == [403] * 5
        row = MonitorDelivery.objects.first()
        again = reverse("admin:llm_admin_monitor_again", args=[made.pk, row.pk])
        assert client.post(again).status_code == 403
        assert (list(Monitor.objects.values()), MonitorDelivery.objects.count()) == before
        assert hook.received == []

    def test_what_one_person_uses_is_not_for_everybody(self, scope, member, login, system):
        recent(scope, 0, 1)
        ann, bob = member(username="ann"), member(username="bob")
        recent(scope, 0, 1, user=ann)
        of_ann = monitor(scope, name="What Ann uses", user=ann)
        monitor_watch.look_now(of_ann, actor=system)
        for person, sees in ((ann, True), (bob, False), (member(Role.OPERATOR), True)):
            client = login(person)
            assert ("What Ann uses" in client.get(LIST).content.decode()) is sees
            assert (client.get(page(of_ann)).status_code == 200) is sees
            assert (client.get(HOME).context["monitors"] is not None) is sees

    def test_of_another_workspace(self, operator, scope):
        elsewhere = factories.workspace()
        with workspace_scope(elsewhere):
            theirs = monitor(elsewhere, name="Theirs")
        assert operator.get(page(theirs)).status_code == 302
        assert [act(operator, name, theirs).status_code for name in ACTS] == [404] * 5
        assert "Theirs" not in operator.get(LIST).content.decode()


class TestHome:
    def test_what_fires_with_links(self, operator, scope, system, login, member):
        recent(scope, 0, 1)
        log(scope)
        assert operator.get(HOME).context["monitors"] is None
        made = monitor(scope, alarm=20_000)
        monitor_watch.look_now(made, actor=system)
        monitor_watch.look_now(monitor(scope, name="Warn", alarm=None, warn=10_000), actor=system)
        response = operator.get(HOME)
        assert response.context["monitors"].title == "1 alarm, 1 warning"
        text = response.content.decode()
        assert page(made) in text
        assert "need a look" in operator.get(LIST).content.decode()
        assert login(member(Role.VIEWER)).get(HOME).context["monitors"].title == "1 alarm, 1 warning"
