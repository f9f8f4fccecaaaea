"""What monitors send, to a real server and a real mail box: signed, again after a failure, given up in the open."""

from __future__ import annotations

import datetime as dt
import email.utils
import json
import re
import threading
import uuid
from pathlib import Path

import pytest

from llm_admin.choices import Role
from llm_admin.exceptions import Conflict, NotFound, PermissionRefused
from llm_admin.models import Connection, Monitor, MonitorDelivery
from llm_admin.services import actors, catalogue, monitor_delivery, monitor_watch, monitor_webhook, monitors
from llm_admin.services.monitor_webhook import retry_after
from tests import factories
from tests.servers.webhook_server import Answer, WebhookServer
from tests.services.monitor_rows import HOUR, MINUTE, NOW, calls, deliveries, look, monitor

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "developers.md"
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def hook():
    with WebhookServer() as server:
        yield server


@pytest.fixture
def mails(settings, mailoutbox):
    settings.LLM_ADMIN = {**settings.LLM_ADMIN, "MAIL_FROM": "console@example.com", "PUBLIC_URL": "https://c.test/"}
    return mailoutbox


def alarm(where, hook=None, **values):
    made = monitor(where, webhook=hook.url if hook else "", **values)
    calls(where, 1, 3)
    assert look(made) == "alarm"
    made.refresh_from_db()
    return made


def send(made, at=NOW):
    """The only message, after everything that is due was sent."""
    monitor_delivery.send_due(at)
    return deliveries(made)[0]


class TestWebhooks:
    def test_what_is_posted(self, scope, hook, settings):
        settings.LLM_ADMIN = {**settings.LLM_ADMIN, "PUBLIC_URL": "https://c.test/"}
        made = alarm(scope, hook, warn=20_000, note="Ask Olga.")
        sent = send(made)
        assert (sent.status, sent.attempts, sent.status_code, sent.problem) == ("sent", 1, 200, "")
        (got,) = hook.received
        url = f"https://c.test/admin/llm_admin/monitor/{made.pk}/change/"
        assert got.json == {
            "id": str(sent.pk),
            "type": "monitor.alarm",
            "reminder": False,
            "at": NOW.isoformat(),
            "workspace": "default",
            "monitor": {"id": made.pk, "name": "Errors", "note": "Ask Olga.", "url": url},
            "state": "alarm",
            "previous_state": "unknown",
            "since": NOW.isoformat(),
            "measure": "error_rate",
            "value": 75.0,
            "unit": "percent",
            "counted": 4,
            "direction": "above",
            "warn": 20.0,
            "alarm": 50.0,
            "window_minutes": 60,
            "text": "Error rate over the last hour: 75%, 4 calls; above 50%. Ask Olga.",
        }
        assert got.headers["x-llm-console-delivery"] == str(sent.pk)
        assert got.headers["content-type"] == "application/json"
        assert got.path == "/hooks/T0/SECRETPATH?key=hidden"

    def test_the_guides_snippet_takes_ours_and_nothing_else(self, scope, hook):
        made = alarm(scope, hook)
        send(made)
        (got,) = hook.received
        code = re.search(r"```python\n(import hashlib.*?)```", GUIDE.read_text(), re.DOTALL)
        space: dict = {}
        exec(code[1], space)
        genuine, sent_at = space["is_genuine"], float(got.headers["x-llm-console-timestamp"])
        assert genuine(made.webhook_secret, got.headers, got.body, now=sent_at)
        assert not genuine(made.webhook_secret, got.headers, got.body + b" ", now=sent_at)
        assert not genuine("another", got.headers, got.body, now=sent_at)
        assert not genuine(made.webhook_secret, got.headers, got.body, now=sent_at + 3600), "replayed"
        later = got.headers | {"x-llm-console-timestamp": str(int(sent_at) + 1)}
        assert not genuine(made.webhook_secret, later, got.body, now=sent_at)
        assert not genuine(made.webhook_secret, {}, got.body, now=sent_at)

    def test_for_slack(self, scope, hook):
        made = alarm(scope, hook, name="A <b> & c", webhook_kind="slack", note="See <!channel>")
        send(made)
        (got,) = hook.received
        text = got.json["text"]
        assert set(got.json) == {"text"}
        assert text.splitlines()[0].endswith("|Alarm: A &lt;b&gt; &amp; c>")
        assert "See &lt;!channel&gt;" in text
        assert "75%, 4 calls; above 50%" in text

    def test_it_is_tried_again_and_given_up_in_the_open(self, scope, hook):
        made = alarm(scope, hook)
        hook.answers = [Answer(500, body="Oops")] * 9
        at, waits = NOW, []
        for _ in range(5):
            one = send(made, at)
            assert send(made, at).attempts == one.attempts, "not before its time"
            if one.next_at:
                waits.append((one.next_at - at) / MINUTE)
                at = one.next_at
        assert waits == [1, 5, 30, 120]
        assert (one.status, one.attempts, one.status_code) == ("given_up", 5, 500)
        assert one.problem == "The server answered 500: Oops"
        assert {got.headers["x-llm-console-delivery"] for got in hook.received} == {str(one.pk)}
        assert len({got.body for got in hook.received}) == 1
        send(made, at + 100 * HOUR)
        assert len(hook.received) == 5

    def test_it_gets_through_at_last(self, scope, hook):
        made = alarm(scope, hook)
        hook.answers = [Answer(503)]
        assert send(made).status == "pending"
        one = send(made, NOW + MINUTE)
        assert (one.status, one.attempts, one.status_code, one.problem) == ("sent", 2, 200, "")

    @pytest.mark.parametrize(
        ("value", "minutes"), [("600", 10), ("5", 1), ("99999999999", 24 * 60), ("soon", 1), ("-5", 1), ("", 1)]
    )
    def test_retry_after(self, scope, hook, value, minutes):
        made = alarm(scope, hook)
        hook.answers = [Answer(429, {"Retry-After": value} if value else {})]
        assert send(made).next_at == NOW + minutes * MINUTE

    def test_retry_after_as_a_date(self):
        now = NOW.timestamp()
        assert retry_after(email.utils.format_datetime(NOW + 90 * SECOND, usegmt=True), now=now) == 90
        assert retry_after(email.utils.format_datetime(NOW - HOUR, usegmt=True), now=now) == 0

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (Answer(302, {"Location": "/elsewhere"}), "sends requests on"),
            (Answer(307, {"Location": "http://169.254.169.254/latest/"}), "sends requests on"),
            (Answer(410, body="no_service"), "answered 410: no_service"),
        ],
    )
    def test_what_would_not_help_is_not_tried_again(self, scope, hook, answer, words):
        made = alarm(scope, hook)
        hook.answers = [answer]
        one = send(made)
        assert one.status == "given_up"
        assert words in one.problem
        assert len(hook.received) == 1

    def test_an_address_that_is_not_allowed_any_more(self, scope, hook, settings):
        made = alarm(scope, hook)
        settings.LLM_ADMIN = {**settings.LLM_ADMIN, "OUTGOING_PRIVATE_HOSTS": []}
        one = send(made)
        assert one.status == "given_up"
        assert "this server's own network" in one.problem
        assert hook.received == []

    def test_a_server_that_does_not_answer(self, scope, hook, monkeypatch):
        monkeypatch.setattr(monitor_webhook, "TIMEOUT", 0.3)
        made = alarm(scope, hook)
        hook.answers = [Answer(wait=True)]
        assert (send(made).status, send(made).problem) == ("pending", "No answer within 0 seconds.")

    def test_nobody_at_that_address(self, scope):
        made = monitor(scope, webhook="http://127.0.0.1:9/hook")
        calls(scope, 0, 1)
        look(made)
        one = send(made)
        assert one.status == "pending"
        assert one.problem.startswith("The server could not be reached (ConnectError")

    def test_secrets_that_a_server_repeats_are_masked(self, scope, hook):
        key = "sk-proj-Planted0123456789abcdefghijklmnop"
        Connection.objects.create(workspace=scope, name="Other", provider="openai", api_key=key)
        catalogue.forget()
        made = alarm(scope, hook)
        echo = f"no /hooks/T0/SECRETPATH?key=hidden at {hook.url} with {key}\n\x1b[31m" + "x" * 900
        hook.answers = [Answer(400, body=echo)]
        shown = send(made).problem
        assert shown.startswith("The server answered 400: no •••")
        assert not any(secret in shown for secret in ("SECRETPATH", "hidden", key, "\x1b", "\n"))
        assert len(shown) <= 300

    def test_when_the_secret_key_was_changed(self, scope, hook):
        made = alarm(scope, hook)
        Monitor.objects.filter(pk=made.pk).update(webhook_url="gAAAAABnotreadable")
        assert "cannot be read any more" in send(made).problem

    def test_a_webhook_that_was_taken_away(self, scope, hook, system):
        made = alarm(scope, hook)
        monitors.save(made, actor=system, remove_webhook=True)
        assert "no webhook any more" in send(made).problem


class TestNothingIsLost:
    def test_a_server_that_stops_in_the_middle(self, scope, hook):
        """The attempt was counted and never ended: another one is made when its time is over."""
        made = alarm(scope, hook)
        (row,) = deliveries(made)
        assert monitor_delivery._claim(row, NOW)
        assert send(made, NOW + MINUTE).status == "pending"
        assert hook.received == []
        assert send(made, NOW + 3 * MINUTE).status == "sent"

    def test_it_stops_in_the_last_one(self, scope, hook):
        made = alarm(scope, hook)
        MonitorDelivery.objects.update(attempts=5)
        one = send(made)
        assert (one.status, one.problem) == ("given_up", "The server stopped during the last attempt.")

    def test_two_senders(self, scope, hook):
        made = alarm(scope, hook)
        (first,), (second,) = deliveries(made), deliveries(made)
        assert [monitor_delivery._claim(one, NOW) for one in (first, second)] == [True, False]


class TestMails:
    def test_what_it_says(self, scope, mails):
        made = alarm(scope, addresses=["a@example.org"], note="Look at the prompt.\nThen ask Olga.")
        assert send(made).status == "sent"
        (mail,) = mails
        assert (mail.subject, mail.from_email, mail.to) == ("Alarm: Errors", "console@example.com", ["a@example.org"])
        assert mail.body.split("\n\n") == [
            "Error rate over the last hour: 75%, 4 calls; above 50%.",
            "Look at the prompt.\nThen ask Olga.",
            f"Workspace “Default”. Seen at {NOW:%Y-%m-%d %H:%M} UTC.",
            f"https://c.test/admin/llm_admin/monitor/{made.pk}/change/",
        ]

    def test_reminders_say_since_when(self, scope, mails):
        made = alarm(scope, addresses=["a@example.org"], remind_hours=1, window=1440)
        look(made, NOW + HOUR + MINUTE)
        monitor_delivery.send_due(NOW + 2 * HOUR)
        assert [mail.subject for mail in mails] == ["Alarm: Errors", "Still in alarm: Errors"]
        assert "(1 h 1 min)" in mails[1].body

    def test_names_make_no_headers(self, scope, mails):
        made = alarm(scope, name="Errors\r\nBcc: everybody@example.org", addresses=["a@example.org"])
        send(made)
        assert mails[0].subject == "Alarm: Errors Bcc: everybody@example.org"
        assert mails[0].recipients() == ["a@example.org"]

    def test_without_a_sender_it_is_said(self, scope, mailoutbox):
        one = send(alarm(scope, addresses=["a@example.org"]))
        assert (one.status, one.problem) == ("given_up", monitor_delivery.NO_MAILS)
        assert mailoutbox == []

    def test_no_mail_server(self, scope, mails, settings):
        settings.EMAIL_BACKEND, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", 9
        settings.EMAIL_HOST = "127.0.0.1"
        one = send(alarm(scope, addresses=["a@example.org"]))
        assert (one.status, one.problem) == ("pending", "The mail could not be sent (ConnectionRefusedError).")


class TestByHand:
    def test_a_test_says_so_and_is_tried_once(self, scope, hook, mails, system):
        made = monitor(scope, webhook=hook.url, addresses=["a@example.org"], enabled=False)
        hook.answers = [Answer(404, body="no_team")]
        mail, posted = monitor_delivery.test(made, actor=system)
        assert (mail.status, posted.status, posted.attempts) == ("sent", "given_up", 1)
        assert posted.problem == "The server answered 404: no_team"
        assert mails[0].subject == "This is a test: Errors"
        assert "nothing has happened" in mails[0].body
        assert hook.received[0].json["type"] == "monitor.test"
        made.refresh_from_db()
        assert (made.state, made.told) == ("unknown", "")

    def test_send_again(self, scope, hook, system):
        made = alarm(scope, hook)
        hook.answers = [Answer(410)]
        one = send(made)
        again = monitor_delivery.send_again(one, actor=system)
        assert (again.status, again.attempts, again.pk) == ("sent", 2, one.pk)
        hook.answers = [Answer(500)]
        assert monitor_delivery.send_again(again, actor=system).status == "given_up", "one attempt"

    def test_send_again_what_waits_goes_on_waiting(self, scope, hook, system):
        made = alarm(scope, hook)
        hook.answers = [Answer(500), Answer(500)]
        again = monitor_delivery.send_again(send(made), actor=system)
        assert (again.status, again.attempts) == ("pending", 2)

    def test_two_people_at_once(self, scope, hook, system):
        made = alarm(scope, hook)
        (first,), (second,) = deliveries(made), deliveries(made)
        monitor_delivery.send_again(first, actor=system)
        with pytest.raises(Conflict):
            monitor_delivery.send_again(second, actor=system)

    def test_who_may_not(self, scope, hook, member):
        made = alarm(scope, hook)
        (row,) = deliveries(made)
        author = actors.Actor(scope, member(Role.AUTHOR), Role.AUTHOR)
        elsewhere = actors.system(factories.workspace())
        for act in (
            lambda a: monitor_delivery.test(made, actor=a),
            lambda a: monitor_delivery.send_again(row, actor=a),
        ):
            with pytest.raises(PermissionRefused):
                act(author)
            with pytest.raises(NotFound):
                act(elsewhere)
        assert hook.received == []


def test_a_thousand_values_are_one_json(scope, hook):
    """Huge levels and odd names come out as JSON that every program reads."""
    made = monitor(scope, webhook=hook.url, measure="cost", alarm=10**18, direction="below", name="☃ \u2028 “q”")
    look(made)
    send(made)
    body = json.loads(hook.received[0].body)
    assert body["alarm"] == 1e9
    assert body["value"] == 0
    assert uuid.UUID(body["id"])


@pytest.mark.django_db(transaction=True)
async def test_the_tick_looks_and_sends(workspace, hook):
    """As the server does it: in threads of its own, nothing waited for."""
    from asgiref.sync import sync_to_async

    from llm_admin.tenancy import workspace_scope

    def prepare():
        with workspace_scope(workspace):
            calls(workspace, 0, 1, at=dt.datetime.now(dt.UTC) - MINUTE)
            return monitor(workspace, webhook=hook.url)

    await sync_to_async(prepare, thread_sensitive=False)()
    came = threading.Event()
    for _ in range(200):
        await monitor_watch.tick()
        for task in list(monitor_watch._under_way.values()):
            await task
        if hook.received:
            came.set()
            break
    assert came.is_set()
    assert hook.received[0].json["state"] == "alarm"
