"""What lets the list of logs be filtered and searched without reading all of them. Made from the logs, after them."""

from __future__ import annotations

from typing import Any

from django.db import models

from llm_admin.tenancy import scoped


class LogIndexMark(models.Model):
    """How far an index is: it has the logs up to this id. With another version than the code's it is made anew."""

    name = models.CharField(primary_key=True, max_length=20)
    upto = models.BigIntegerField(default=0)
    version = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return f"{self.name} up to {self.upto}"


class LogMinutes(models.Model):
    """In which minutes of a day (UTC) calls with this value began: a bit each, the first minute's is the lowest.

    A bit may stay when its calls are gone or changed: it says where to look, not what is there.
    """

    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, db_index=False, related_name="+")
    dimension = models.CharField(max_length=10)
    value = models.CharField(max_length=40)
    day = models.DateField()
    minutes = models.BinaryField()

    objects: Any = scoped()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("workspace", "dimension", "value", "day"), name="llm_admin_log_minutes"),
        )

    def __str__(self) -> str:
        return f"{self.dimension} {self.value} on {self.day}"
