"""Telling people by mail that something waits for them; only when `LLM_ADMIN["MAIL_FROM"]` is set."""

from __future__ import annotations

import logging
from typing import Any

from django.core.mail import EmailMessage
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from llm_admin.choices import ApprovalStatus, Role
from llm_admin.conf import settings
from llm_admin.models import Approval, Membership
from llm_admin.services.approvals import RANKS

logger = logging.getLogger(__name__)
AT_A_TIME = 50


def send_waiting() -> int:
    """Each is claimed before it is sent, so that two processes do not send it twice. Run it outside of the loop."""
    if not settings().MAIL_FROM:
        return 0
    rows = Approval._base_manager.filter(status=ApprovalStatus.PENDING, mailed_at=None).select_related(
        "run", "workspace"
    )
    try:
        return sum(_send(approval) for approval in rows.order_by("pk")[:AT_A_TIME])
    finally:
        connection.close()


def _send(approval: Approval) -> bool:
    claimed = Approval._base_manager.filter(pk=approval.pk, mailed_at=None).update(mailed_at=timezone.now())
    addresses = sorted(set(_addresses(approval))) if claimed else []
    if not addresses:
        return False
    try:
        _message(approval, addresses).send()
    except OSError as error:  # smtplib's errors too: the inbox shows it all the same
        logger.error("The mail about approval %s could not be sent: %s", approval.pk, error)
        return False
    return True


def _addresses(approval: Approval) -> list[str]:
    rows: Any = Membership._base_manager.filter(workspace=approval.workspace, user__is_active=True)
    named = rows.filter(user__in=approval.people.all())
    if approval.role:
        named = named | rows.filter(role__in=RANKS[RANKS.index(Role(approval.role)) :])
    return list(named.exclude(user__email="").values_list("user__email", flat=True))


def _message(approval: Approval, addresses: list[str]) -> EmailMessage:
    link = settings().PUBLIC_URL.rstrip("/") + reverse("admin:llm_admin_approval_change", args=[approval.pk])
    lines = [approval.question or "A run waits for your decision.", "", f"{approval.run.title}: {approval.title}", link]
    if approval.deadline_at:
        lines.append(f"Until {approval.deadline_at:%Y-%m-%d %H:%M} UTC.")
    return EmailMessage(
        subject=f"To approve: {approval.title}".replace("\n", " ")[:200],
        body="\n".join(lines),
        from_email=settings().MAIL_FROM,
        bcc=addresses,
    )
