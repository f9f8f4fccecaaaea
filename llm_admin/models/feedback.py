from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from llm_admin.choices import FeedbackValue
from llm_admin.models.interaction import reference
from llm_admin.tenancy import scoped


class InteractionFeedback(models.Model):
    """What somebody thinks of an answer: of one model call, or (`log_id` NULL) of what a workflow's run gave back.

    What it is about is copied, so that it is counted when the call itself was removed. `user` is NULL when code passed
    it on without saying whose it is. Its note is masked, and removed together with the texts of calls.
    """

    workspace = models.ForeignKey(
        "llm_admin.Workspace", db_index=False, on_delete=models.CASCADE, related_name="feedback"
    )
    log_id = models.BigIntegerField(null=True)
    run_id = models.UUIDField(null=True)
    prompt = reference("llm_admin.Prompt")
    prompt_version = reference("llm_admin.PromptVersion")
    workflow = reference("llm_admin.Workflow")
    workflow_version = reference("llm_admin.WorkflowVersion")
    model = reference("llm_admin.LanguageModel")
    deployment = reference("llm_admin.Deployment")
    caller = reference(settings.AUTH_USER_MODEL)
    source = models.CharField(max_length=10, blank=True)
    status = models.CharField(max_length=12, blank=True)
    error_kind = models.CharField(max_length=20, blank=True)
    cached = models.BooleanField(default=False)
    answered_at = models.DateTimeField(help_text="When the call or the run began: its place among the numbers.")
    user = reference(settings.AUTH_USER_MODEL)
    value = models.CharField(max_length=4, choices=FeedbackValue)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: Any = scoped()

    class Meta:
        verbose_name_plural = "feedback"
        ordering = ("-id",)
        default_permissions = ("add", "view")
        constraints = (
            models.UniqueConstraint(fields=("log_id", "user"), name="llm_admin_feedback_log"),
            models.UniqueConstraint(
                fields=("log_id",), condition=Q(user__isnull=True), name="llm_admin_feedback_log_code"
            ),
            models.UniqueConstraint(
                fields=("run_id", "user"), condition=Q(log_id__isnull=True), name="llm_admin_feedback_run"
            ),
            models.UniqueConstraint(
                fields=("run_id",),
                condition=Q(log_id__isnull=True, user__isnull=True),
                name="llm_admin_feedback_run_code",
            ),
        )
        indexes = (
            models.Index(fields=("run_id",), name="llm_admin_feedback_of_run"),
            models.Index(fields=("workspace", "answered_at"), name="llm_admin_feedback_time"),
            models.Index(fields=("prompt_version", "value"), name="llm_admin_feedback_version"),
            models.Index(fields=("workflow_version", "value"), name="llm_admin_feedback_wversion"),
        )

    def __str__(self) -> str:
        return f"{self.get_value_display()} for {f'call {self.log_id}' if self.log_id else f'run {self.run_id}'}"
