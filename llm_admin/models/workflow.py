from __future__ import annotations

from typing import Any

from django.db import models

from llm_admin.models.versioned import Alias, Document, Label, LabelEvent, Version
from llm_admin.tenancy import scoped


class Workflow(Document):
    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="workflows")

    objects: Any = scoped()

    class Meta:
        ordering = ("name",)
        indexes = (
            models.Index(fields=("workspace", "archived_at", "name"), name="llm_admin_workflow_list"),
            models.Index(fields=("workspace", "archived_at", "folder"), name="llm_admin_workflow_folder"),
        )
        permissions = (
            ("run_workflow", "Can run workflows"),
            ("publish_workflow", "Can publish workflows"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "name_key"),
                name="llm_admin_workflow_name",
                violation_error_message="There is a workflow of this name already (capitals do not count).",
            ),
            models.UniqueConstraint(
                fields=("workspace", "slug"),
                name="llm_admin_workflow_slug",
                violation_error_message="There is a workflow with this short name already.",
            ),
        )


class WorkflowAlias(Alias):
    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="+")
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="aliases")

    objects: Any = scoped()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "slug"), condition=~models.Q(slug=""), name="llm_admin_workflow_alias_slug"
            ),
            models.UniqueConstraint(
                fields=("workspace", "name_key"), condition=~models.Q(name_key=""), name="llm_admin_workflow_alias_name"
            ),
        )


class WorkflowVersion(Version):
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="versions")

    objects: Any = scoped("workflow__workspace")

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("workflow", "number"), name="llm_admin_workflow_version_number"),
        )


class WorkflowLabel(Label):
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="labels")
    version = models.ForeignKey(WorkflowVersion, on_delete=models.RESTRICT, related_name="labels")

    objects: Any = scoped("workflow__workspace")

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("workflow", "name"), name="llm_admin_workflow_label_holder"),)


class WorkflowLabelEvent(LabelEvent):
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="label_events")

    objects: Any = scoped("workflow__workspace")

    class Meta(LabelEvent.Meta):
        abstract = False
