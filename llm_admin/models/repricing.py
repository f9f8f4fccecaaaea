from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7

from llm_admin.choices import RepricingStatus
from llm_admin.tenancy import scoped


class Repricing(models.Model):
    """What past calls cost, computed again with the prices that are known now. Goes on behind `last_log` after a crash.

    Sums are of the logs that were looked at, in US nano-dollars, before and after; unknown costs are counted apart.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="+")
    model = models.ForeignKey("llm_admin.LanguageModel", null=True, on_delete=models.CASCADE, related_name="repricings")
    deployments = models.JSONField(default=list, help_text="Ids; only calls of these are priced again.")
    since = models.DateTimeField()
    until = models.DateTimeField()
    status = models.CharField(max_length=10, choices=RepricingStatus, default=RepricingStatus.RUNNING)
    last_log = models.BigIntegerField(default=0)
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    old_nano = models.BigIntegerField(default=0)
    new_nano = models.BigIntegerField(default=0)
    unknown_before = models.PositiveIntegerField(default=0)
    unknown_after = models.PositiveIntegerField(default=0)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    executor = models.CharField(max_length=80, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects: Any = scoped()

    class Meta:
        ordering = ("-id",)
        default_permissions = ()

    def __str__(self) -> str:
        return f"Prices since {self.since:%Y-%m-%d}"
