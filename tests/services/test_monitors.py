"""Monitors on real logs: what they measure, what they refuse, whom they tell, and that two looks tell nobody twice."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from pytest import approx

from llm_admin.choices import Role
from llm_admin.exceptions import Conflict, InvalidInput, NotFound, PermissionRefused
from llm_admin.models import (
    Deployment,
    InteractionFeedback,
    LanguageModel,
    Membership,
    Monitor,
    MonitorDelivery,
    MonitorEvent,
    Workspace,
)
from llm_admin.selectors import monitors as selector
from llm_admin.selectors.monitor_measures import MEASURES, Unit
from llm_admin.services import actors, documents, monitor_watch, monitors
from llm_admin.services.monitor_words import finding, sentence, to_stored, to_typed, value_text
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.services.monitor_rows import HOUR, MINUTE, NOW, calls, deliveries, events, look, monitor


@pytest.fixture
def olga(member):
    person = member(Role.OPERATOR, "olga")
    get_user_model()._default_manager.filter(pk=person.pk).update(email="olga@example.org")
    return person


@pytest.fixture
def operator(scope, olga):
    return actors.Actor(scope, olga, Role.OPERATOR)


def measured(where, key, **values):
    made = monitor(where, name=f"m{Monitor.objects.count()}", measure=key, alarm=1, **values)
    value = selector.reading(made, NOW).value
    return None if value is None else float(value)


class TestMeasures:
    def test_each_on_the_same_calls(self, scope):
        calls(scope, 6, 2, latency_ms=100, first_token_ms=50, cost_nano=1_000)
        calls(scope, 2, 0, latency_ms=900, cost_nano=None)
        calls(scope, 9, 0, at=NOW - 2 * HOUR)
        found = {key: measured(scope, key) for key in MEASURES if "down" not in key}
        assert found == {
            "cost": 8_000, "error_rate": 20_000, "errors": 2, "p95": approx(900, rel=0.025),
            "p50": approx(100, rel=0.025), "first_p95": approx(50, rel=0.025), "calls": 10, "unknown_cost": 2,
        }  # fmt: skip

    def test_narrowed_down_by_everything(self, scope, olga):
        prompt, other = factories.prompt(scope), factories.prompt(scope)
        version, workflow = documents.version_of(prompt), factories.workflow(scope)
        model = LanguageModel.objects.get()
        place = Deployment.objects.get()
        calls(scope, 1, 0, prompt=prompt, prompt_version=version, user=olga, source="batch")
        calls(scope, 1, 0, prompt=other, workflow=workflow, model=model, deployment=place)
        only = {"prompt": prompt, "version": version, "user": olga, "workflow": workflow, "model": model}
        only |= {"deployment": place, "source": "batch"}
        assert [measured(scope, "calls", **{name: value}) for name, value in only.items()] == [1] * 7
        assert measured(scope, "calls", prompt=other, user=olga) == 0

    def test_thumbs_down(self, scope):
        prompt = factories.prompt(scope)
        assert (measured(scope, "thumbs_down"), measured(scope, "down_share")) == (0, None)
        for number, value in enumerate(["up", "up", "up", "down"]):
            InteractionFeedback.objects.create(
                workspace=scope, log_id=number, value=value, prompt=prompt, answered_at=NOW - 9 * HOUR, source="studio"
            )
        InteractionFeedback.objects.update(updated_at=NOW - 20 * MINUTE)
        assert (measured(scope, "thumbs_down"), measured(scope, "down_share")) == (1, 25_000)
        assert measured(scope, "thumbs_down", prompt=factories.prompt(scope)) == 0
        made = Monitor.objects.filter(measure="down_share").first()
        assert [float(one.reading.value) for one in selector.windows(made, NOW) if one.reading.value] == [25_000]

    def test_too_few_calls_are_nothing_to_judge(self, scope):
        calls(scope, 0, 4)
        assert measured(scope, "error_rate", min_calls=5) is None
        assert measured(scope, "error_rate", min_calls=4) == 100_000
        assert measured(scope, "calls", min_calls=5, direction="below") == 4
        assert measured(scope, "errors", min_calls=5) is None

    def test_an_unknown_cost_is_not_nothing(self, scope):
        assert measured(scope, "cost") == 0
        calls(scope, 3, 0, cost_nano=None)
        assert measured(scope, "cost") is None

    def test_windows_before_now_equal_single_readings(self, scope):
        made = monitor(scope, window=15)
        for number in range(6):
            calls(scope, number, 1, at=NOW - number * 7 * MINUTE - MINUTE)
        found = selector.windows(made, NOW)
        assert len(found) == 96
        assert NOW - found[-1].until < 15 * MINUTE
        assert found[-1].until - found[0].since == 24 * HOUR
        assert sum(one.reading.counted for one in found) > 0
        assert [one.reading for one in found] == [selector.reading(made, one.until) for one in found]
        assert [selector.how_many(window) for window in (60, 1440, 10080, 43200)] == [168, 12, 12, 6]


class TestLooks:
    def test_it_fires_once_and_recovers(self, scope, olga):
        made = monitor(scope, people=[olga])
        calls(scope, 1, 3)
        assert look(made) == "alarm"
        assert (made.value, made.counted, made.since) == (75_000, 4, NOW)
        assert look(made, NOW + MINUTE) == "alarm"
        assert look(made, NOW + 3 * HOUR) == "alarm", "nothing to judge: it stays as it is"
        calls(scope, 2, 0, at=NOW + 3 * HOUR)
        assert look(made, NOW + 3 * HOUR + MINUTE) == "ok"
        assert events(made) == ["changed unknown>alarm", "changed alarm>ok"]
        assert [one.title for one in deliveries(made)] == ["Alarm: Errors", "Fine again: Errors"]
        assert {one.to for one in deliveries(made)} == {"olga@example.org"}

    def test_two_processes_tell_nobody_twice(self, scope):
        made = monitor(scope, addresses=["a@example.org"])
        calls(scope, 0, 1)
        seen_by = [Monitor.objects.get(pk=made.pk) for _ in range(2)]
        assert [monitor_watch.look(one, now=NOW) for one in seen_by] == [True, False]
        assert (len(deliveries(made)), len(events(made))) == (1, 1)

    def test_what_is_changed_meanwhile_wins(self, scope, system):
        made = monitor(scope, addresses=["a@example.org"])
        calls(scope, 0, 1)
        late = Monitor.objects.get(pk=made.pk)
        monitors.mute(made, actor=system, hours=1)
        assert not monitor_watch.look(late, now=NOW)
        late = Monitor.objects.get(pk=made.pk)
        made.enabled = False
        monitors.save(made, actor=system)
        assert not monitor_watch.look(late, now=NOW)
        assert deliveries(made) == []

    def test_once_a_minute_the_longest_waiting_first(self, scope, system):
        fine = monitor(scope)
        monitor(scope, name="Off", enabled=False)
        strange = monitor(scope, name="Strange")
        Monitor.objects.filter(pk=strange.pk).update(measure="of a later version")
        elsewhere = factories.workspace()
        with workspace_scope(elsewhere):
            theirs = monitor(elsewhere)
            calls(elsewhere, 0, 1)
        assert monitor_watch.look_at_due(NOW) == 2
        assert monitor_watch.look_at_due(NOW + MINUTE / 2) == 0
        assert monitor_watch.look_at_due(NOW + MINUTE) == 2
        fine.refresh_from_db()
        theirs.refresh_from_db()
        assert (fine.state, theirs.state) == ("unknown", "alarm")

    def test_a_message_is_kept_with_the_change_or_neither(self, scope, monkeypatch):
        made = monitor(scope, addresses=["a@example.org"])
        calls(scope, 0, 1)
        monkeypatch.setattr(MonitorDelivery._base_manager, "bulk_create", _broken)
        with pytest.raises(RuntimeError):
            monitor_watch.look(made, now=NOW)
        made.refresh_from_db()
        assert (made.state, events(made)) == ("unknown", [])

    def test_queries_of_a_quiet_look(self, scope):
        made = monitor(scope)
        calls(scope, 1, 0)
        look(made)
        with CaptureQueriesContext(database) as queries:
            monitor_watch.look(made, now=NOW)
        writes = [one["sql"] for one in queries if one["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
        assert len(writes) == 1

    def test_history_does_not_grow_for_ever(self, scope):
        made = monitor(scope)
        MonitorEvent.objects.update(at=NOW - dt.timedelta(days=500))
        calls(scope, 0, 1)
        look(made)
        assert MonitorEvent.objects.count() == 1

    def test_off_and_on_begins_anew(self, scope, system):
        made = monitor(scope, addresses=["a@example.org"])
        calls(scope, 0, 1)
        look(made)
        made.enabled = False
        monitors.save(made, actor=system)
        assert (made.state, made.told) == ("unknown", "")
        with pytest.raises(Conflict, match="is off"):
            monitor_watch.look_now(made, actor=system)
        made.enabled = True
        monitors.save(made, actor=system)
        assert look(made) == "alarm"
        assert len(deliveries(made)) == 2


def _broken(*_, **__):
    raise RuntimeError("the machine stops")


class TestMuting:
    def test_it_is_looked_at_but_nobody_is_told(self, scope, operator):
        made = monitor(scope, addresses=["a@example.org"])
        calls(scope, 0, 1, at=NOW)
        monitors.mute(made, actor=operator, hours=None)
        assert look(made, NOW + MINUTE) == "alarm"
        assert deliveries(made) == []
        monitors.unmute(made, actor=operator)
        assert look(made, NOW + 2 * MINUTE) == "alarm"
        assert [one.title for one in deliveries(made)] == ["Alarm: Errors"]
        assert events(made) == ["muted >unknown", "changed unknown>alarm", "unmuted >alarm", "told alarm>alarm"]
        assert MonitorEvent.objects.filter(kind="muted").get().by == operator.user

    def test_for_some_hours(self, scope, operator):
        made = monitor(scope)
        monitors.mute(made, actor=operator, hours=8)
        assert made.is_muted(made.muted_at + 7 * HOUR)
        assert not made.is_muted(made.muted_at + 8 * HOUR)
        for hours in (0, -1, 10**6):
            with pytest.raises(InvalidInput):
                monitors.mute(made, actor=operator, hours=hours)


class TestSaving:
    @pytest.mark.parametrize(
        ("values", "place", "words"),
        [
            ({"measure": "moon"}, "measure", "Choose what"),
            ({"alarm": None}, "alarm", "Give a level"),
            ({"alarm": -1}, "alarm", "0 or more"),
            ({"alarm": 2 * 10**18, "measure": "cost"}, "alarm", "more than a level can be"),
            ({"alarm": 100_000}, "alarm", "never above 100%"),
            ({"alarm": 0, "direction": "below"}, "alarm", "never below 0"),
            ({"warn": 50_000}, "warn", "below that of the alarm"),
            ({"warn": 40_000, "direction": "below"}, "warn", "above that of the alarm"),
            ({"direction": "sideways"}, "direction", "valid choice"),
            ({"window": 7}, "window", "valid choice"),
            ({"in_a_row": 0}, "in_a_row", "greater than or equal"),
            ({"min_calls": 10**10}, "min_calls", "less than or equal"),
            ({"remind_hours": 10_000}, "remind_hours", "less than or equal"),
            ({"addresses": ["a@example.org", "nobody"]}, "addresses", "no mail address"),
            ({"addresses": ["a@example.org\nBcc: b@example.org"]}, "addresses", "no mail address"),
            ({"addresses": [f"a{n}@example.org" for n in range(21)]}, "addresses", "At most 20"),
            ({"webhook": "file:///etc/passwd"}, "webhook", "no web address"),
            ({"webhook": "gopher://example.org"}, "webhook", "no web address"),
            ({"webhook": "http://169.254.169.254/latest/meta-data/"}, "webhook", "serves this machine"),
            ({"webhook": "http://10.0.0.7/hook"}, "webhook", "OUTGOING_PRIVATE_HOSTS"),
            ({"webhook": "http://2130706433/"}, "webhook", "odd way"),
            ({"webhook": "https://user:pass@example.org/"}, "webhook", "no user name"),
            ({"webhook": "https://example.org/\r\nX-Evil: 1"}, "webhook", "spaces or characters"),
            ({"webhook": "https://example.org/" + "a" * 3000}, "webhook", "spaces or characters"),
            ({"name": "a\0b"}, "name", "NUL|database|character"),
            ({"name": ""}, "name", "blank"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_place(self, scope, values, place, words):
        with pytest.raises(InvalidInput) as refused:
            monitor(scope, **values)
        found = {str(one.location[0]): one.message for one in refused.value.problems}
        assert any(word in found[place] for word in words.split("|")), found
        assert not Monitor.objects.exists()

    def test_only_what_is_here(self, scope, member, olga):
        elsewhere = factories.workspace()
        with workspace_scope(elsewhere):
            prompt = factories.prompt(elsewhere)
            version = documents.version_of(prompt)
        stranger = member(where=elsewhere)
        for values in (
            {"prompt": prompt}, {"version": version}, {"user": stranger}, {"owner": stranger}, {"people": [stranger]},
        ):  # fmt: skip
            with pytest.raises(InvalidInput, match="of this workspace"):
                monitor(scope, **values)
        mine, other = factories.prompt(scope), factories.prompt(scope)
        with pytest.raises(InvalidInput, match="another prompt"):
            monitor(scope, prompt=mine, version=documents.version_of(other))
        with pytest.raises(InvalidInput, match="cannot be narrowed down"):
            monitor(scope, measure="down_share", user=olga)
        monitor(scope)
        with pytest.raises(InvalidInput, match="of this name"):
            monitor(scope)

    def test_who_may_not(self, scope, member, system):
        made = monitor(scope, webhook="https://example.org/hook")
        author = actors.Actor(scope, member(Role.AUTHOR), Role.AUTHOR)
        elsewhere = actors.system(factories.workspace())
        acts = (
            lambda actor: monitors.save(made, actor=actor),
            lambda actor: monitors.mute(made, actor=actor, hours=1),
            lambda actor: monitors.unmute(made, actor=actor),
            lambda actor: monitors.replace_secret(made, actor=actor),
            lambda actor: monitors.delete(made, actor=actor),
            lambda actor: monitor_watch.look_now(made, actor=actor),
        )
        for act in acts:
            with pytest.raises(PermissionRefused):
                act(author)
            with pytest.raises(NotFound):
                act(elsewhere)

    def test_saving_leaves_how_it_stands_alone(self, scope, system):
        made = monitor(scope)
        stale = Monitor.objects.get(pk=made.pk)
        calls(scope, 0, 1)
        look(made)
        stale.name, stale.note = "Failures", "Ask Olga."
        monitors.save(stale, actor=system)
        assert (stale.name, stale.state, stale.value) == ("Failures", "alarm", 100_000)
        stale.measure, stale.alarm = "calls", 3
        monitors.save(stale, actor=system)
        assert (stale.state, stale.value) == ("alarm", None)
        words = MonitorEvent.objects.filter(kind="edited").latest("pk").words
        assert words == "Changed: Number of calls over the last hour above 3"

    def test_the_webhook_is_kept_encrypted_and_by_its_secret(self, scope, system):
        made = monitor(scope, webhook="https://example.org/hook/abc")
        secret = made.webhook_secret
        assert secret.startswith("whsec_")
        with database.cursor() as cursor:
            cursor.execute("select webhook_url, webhook_secret from llm_admin_monitor")
            stored = json.dumps(cursor.fetchone())
        assert "example.org" not in stored
        assert secret not in stored
        monitors.save(made, actor=system)
        assert (made.webhook_url, made.webhook_secret) == ("https://example.org/hook/abc", secret)
        new = monitors.replace_secret(made, actor=system)
        made.refresh_from_db()
        assert made.webhook_secret == new != secret
        assert monitors.reencrypt() == (1, [])
        monitors.save(made, actor=system, remove_webhook=True)
        assert made.webhook_url is None
        with pytest.raises(Conflict, match="no webhook"):
            monitors.replace_secret(made, actor=system)

    def test_deleted_with_what_it_watches(self, scope, system):
        prompt = factories.prompt(scope)
        made = monitor(scope, prompt=prompt, addresses=["a@example.org"])
        calls(scope, 0, 1, prompt=prompt)
        look(made)
        monitors.delete(made, actor=system)
        assert not MonitorDelivery._base_manager.exists()


class TestRecipients:
    def test_only_members_who_are_still_there_and_each_once(self, scope, member, olga):
        gone, off, silent = member(username="gone"), member(username="off"), member(username="silent")
        for person in (gone, off):
            person.email = f"{person.username}@example.org"
            person.save()
        made = monitor(scope, people=[olga, gone, off, silent], addresses=["Olga@example.org", "list@example.org"])
        Membership.objects.filter(user=gone).delete()
        off.is_active = False
        off.save()
        calls(scope, 0, 1)
        look(made)
        assert [one.to for one in deliveries(made)] == ["Olga@example.org", "list@example.org"]


class TestWords:
    def test_sentences(self, scope, olga):
        prompt = factories.prompt(scope, name="Summarise")
        made = monitor(scope, prompt=prompt, warn=2_000, alarm=5_000, user=olga)
        assert sentence(made, scope) == (
            "Error rate of the prompt “Summarise”, calls by olga over the last hour above 5%, a warning above 2%"
        )
        made = monitor(scope, name="b", measure="cost", alarm=None, warn=10**9, window=10080, source="batch")
        assert sentence(made, scope) == "Cost of calls from “Batch” over the last 7 days above $1.00"
        version = documents.version_of(prompt)
        made = monitor(scope, name="c", measure="p95", alarm=2_500, version=version, direction="below")
        assert "p95) of version 1 of “Summarise” over the last hour below 2.5 s" in sentence(made, scope)

    @pytest.mark.parametrize(
        ("typed", "unit", "stored", "shown"),
        [
            ("5", Unit.SHARE, 5_000, "5%"),
            ("0.125", Unit.SHARE, 125, "0.125%"),
            ("2.5", Unit.TIME, 2_500, "2.5 s"),
            ("300", Unit.TIME, 300_000, "5 min"),
            ("0.5", Unit.MONEY, 250_000_000, "€0.50"),
            ("1000", Unit.COUNT, 1_000, "1,000"),
        ],
    )
    def test_levels_there_and_back(self, typed, unit, stored, shown):
        where = Workspace(currency="EUR", currency_rate=Decimal(2))
        assert to_stored(Decimal(typed), unit, where) == stored
        assert to_typed(stored, unit, where) == Decimal(typed)
        assert value_text(stored, unit, where) == shown

    def test_findings(self, scope):
        made = monitor(scope)
        assert finding(made, "alarm", 75_000, 4, scope) == "75%, 4 calls; above 50%"
        assert finding(made, "ok", 0, 1, scope) == "0%, 1 call"
        used = monitor(scope, name="Used", measure="calls", direction="below", alarm=5)
        assert finding(used, "alarm", 1, 1, scope) == "1 call; below 5"
        assert finding(made, "no_data", None, 0, scope) == "There were no calls to judge"
        assert finding(made, "no_data", None, 3, scope) == "There were only 3 calls, too few to judge"
        assert not math.isnan(float(finding(made, "ok", 1 / 3, 3, scope).split("%")[0]))
