from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7

from llm_admin.choices import RUN_OPEN, ErrorKind, RunKind, RunSource, RunStatus, StepStatus
from llm_admin.tenancy import scoped


class Run(models.Model):
    """One execution of a prompt or workflow. `spec` is the whole `RunPlan` that it executes, unsaved text too.

    Claimed by exactly one `executor` under a lease; its totals are written once, when it ends. Costs are in
    US nano-dollars (1e-9): a single token of a cheap model is a fraction of a micro-dollar.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=10, choices=RunKind)
    prompt = models.ForeignKey("llm_admin.Prompt", null=True, on_delete=models.SET_NULL, related_name="runs")
    prompt_version = models.ForeignKey(
        "llm_admin.PromptVersion", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    workflow = models.ForeignKey("llm_admin.Workflow", null=True, on_delete=models.SET_NULL, related_name="runs")
    workflow_version = models.ForeignKey(
        "llm_admin.WorkflowVersion", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    test = models.ForeignKey("llm_admin.PromptTest", null=True, on_delete=models.SET_NULL, related_name="runs")
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="children")
    again_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="repeats")
    batch = models.ForeignKey("llm_admin.Batch", null=True, on_delete=models.SET_NULL, related_name="runs")
    shared = models.BooleanField(default=False, help_text="Everybody in the workspace may look at it.")
    keeps_steps = models.BooleanField(default=False, help_text="Begins with steps that are already done.")
    title = models.CharField(max_length=220, help_text="Name and version of what ran, as it was called then.")
    spec = models.JSONField()
    inputs = models.JSONField(default=dict)
    status = models.CharField(max_length=12, choices=RunStatus, default=RunStatus.PENDING)
    source = models.CharField(max_length=10, choices=RunSource)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    client_key = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001 - NULL is "no key", many times
    executor = models.CharField(max_length=80, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    stop_requested_at = models.DateTimeField(null=True)

    output = models.JSONField(null=True)
    error_kind = models.CharField(max_length=20, choices=ErrorKind, blank=True)
    error_message = models.TextField(blank=True)
    error_step = models.CharField(max_length=60, blank=True)
    input_tokens = models.PositiveBigIntegerField(null=True)
    output_tokens = models.PositiveBigIntegerField(null=True)
    cost_nano = models.BigIntegerField(null=True)
    calls = models.PositiveIntegerField(default=0)
    first_token_ms = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects: Any = scoped()

    class Meta:
        ordering = ("-id",)
        permissions = (("view_all_runs", "Can see everyone's runs and logs"),)
        constraints = (models.UniqueConstraint(fields=("workspace", "client_key"), name="llm_admin_run_client_key"),)
        indexes = (
            models.Index(
                fields=("status", "lease_expires_at"),
                name="llm_admin_run_open",
                condition=models.Q(status__in=("pending", "running")),
            ),
            models.Index(fields=("prompt", "-id"), name="llm_admin_run_prompt"),
            models.Index(fields=("workflow", "-id"), name="llm_admin_run_workflow"),
            models.Index(fields=("workspace", "-id"), name="llm_admin_run_newest"),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.status in RUN_OPEN

    @property
    def is_waiting(self) -> bool:
        return self.status == RunStatus.WAITING


class RunStep(models.Model):
    """One step of a workflow run. `path` tells loops and ways apart, e.g. "3[2].1", "4.yes.2" (schemas/walking.py).

    `reused`: it did not run here; its result was kept from the run that this one repeats.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    path = models.CharField(max_length=120)
    step_id = models.CharField(max_length=60)
    type = models.CharField(max_length=40)
    title = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=12, choices=StepStatus, default=StepStatus.RUNNING)
    input = models.JSONField(null=True)
    output = models.JSONField(null=True)
    error_kind = models.CharField(max_length=20, choices=ErrorKind, blank=True)
    error_message = models.TextField(blank=True)
    note = models.CharField(max_length=300, blank=True)
    reused = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects: Any = scoped("run__workspace")

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("run", "path"), name="llm_admin_run_step_path"),)

    def __str__(self) -> str:
        return self.title or self.step_id


class RunCheckpoint(models.Model):
    """What has arrived of an answer that is still streaming; gone when the call's log is written."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="checkpoints")
    path = models.CharField(max_length=120)
    call = models.JSONField(help_text="What the log of this call needs besides the answer (a CallStart).")
    text = models.TextField(blank=True)
    updated_at = models.DateTimeField()

    objects: Any = scoped("run__workspace")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("run", "path"), name="llm_admin_checkpoint_path"),)

    def __str__(self) -> str:
        return f"{self.run_id} {self.path}"


class RunError(models.Model):
    """The traceback behind an *internal* error, for operators only; masked like every text."""

    run = models.OneToOneField(Run, primary_key=True, on_delete=models.CASCADE, related_name="traceback")
    text = models.TextField()

    objects: Any = scoped("run__workspace")

    def __str__(self) -> str:
        return self.text.strip().rsplit("\n", 1)[-1]
