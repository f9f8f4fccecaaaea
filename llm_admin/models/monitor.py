from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from encrypted_fields.fields import EncryptedTextField

from llm_admin.choices import (
    DeliveryChannel,
    DeliveryStatus,
    MonitorDirection,
    MonitorEventKind,
    MonitorState,
    MonitorWindow,
    NoData,
    RunSource,
    WebhookKind,
)
from llm_admin.tenancy import scoped

MOST_HOURS = 24 * 30


def _only(to: str) -> models.ForeignKey[Any, Any]:
    """What is watched; a monitor of something that is deleted watches nothing."""
    return models.ForeignKey(to, null=True, blank=True, on_delete=models.CASCADE, related_name="+")


class Monitor(models.Model):
    """A condition on one number over a window that ends now, whom to tell, and how it stands.

    Levels are in the measure's own unit: US nano-dollars, ms, a count, or thousandths of a percent.
    """

    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="monitors")
    name = models.CharField(max_length=100)
    note = models.TextField(
        "what to do", blank=True, max_length=2000, help_text="Stands in every message: where to look, whom to ask."
    )
    measure = models.CharField(max_length=30)
    prompt = _only("llm_admin.Prompt")
    version = _only("llm_admin.PromptVersion")
    workflow = _only("llm_admin.Workflow")
    model = _only("llm_admin.LanguageModel")
    deployment = _only("llm_admin.Deployment")
    user = _only(settings.AUTH_USER_MODEL)
    source = models.CharField(max_length=10, choices=RunSource, blank=True)
    window = models.PositiveIntegerField("over the last", choices=MonitorWindow, default=MonitorWindow.HOUR)
    direction = models.CharField("when it is", max_length=5, choices=MonitorDirection, default=MonitorDirection.ABOVE)
    warn = models.BigIntegerField(null=True, blank=True)
    alarm = models.BigIntegerField(null=True, blank=True)
    min_calls = models.PositiveIntegerField(
        "at least so many calls",
        default=0,
        validators=[MaxValueValidator(10**9)],
        help_text="With fewer in the window it does not judge: one failure of two calls says little.",
    )
    no_data = models.CharField("when there is nothing to judge", max_length=5, choices=NoData, default=NoData.KEEP)
    in_a_row = models.PositiveSmallIntegerField(
        "looks in a row",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text="It looks once a minute. 5 changes its state only after five looks that agree.",
    )
    remind_hours = models.PositiveSmallIntegerField(
        "remind every",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_HOURS)],
        help_text="Hours, as long as the alarm lasts. Empty: it is told once.",
    )
    tell_recovery = models.BooleanField("tell when it is fine again", default=True)
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    addresses = models.JSONField(default=list, blank=True)
    webhook_kind = models.CharField("what is posted", max_length=5, choices=WebhookKind, default=WebhookKind.JSON)
    webhook_url = EncryptedTextField(blank=True, null=True)  # that of a chat is a secret
    webhook_secret = EncryptedTextField(blank=True, null=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Whom people ask about it.",
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    muted_at = models.DateTimeField(null=True, editable=False)
    muted_until = models.DateTimeField(null=True, editable=False)  # None while muted: until somebody unmutes it

    # How it stands. `turn` grows with every look and every change, so that only one of two writers succeeds.
    turn = models.PositiveBigIntegerField(default=0, editable=False)
    state = models.CharField(max_length=8, choices=MonitorState, default=MonitorState.UNKNOWN, editable=False)
    since = models.DateTimeField(null=True, editable=False)
    pending = models.SmallIntegerField(default=0, editable=False)
    told = models.CharField(max_length=8, choices=MonitorState, blank=True, editable=False)
    told_at = models.DateTimeField(null=True, editable=False)
    value = models.FloatField(null=True, editable=False)
    counted = models.PositiveBigIntegerField(null=True, editable=False)
    evaluated_at = models.DateTimeField(null=True, editable=False)

    objects: Any = scoped()

    class Meta:
        ordering = ("name",)
        indexes = (models.Index(fields=("enabled", "evaluated_at"), name="llm_admin_monitor_due"),)
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "name"),
                name="llm_admin_monitor_name",
                violation_error_message="There is a monitor of this name already.",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def is_muted(self, now: dt.datetime) -> bool:
        return self.muted_at is not None and (self.muted_until is None or now < self.muted_until)


class MonitorEvent(models.Model):
    """What happened to a monitor. `words` as they were true then: levels may be changed later."""

    monitor = models.ForeignKey(Monitor, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=MonitorEventKind)
    before = models.CharField(max_length=8, choices=MonitorState, blank=True)
    state = models.CharField(max_length=8, choices=MonitorState)
    words = models.CharField(max_length=400, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    objects: Any = scoped("monitor__workspace")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.words}"


class MonitorDelivery(models.Model):
    """One message to one place. Written with the change that it tells of, sent afterwards, again after a failure."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    monitor = models.ForeignKey(Monitor, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=7, choices=DeliveryChannel)
    to = models.CharField(max_length=320)  # an address, or the host of the webhook
    title = models.CharField(max_length=200)
    payload = models.JSONField()
    status = models.CharField(max_length=8, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_try = models.BooleanField(default=False)  # of a test, or "send again": no further one follows
    next_at = models.DateTimeField(null=True)
    status_code = models.PositiveSmallIntegerField(null=True)
    problem = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects: Any = scoped("monitor__workspace")

    class Meta:
        ordering = ("-created_at", "channel", "to")
        indexes = (
            models.Index(fields=("status", "next_at"), name="llm_admin_delivery_due"),
            models.Index(fields=("monitor", "created_at"), name="llm_admin_delivery_of"),
        )

    def __str__(self) -> str:
        return f"{self.title} to {self.to}"
