"""Sums of the logs, so that numbers need not read them (ADR 0014)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import models

from llm_admin.tenancy import scoped

SLOT = dt.timedelta(minutes=15)  # every time zone's hours and days begin at one


class UsageSlot(models.Model):
    """A quarter of an hour in which something was logged; what of it is in blocks already.

    Triggers on the logs' table count (models/rollup_triggers.py), so it holds whoever writes: `changes` every row that
    came, changed or went, `breaks` those that make it necessary to read the slot again from its rows. Rows with an id
    above `last_id` are not in the blocks yet. `frozen`: its rows may be gone; it is never read again.
    """

    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, db_index=False, related_name="+")
    start = models.DateTimeField()
    changes = models.PositiveIntegerField(default=0)
    folded = models.PositiveIntegerField(default=0)  # changes that the blocks have
    breaks = models.PositiveIntegerField(default=0)
    mended = models.PositiveIntegerField(default=0)
    last_id = models.BigIntegerField(default=0)
    frozen = models.BooleanField(default=False)

    objects: Any = scoped()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "start"), name="llm_admin_usage_slot"),)
        indexes = (
            models.Index(
                fields=("workspace", "start"),
                name="llm_admin_usage_unfolded",
                condition=~models.Q(changes=models.F("folded")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M}"


class BlockLevel(models.TextChoices):
    """What a block is of, and what its cells tell apart. Those after the first are made from the quarters."""

    SLOT = "slot", "A quarter of an hour, by everything"
    HOUR = "hour", "An hour of UTC, by each dimension alone"
    DAY = "day", "A day, by each dimension alone"
    OUTCOME = "outcome", "A day, by where calls came from and how they ended, and each other dimension"
    DEPLOYMENT = "deployment", "A day, by deployment and each other dimension"
    PROMPT = "prompt", "A day of a prompt's version, by everything but the person"
    MODEL = "model", "A day of a model's deployment, by everything but the person"
    WORKFLOW = "workflow", "A day of a workflow, by everything but the person"
    USER = "user", "A day of a person, by everything"


class UsageBlock(models.Model):
    """Packed sums (rollups/blocks.py). `zone`: whose day it is. `value` and `part`: whose calls (rollups.codes), such
    as the prompt's and the version's; 0 where that is not told apart.

    All but quarters are thrown away when one of their quarters changes. A day's blocks are made together, so the one
    of level DAY says that the others are there.
    """

    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, db_index=False, related_name="+")
    level = models.CharField(max_length=10, choices=BlockLevel)
    zone = models.CharField(max_length=40, blank=True)
    value = models.BigIntegerField(default=0)
    part = models.BigIntegerField(default=0)
    start = models.DateTimeField()
    end = models.DateTimeField()
    cells = models.BinaryField(default=bytes)
    times = models.BinaryField(default=bytes)

    objects: Any = scoped()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "level", "start", "zone", "value", "part"), name="llm_admin_usage_block"
            ),
        )

    def __str__(self) -> str:
        return f"{self.level} {self.start:%Y-%m-%d %H:%M}"


class UsageZone(models.Model):
    """A time zone in which somebody reads the numbers of a workspace: it gets blocks for its days."""

    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=40)
    used_at = models.DateTimeField()

    objects: Any = scoped()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "name"), name="llm_admin_usage_zone"),)

    def __str__(self) -> str:
        return self.name
