from __future__ import annotations

from typing import Any

from django.db import models

from llm_admin.models.names import name_key
from llm_admin.tenancy import scoped


class Tag(models.Model):
    """A word that people put on prompts and workflows to find them again."""

    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=50)
    name_key = models.CharField(max_length=100, editable=False)

    objects: Any = scoped()

    class Meta:
        ordering = ("name_key",)
        constraints = (models.UniqueConstraint(fields=("workspace", "name_key"), name="llm_admin_tag_name"),)

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = name_key(self.name)
        super().save(*args, **kwargs)
