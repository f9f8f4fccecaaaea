from __future__ import annotations

from typing import Any

from django.db import models

from llm_admin.models.versioned import Alias, Document, Label, LabelEvent, Version
from llm_admin.tenancy import scoped


class Prompt(Document):
    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="prompts")

    objects: Any = scoped()

    class Meta:
        ordering = ("name",)
        indexes = (
            models.Index(fields=("workspace", "archived_at", "name"), name="llm_admin_prompt_list"),
            models.Index(fields=("workspace", "archived_at", "folder"), name="llm_admin_prompt_folder"),
        )
        permissions = (
            ("run_prompt", "Can run prompts"),
            ("publish_prompt", "Can publish prompts"),
            ("import_prompt", "Can import prompts"),
            ("export_prompt", "Can export prompts"),
            ("move_protected_label", "Can move protected labels"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "name_key"),
                name="llm_admin_prompt_name",
                violation_error_message="There is a prompt of this name already (capitals do not count).",
            ),
            models.UniqueConstraint(
                fields=("workspace", "slug"),
                name="llm_admin_prompt_slug",
                violation_error_message="There is a prompt with this short name already.",
            ),
        )


class PromptAlias(Alias):
    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="+")
    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="aliases")

    objects: Any = scoped()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "slug"), condition=~models.Q(slug=""), name="llm_admin_prompt_alias_slug"
            ),
            models.UniqueConstraint(
                fields=("workspace", "name_key"), condition=~models.Q(name_key=""), name="llm_admin_prompt_alias_name"
            ),
        )


class PromptVersion(Version):
    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="versions")

    objects: Any = scoped("prompt__workspace")

    class Meta:
        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("prompt", "number"), name="llm_admin_prompt_version_number"),)


class PromptLabel(Label):
    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="labels")
    version = models.ForeignKey(PromptVersion, on_delete=models.RESTRICT, related_name="labels")

    objects: Any = scoped("prompt__workspace")

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("prompt", "name"), name="llm_admin_prompt_label_holder"),)


class PromptLabelEvent(LabelEvent):
    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="label_events")

    objects: Any = scoped("prompt__workspace")

    class Meta(LabelEvent.Meta):
        abstract = False
