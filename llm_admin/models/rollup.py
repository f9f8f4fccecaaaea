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
    SLOT = "slot", "A quarter of an hour, by everything"
    DAY = "day", "A day of a time zone, by everything but the person"
    PAIR = "pair", "A day of a time zone, for each value of one dimension by each other one"
    PERSON = "person", "A person's UTC day, by quarters of an hour"


class UsageBlock(models.Model):
    """Packed sums (rollups/blocks.py). `zone` only of days; `person` only of a person's: rollups.codes.key_of. Of
    pairs it is the place of the dimension among blocks.DIMENSIONS.

    Days and people's days are made from the slots and thrown away when one of these changes. Person 0 of a UTC day says
    that its people's blocks are there; it holds nothing.
    """

    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, db_index=False, related_name="+")
    level = models.CharField(max_length=6, choices=BlockLevel)
    zone = models.CharField(max_length=40, blank=True)
    person = models.BigIntegerField(default=0)
    start = models.DateTimeField()
    end = models.DateTimeField()
    summary = models.BinaryField(default=bytes)
    summary_times = models.BinaryField(default=bytes)
    cells = models.BinaryField(default=bytes)
    times = models.BinaryField(default=bytes)

    objects: Any = scoped()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "level", "start", "zone", "person"), name="llm_admin_usage_block"
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
