from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from llm_admin.choices import PruneStarter, PruneStatus
from llm_admin.tenancy import scoped

COUNTED = ("texts", "runs_emptied", "rows_emptied", "logs", "runs", "batches")


class PruneRecord(models.Model):
    """One time that old texts and rows of a workspace were removed: by whom, of before when, and how many.

    Nothing is lost when it is interrupted: the next one finds what is left. `whole`: it looked at everything that is
    old enough, not only at what became so since the one before.
    """

    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="+")
    started_by = models.CharField(max_length=10, choices=PruneStarter)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    status = models.CharField(max_length=12, choices=PruneStatus, default=PruneStatus.RUNNING)
    texts_before = models.DateTimeField(null=True)
    rows_before = models.DateTimeField(null=True)
    whole = models.BooleanField(default=False)
    texts = models.PositiveIntegerField(default=0, help_text="Calls whose texts were removed.")
    runs_emptied = models.PositiveIntegerField(default=0, help_text="Runs whose texts were removed.")
    rows_emptied = models.PositiveIntegerField(default=0, help_text="Rows of batches whose texts were removed.")
    logs = models.PositiveIntegerField(default=0, help_text="Calls that were removed.")
    runs = models.PositiveIntegerField(default=0)
    batches = models.PositiveIntegerField(default=0)
    executor = models.CharField(max_length=80, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects: Any = scoped()

    class Meta:
        ordering = ("-id",)
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(
                fields=("workspace",), condition=models.Q(status="running"), name="llm_admin_one_prune"
            ),
        )
        indexes = (models.Index(fields=("workspace", "-id"), name="llm_admin_prune_newest"),)

    def __str__(self) -> str:
        return f"Removed on {self.created_at:%Y-%m-%d}"

    @property
    def removed(self) -> int:
        return sum(getattr(self, name) for name in COUNTED)
