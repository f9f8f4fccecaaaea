from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from uuid_utils.compat import uuid7

from llm_admin.choices import BatchKind, BatchStatus, RowStatus
from llm_admin.tenancy import scoped


class Batch(models.Model):
    """One workflow over many rows: of a file, or of one of the host's own tables.

    `spec` is the `RunPlan` that every row executes, resolved once when it was started. Its `executor` pumps rows under
    a lease, which another process takes over when it ran out. Progress is counted from the rows.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="batches")
    kind = models.CharField(max_length=10, choices=BatchKind, default=BatchKind.FILE)
    workflow = models.ForeignKey("llm_admin.Workflow", null=True, on_delete=models.SET_NULL, related_name="batches")
    workflow_version = models.ForeignKey(
        "llm_admin.WorkflowVersion", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    title = models.CharField(max_length=220)
    file_name = models.CharField(max_length=200, blank=True)
    columns = models.JSONField(default=list, help_text="The file's columns, or the fields that were read.")
    mapping = models.JSONField(default=dict, help_text="Input -> the column or field that fills it.")
    spec = models.JSONField()
    concurrency = models.PositiveSmallIntegerField(default=5)
    total = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=BatchStatus, default=BatchStatus.RUNNING)
    executor = models.CharField(max_length=80, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    client_key = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001 - NULL is "no key", many times
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    content_type = models.ForeignKey(ContentType, null=True, on_delete=models.CASCADE, related_name="+")
    outputs = models.JSONField(default=dict, help_text="Field of the host's table -> the output that is proposed.")

    objects: Any = scoped()

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "batches"
        permissions = (("run_batch", "Can run batches"),)
        constraints = (models.UniqueConstraint(fields=("workspace", "client_key"), name="llm_admin_batch_client_key"),)
        indexes = (
            models.Index(
                fields=("lease_expires_at",), name="llm_admin_batch_running", condition=models.Q(status="running")
            ),
            models.Index(fields=("workspace", "-id"), name="llm_admin_batch_newest"),
        )

    def __str__(self) -> str:
        return self.title


class BatchRow(models.Model):
    """One row, and its one result. `run` is its newest run: an interrupted one goes on, a failed one is replaced."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(help_text="Counts from 1; a file's row of column names does not count.")
    inputs = models.JSONField()
    original = models.JSONField(default=dict, help_text="The file's row, or the fields' values when it was started.")
    object_id = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=10, choices=RowStatus, default=RowStatus.PENDING)
    run = models.ForeignKey("llm_admin.Run", null=True, on_delete=models.SET_NULL, related_name="rows")
    output = models.JSONField(null=True)
    problem = models.TextField(blank=True)
    cost_nano = models.BigIntegerField(null=True)
    calls = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)

    objects: Any = scoped("batch__workspace")

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("batch", "number"), name="llm_admin_batch_row_number"),)
        indexes = (models.Index(fields=("batch", "status", "number"), name="llm_admin_batch_row_status"),)

    def __str__(self) -> str:
        return f"Row {self.number}"


class RowChange(models.Model):
    """A field of a host's row that was set from a batch; `before` makes it possible to undo."""

    row = models.ForeignKey(BatchRow, on_delete=models.CASCADE, related_name="changes")
    field = models.CharField(max_length=100)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    applied_at = models.DateTimeField()
    applied_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    objects: Any = scoped("row__batch__workspace")

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=("row", "field"), name="llm_admin_row_change"),)

    def __str__(self) -> str:
        return f"{self.field} of {self.row_id}"


class RowMapping(models.Model):
    """How somebody last mapped a table's fields to a workflow's inputs and its outputs to fields: offered again."""

    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="+")
    workflow = models.ForeignKey("llm_admin.Workflow", on_delete=models.CASCADE, related_name="+")
    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    inputs = models.JSONField(default=dict)
    outputs = models.JSONField(default=dict)
    used_at = models.DateTimeField(auto_now=True)

    objects: Any = scoped()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("workflow", "content_type", "user"), name="llm_admin_row_mapping"),
        )

    def __str__(self) -> str:
        return f"{self.workflow_id} on {self.content_type_id}"
