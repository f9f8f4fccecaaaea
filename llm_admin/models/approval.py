from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from llm_admin.choices import ApprovalStatus, Role
from llm_admin.tenancy import scoped


class Approval(models.Model):
    """A step of a run that waits for somebody. While it is pending, the run takes no thread and no memory.

    `used`: the run has gone on with the decision.
    """

    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="approvals")
    run = models.ForeignKey("llm_admin.Run", on_delete=models.CASCADE, related_name="approvals")
    path = models.CharField(max_length=120)
    step_id = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    question = models.TextField(blank=True)
    proposed = models.TextField(blank=True)
    role = models.CharField(max_length=10, choices=Role, blank=True)
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    status = models.CharField(max_length=10, choices=ApprovalStatus, default=ApprovalStatus.PENDING)
    text = models.TextField(blank=True, help_text="As it was approved, perhaps edited.")
    word = models.CharField(max_length=500, blank=True)
    deadline_at = models.DateTimeField(null=True)
    at_deadline = models.CharField(max_length=10, default="decline")
    asked_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    mailed_at = models.DateTimeField(null=True)
    used = models.BooleanField(default=False)

    objects: Any = scoped()

    class Meta:
        ordering = ("-id",)
        permissions = (("decide_approval", "Can approve and decline"),)
        constraints = (models.UniqueConstraint(fields=("run", "path"), name="llm_admin_approval_path"),)
        indexes = (
            models.Index(fields=("workspace", "status", "-id"), name="llm_admin_approval_inbox"),
            models.Index(
                fields=("deadline_at",),
                name="llm_admin_approval_deadline",
                condition=models.Q(status="pending", deadline_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.title
