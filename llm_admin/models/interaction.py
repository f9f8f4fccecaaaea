from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from llm_admin.choices import CallKind, CallStatus, ErrorKind, RunSource
from llm_admin.tenancy import scoped


def reference(to: str) -> models.ForeignKey[Any, Any]:
    """Logs outlive what they name: no constraint, nothing cascades, no index of its own."""
    return models.ForeignKey(
        to, null=True, db_constraint=False, db_index=False, on_delete=models.DO_NOTHING, related_name="+"
    )


class InteractionLog(models.Model):
    """One model call. Narrow on purpose; nothing may hold a foreign key to it (it will be partitioned by month).

    Unknown numbers are NULL, never 0. Money in US nano-dollars, times in ms.
    """

    workspace = models.ForeignKey(
        "llm_admin.Workspace", db_index=False, on_delete=models.CASCADE, related_name="interactions"
    )
    created_at = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=CallKind, default=CallKind.CHAT)
    status = models.CharField(max_length=12, choices=CallStatus)
    error_kind = models.CharField(max_length=20, choices=ErrorKind, blank=True)
    source = models.CharField(max_length=10, choices=RunSource)
    cached = models.BooleanField(default=False)
    run = reference("llm_admin.Run")
    step_path = models.CharField(max_length=120, blank=True)
    prompt = reference("llm_admin.Prompt")
    prompt_version = reference("llm_admin.PromptVersion")
    workflow = reference("llm_admin.Workflow")
    model = reference("llm_admin.LanguageModel")
    deployment = reference("llm_admin.Deployment")
    user = reference(settings.AUTH_USER_MODEL)
    price = reference("llm_admin.DeploymentPrice")
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    cached_input_tokens = models.PositiveIntegerField(null=True)
    cache_write_tokens = models.PositiveIntegerField(null=True)
    reasoning_tokens = models.PositiveIntegerField(null=True)
    cost_nano = models.BigIntegerField(null=True)
    first_token_ms = models.PositiveIntegerField(null=True)
    latency_ms = models.PositiveIntegerField()
    # What was tried before this outcome (schemas.records.Attempt), NULL when the first attempt was the only one.
    tried = models.JSONField(null=True)

    objects: Any = scoped()

    class Meta:
        verbose_name = "log"
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("workspace", "created_at"), name="llm_admin_log_time"),
            models.Index(fields=("prompt", "created_at"), name="llm_admin_log_prompt"),
            models.Index(fields=("workflow", "created_at"), name="llm_admin_log_workflow"),
            models.Index(fields=("run",), name="llm_admin_log_run"),
        )

    def __str__(self) -> str:
        return f"Call {self.pk}"


class InteractionText(models.Model):
    """The texts of a call, masked; absent when the workspace keeps none."""

    log_id = models.BigIntegerField(primary_key=True)
    workspace = models.ForeignKey("llm_admin.Workspace", db_index=False, on_delete=models.CASCADE, related_name="+")
    messages = models.JSONField()
    answer = models.TextField(blank=True)
    error = models.TextField(blank=True)
    parameters = models.JSONField(default=dict)

    objects: Any = scoped()

    def __str__(self) -> str:
        return f"Texts of call {self.log_id}"
