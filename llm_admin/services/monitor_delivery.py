"""Sending what monitors have to say: at least once, again after a failure, and given up where everybody sees it."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.mail import BadHeaderError, EmailMessage, get_connection
from django.utils import timezone

from llm_admin.choices import DeliveryChannel, DeliveryStatus
from llm_admin.conf import settings
from llm_admin.exceptions import Conflict, NotFound
from llm_admin.models import Monitor, MonitorDelivery
from llm_admin.selectors.monitor_measures import MEASURES, Reading
from llm_admin.selectors.monitors import reading as measured
from llm_admin.services import monitor_messages, monitor_webhook
from llm_admin.services.monitor_messages import Message
from llm_admin.services.monitor_webhook import Outcome
from llm_admin.services.secrets import redactor
from llm_admin.tenancy import workspace_scope

if TYPE_CHECKING:
    from llm_admin.services.actors import Actor

logger = logging.getLogger(__name__)
AFTER = (60, 300, 1800, 7200)  # seconds until the second, third, ... attempt
MOST = len(AFTER) + 1
LEASE = 120  # seconds that an attempt may take before somebody else may make it
AT_A_TIME = 20
SHOWN = 300  # characters of a problem
MAIL_TIMEOUT = 10
NO_MAILS = "This console sends no mails: MAIL_FROM is not set (see the operators' guide)."
NO_WEBHOOK = "The monitor has no webhook any more."
UNREADABLE = "The stored address cannot be read any more, because SECRET_KEY was changed. Enter it again."
BROKE_OFF = "The server stopped during the last attempt."


def send_due(now: dt.datetime | None = None) -> int:
    """How many were tried. Run it outside of the loop."""
    moment = now or timezone.now()
    rows = MonitorDelivery._base_manager.filter(status=DeliveryStatus.PENDING, next_at__lte=moment)
    found = list(rows.select_related("monitor__workspace").order_by("next_at")[:AT_A_TIME])
    return len(_send([one for one in found if _claim(one, moment)], now))


def send_again(delivery: MonitorDelivery, *, actor: Actor) -> MonitorDelivery:
    """One attempt at once. Raises Conflict when somebody else sends it meanwhile."""
    actor.require("change_monitor")
    if delivery.monitor.workspace_id != actor.workspace.pk:
        raise NotFound("There is no such message in this workspace.")
    waiting = delivery.status == DeliveryStatus.PENDING
    delivery.last_try = delivery.last_try or not waiting
    rows = MonitorDelivery._base_manager.filter(pk=delivery.pk, status=delivery.status, attempts=delivery.attempts)
    delivery.attempts += 1
    until = timezone.now() + dt.timedelta(seconds=LEASE)
    values: dict[str, Any] = {"status": DeliveryStatus.PENDING, "next_at": until, "last_try": delivery.last_try}
    if rows.update(attempts=delivery.attempts, **values) != 1:
        raise Conflict("This message is being sent just now. Look at the page again.")
    delivery.status = DeliveryStatus.PENDING
    _send([delivery], None)
    delivery.refresh_from_db()
    return delivery


def test(monitor: Monitor, *, actor: Actor) -> list[MonitorDelivery]:
    """A message that says it is a test, to everybody at once, tried once. Also while it is muted or off."""
    actor.require("change_monitor")
    if monitor.workspace_id != actor.workspace.pk:
        raise NotFound("There is no such monitor in this workspace.")
    now = timezone.now()
    with workspace_scope(actor.workspace):
        found = measured(monitor, now) if monitor.measure in MEASURES else Reading(None, 0)
    message = Message(None, monitor.state, monitor.state, found, monitor.since, now)
    rows = monitor_messages.rows(monitor, message)
    MonitorDelivery._base_manager.bulk_create(rows)
    _send([row for row in rows if _claim(row, now)], None)
    return list(MonitorDelivery._base_manager.filter(pk__in=[row.pk for row in rows]).order_by("channel", "to"))


def _claim(delivery: MonitorDelivery, now: dt.datetime) -> bool:
    """Counts the attempt before it is made. One that broke off is made again when its time is over."""
    rows = MonitorDelivery._base_manager.filter(
        pk=delivery.pk, status=DeliveryStatus.PENDING, attempts=delivery.attempts, next_at=delivery.next_at
    )
    if delivery.attempts >= MOST:
        rows.update(status=DeliveryStatus.GIVEN_UP, problem=BROKE_OFF, ended_at=now)
        return False
    delivery.attempts += 1
    return rows.update(attempts=delivery.attempts, next_at=now + dt.timedelta(seconds=LEASE)) == 1


def _send(claimed: Sequence[MonitorDelivery], now: dt.datetime | None) -> Sequence[MonitorDelivery]:
    """Webhooks at the same time, then mails one after another."""
    from llm_admin.services.execution import run_async

    hooks = [one for one in claimed if one.channel == DeliveryChannel.WEBHOOK]
    if hooks:
        posts = [_post(one) for one in hooks]
        for one, outcome in zip(hooks, run_async(_together(posts)), strict=True):
            _settle(one, outcome, now or timezone.now())
    for one in claimed:
        if one.channel == DeliveryChannel.MAIL:
            _settle(one, _mail(one), now or timezone.now())
    return claimed


async def _together(posts: list[Any]) -> list[Outcome]:
    return await asyncio.gather(*posts)


async def _post(delivery: MonitorDelivery) -> Outcome:
    monitor = delivery.monitor
    url, secret = monitor.webhook_url or "", monitor.webhook_secret or ""
    if not url:
        return Outcome(problem=NO_WEBHOOK, final=True)
    if url.startswith("gAAAAA") or secret.startswith("gAAAAA"):
        return Outcome(problem=UNREADABLE, final=True)
    return await monitor_webhook.post(url, secret, str(delivery.pk), delivery.payload)


def _mail(delivery: MonitorDelivery) -> Outcome:
    if not settings().MAIL_FROM:
        return Outcome(problem=NO_MAILS, final=True)
    message = EmailMessage(
        subject=delivery.payload["subject"],
        body=delivery.payload["body"],
        from_email=settings().MAIL_FROM,
        to=[delivery.to],
        headers={"X-LLM-Console-Delivery": str(delivery.pk)},
        connection=get_connection(timeout=MAIL_TIMEOUT),
    )
    try:
        message.send()
    except (OSError, BadHeaderError) as error:  # smtplib's errors too, and an account's odd address
        logger.error("A mail of the monitor %s could not be sent: %s", delivery.monitor_id, error)
        return Outcome(problem=f"The mail could not be sent ({type(error).__name__}).")
    return Outcome()


def _settle(delivery: MonitorDelivery, outcome: Outcome, now: dt.datetime) -> None:
    """Nothing, when another attempt was begun meanwhile."""
    values: dict[str, Any] = {"status_code": outcome.status_code, "problem": redactor().text(outcome.problem)[:SHOWN]}
    if not outcome.problem:
        values |= {"status": DeliveryStatus.SENT, "ended_at": now, "next_at": None}
    elif outcome.final or delivery.last_try or delivery.attempts >= MOST:
        values |= {"status": DeliveryStatus.GIVEN_UP, "ended_at": now, "next_at": None}
    else:
        wait = max(AFTER[delivery.attempts - 1], outcome.wait or 0)
        values |= {"next_at": now + dt.timedelta(seconds=wait)}
    rows = MonitorDelivery._base_manager.filter(
        pk=delivery.pk, status=DeliveryStatus.PENDING, attempts=delivery.attempts
    )
    rows.update(**values)
