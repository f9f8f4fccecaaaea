"""What prompts and workflows share: a named document, immutable versions, labels that point at them, label events."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from llm_admin.models.names import name_key
from llm_admin.models.tag import Tag

LIVE = "production"
LIVE_TITLE = "Live"


def label_title(name: str) -> str:
    return LIVE_TITLE if name == LIVE else name


class Document(models.Model):
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=400, editable=False)
    slug = models.SlugField(max_length=100, help_text="The name that code and the command line use.")
    description = models.CharField(max_length=500, blank=True)
    folder = models.CharField(max_length=200, blank=True, help_text="Such as Marketing/Emails.")
    tags = models.ManyToManyField(Tag, blank=True, related_name="%(class)ss")
    last_number = models.PositiveIntegerField(default=0, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    archived_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = name_key(self.name)
        super().save(*args, **kwargs)


class Alias(models.Model):
    """A name or short name that a document had before: code, workflows and imports still find it by that."""

    slug = models.CharField(max_length=100, blank=True)
    name_key = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.slug or self.name_key


class Version(models.Model):
    """Immutable: restoring an old one makes a new one."""

    number = models.PositiveIntegerField()
    spec = models.JSONField()
    note = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("Versions are immutable; save a new one.")
        super().save(*args, **kwargs)


class Label(models.Model):
    name = models.CharField(max_length=36)
    moved_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return label_title(self.name)


class LabelEvent(models.Model):
    """One move of a label: who, when, from where, to where, why. `*_number` 0 never occurs; None is "nowhere"."""

    name = models.CharField(max_length=36)
    from_number = models.PositiveIntegerField(null=True)
    to_number = models.PositiveIntegerField(null=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{label_title(self.name)}: {self.from_number or '–'} → {self.to_number or '–'}"
