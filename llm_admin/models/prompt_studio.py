"""What stands around a prompt while people work on it: its text to search in, test inputs, drafts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from llm_admin.tenancy import scoped


class PromptText(models.Model):
    """Name, description, tags and texts (newest and Live) of a prompt, case-folded: what the search looks through."""

    prompt = models.OneToOneField("llm_admin.Prompt", primary_key=True, on_delete=models.CASCADE, related_name="text")
    text = models.TextField()

    objects: Any = scoped("prompt__workspace")

    def __str__(self) -> str:
        return self.text[:50]


class PromptTest(models.Model):
    """A named set of values, and what the answer to it must fulfil (`schemas.checks.TestInput`)."""

    prompt = models.ForeignKey("llm_admin.Prompt", on_delete=models.CASCADE, related_name="tests")
    name = models.CharField(max_length=100)
    inputs = models.JSONField(default=dict)
    checks = models.JSONField(default=list)
    position = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    objects: Any = scoped("prompt__workspace")

    class Meta:
        ordering = ("position", "id")
        constraints = (models.UniqueConstraint(fields=("prompt", "name"), name="llm_admin_prompt_test_name"),)

    def __str__(self) -> str:
        return self.name


class PromptDraft(models.Model):
    """Somebody's open studio: when they were last seen there, and what they have not saved yet (NULL: nothing).

    Without a prompt it is the one that they are about to make.
    """

    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="+")
    prompt = models.ForeignKey("llm_admin.Prompt", null=True, on_delete=models.CASCADE, related_name="drafts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    content = models.JSONField(null=True)
    based_on = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()

    objects: Any = scoped()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("prompt", "user"), name="llm_admin_one_draft"),
            models.UniqueConstraint(
                fields=("workspace", "user"), condition=models.Q(prompt=None), name="llm_admin_one_new_draft"
            ),
        )

    def __str__(self) -> str:
        return f"{self.prompt or 'New prompt'}: {self.user}"
