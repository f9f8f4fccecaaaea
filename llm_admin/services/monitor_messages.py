"""What people and programs are told by a monitor: the rows to be sent, one for each place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from llm_admin.choices import DeliveryChannel, MonitorState, WebhookKind
from llm_admin.conf import settings
from llm_admin.models import Membership, Monitor, MonitorDelivery
from llm_admin.selectors.monitor_measures import Reading, Unit
from llm_admin.services import monitor_words as words
from llm_admin.services.monitor_rules import Tell
from llm_admin.services.monitor_webhook import host_of

TEST = "This is a test"
REMINDER = {MonitorState.ALARM: "Still in alarm", MonitorState.NO_DATA: "Still no data"}
TYPES = {
    MonitorState.WARN: "monitor.warning",
    MonitorState.ALARM: "monitor.alarm",
    MonitorState.NO_DATA: "monitor.no_data",
}


@dataclass(frozen=True)
class Message:
    """`tell` None: a test. `before`: the state that people were told of last, or it had."""

    tell: Tell | None
    state: str
    before: str
    reading: Reading
    since: dt.datetime | None
    at: dt.datetime


def rows(monitor: Monitor, message: Message) -> list[MonitorDelivery]:
    """Unsaved. Mails one by one, so that each place shows its own outcome."""
    mail = {"subject": title(monitor, message), "body": mail_text(monitor, message)}
    found = [_row(monitor, message, DeliveryChannel.MAIL, address, mail) for address in addresses(monitor)]
    if monitor.webhook_url:
        hook = _row(monitor, message, DeliveryChannel.WEBHOOK, host_of(monitor.webhook_url), {})
        slack = monitor.webhook_kind == WebhookKind.SLACK
        hook.payload = slack_body(monitor, message) if slack else json_body(monitor, message, str(hook.pk))
        found.append(hook)
    return found


def _row(monitor: Monitor, message: Message, channel: str, to: str, payload: dict[str, Any]) -> MonitorDelivery:
    return MonitorDelivery(
        monitor=monitor,
        channel=channel,
        to=to[:320],
        title=title(monitor, message),
        payload=payload,
        next_at=message.at,
        created_at=message.at,
        last_try=message.tell is None,
    )


def addresses(monitor: Monitor) -> list[str]:
    """Of the people who are still active members, and those that were typed; each once."""
    members = Membership._base_manager.filter(workspace=monitor.workspace_id, user__is_active=True)
    people = monitor.people.filter(pk__in=members.values("user")).exclude(email="")
    return _once([*people.order_by("pk").values_list("email", flat=True), *monitor.addresses])


def _once(found: Iterable[str]) -> list[str]:
    return list({address.lower(): address for address in found}.values())


def title(monitor: Monitor, message: Message) -> str:
    return " ".join(f"{_head(message)}: {monitor.name}".split())[:200]


def _head(message: Message) -> str:
    state = MonitorState(message.state)
    if message.tell is None:
        return TEST
    if message.tell is Tell.RECOVERY:
        return "Fine again"
    if message.tell is Tell.REMINDER:
        return REMINDER.get(state, state.label)
    return str(state.label)


def _seen(monitor: Monitor, message: Message) -> str:
    reading = message.reading
    found = words.finding(monitor, message.state, reading.value, reading.counted, monitor.workspace)
    return f"{words.watched(monitor)}: {found}."


def _lasted(message: Message) -> str:
    if message.tell is not Tell.REMINDER or message.since is None:
        return ""
    return f"Since {words.utc(message.since)} ({words.span_text((message.at - message.since).total_seconds())})."


def lines(monitor: Monitor, message: Message) -> list[str]:
    first = f"{TEST} of the monitor “{monitor.name}”: nothing has happened." if message.tell is None else ""
    return [one for one in (first, _seen(monitor, message), _lasted(message), monitor.note.strip()) if one]


def mail_text(monitor: Monitor, message: Message) -> str:
    where = f"Workspace “{monitor.workspace}”. Seen at {words.utc(message.at)}."
    return "\n\n".join([*lines(monitor, message), where, url_of(monitor)])


def slack_body(monitor: Monitor, message: Message) -> dict[str, Any]:
    """Its markup is `<url|words>`; nothing of ours may be taken for it."""
    head = f"<{url_of(monitor)}|{_plain(title(monitor, message))}>"
    return {"text": "\n".join([head, *map(_plain, lines(monitor, message))])}


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def json_body(monitor: Monitor, message: Message, delivery_id: str) -> dict[str, Any]:
    """Documented in docs/developers.md."""
    unit, workspace = words.unit_of(monitor), monitor.workspace
    value = message.reading.value
    levels = {name: words.to_typed(getattr(monitor, name), unit, workspace) for name in ("warn", "alarm")}
    return {
        "id": delivery_id,
        "type": _type(message),
        "reminder": message.tell is Tell.REMINDER,
        "at": message.at.astimezone(dt.UTC).isoformat(),
        "workspace": workspace.slug,
        "monitor": {"id": monitor.pk, "name": monitor.name, "note": monitor.note, "url": url_of(monitor)},
        "state": message.state,
        "previous_state": message.before,
        "since": message.since.astimezone(dt.UTC).isoformat() if message.since else None,
        "measure": monitor.measure,
        "value": None if value is None else float(words.to_typed(round(value), unit, workspace) or 0),
        "unit": {Unit.MONEY: workspace.currency, Unit.TIME: "seconds", Unit.SHARE: "percent"}.get(unit, "count"),
        "counted": message.reading.counted,
        "direction": monitor.direction,
        **{name: None if level is None else float(level) for name, level in levels.items()},
        "window_minutes": monitor.window,
        "text": " ".join(lines(monitor, message)),
    }


def _type(message: Message) -> str:
    if message.tell is None:
        return "monitor.test"
    return "monitor.recovered" if message.tell is Tell.RECOVERY else TYPES[MonitorState(message.state)]


def url_of(monitor: Monitor) -> str:
    return settings().PUBLIC_URL.rstrip("/") + reverse("admin:llm_admin_monitor_change", args=[monitor.pk])
