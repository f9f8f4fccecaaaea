"""How people look at the list of logs: views with a name, and each person's own choice."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from llm_admin.tenancy import scoped


class LogView(models.Model):
    """A combination of filters, search, order and columns that somebody gave a name. `columns` []: the reader's own."""

    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    shared = models.BooleanField(default=False)
    query = models.JSONField(default=dict)
    columns = models.JSONField(default=list)
    updated_at = models.DateTimeField(auto_now=True)

    objects: Any = scoped()

    class Meta:
        verbose_name = "view of logs"
        verbose_name_plural = "views of logs"
        ordering = ("name", "pk")
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "owner", "name"),
                name="llm_admin_log_view_name",
                violation_error_message="You have a view with this name already.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class LogReader(models.Model):
    """What one person chose in one workspace: the columns, and the view that the list opens with."""

    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    columns = models.JSONField(default=list)
    view = models.ForeignKey(LogView, null=True, on_delete=models.SET_NULL, related_name="+")

    objects: Any = scoped()

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("workspace", "user"), name="llm_admin_log_reader"),)

    def __str__(self) -> str:
        return f"What {self.user} sees of logs"
