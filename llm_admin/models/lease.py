from __future__ import annotations

from django.db import models


class Lease(models.Model):
    """A duty that one process at a time performs (the ticker). Taken and renewed by compare-and-set."""

    name = models.CharField(max_length=60, primary_key=True)
    holder = models.CharField(max_length=80)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"
