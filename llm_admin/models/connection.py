from __future__ import annotations

import os
from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from encrypted_fields.fields import EncryptedTextField

from llm_admin.tenancy import scoped


class Connection(models.Model):
    """An account with a provider. Its key is encrypted here, or lives in an environment variable named here."""

    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="connections")
    name = models.CharField(max_length=100)
    provider = models.CharField("kind", max_length=40, help_text="Who answers, or whose interface the server speaks.")
    base_url = models.URLField(
        "base URL",
        blank=True,
        max_length=500,
        help_text="Only for a server of your own or another OpenAI-compatible one, e.g. http://localhost:11434/v1.",
    )
    api_key = EncryptedTextField("key", blank=True, null=True)
    api_key_env = models.CharField(
        "environment variable with the key",
        max_length=100,
        blank=True,
        validators=[RegexValidator(r"^[A-Z_][A-Z0-9_]*$", "Capital letters, digits and underscores.")],
        help_text="Instead of a key stored here.",
    )
    options = models.JSONField(default=dict, blank=True, help_text="Further settings of the provider, as JSON.")
    # What the last test or call said of it. Unknown is NULL.
    healthy = models.BooleanField(null=True, editable=False)
    checked_at = models.DateTimeField(null=True, editable=False)
    check_ms = models.PositiveIntegerField(null=True, editable=False)
    problem = models.CharField(max_length=400, blank=True, editable=False)
    key_changed_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: Any = scoped()

    class Meta:
        ordering = ("name",)
        permissions = (("view_health", "Can see whether everything works"),)
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "name"),
                name="llm_admin_connection_name",
                violation_error_message="There is a connection of this name already.",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def secret(self) -> str:
        """The key itself, "" when there is none. Never show, log or store the answer."""
        if self.api_key_env:
            return os.environ.get(self.api_key_env, "")
        return self.api_key or ""
