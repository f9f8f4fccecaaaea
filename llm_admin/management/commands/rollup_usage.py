"""Fold what dashboards read, make it again from the rows, or compare it with them."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date

from llm_admin.services import rollup_checks, rollups
from llm_admin.services.rollups import Counts

SAID = 20


class Command(BaseCommand):
    help = "Folds logs into the sums that dashboards read. A running server does this by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", help="Only from this day on, such as 2026-05-01.")
        parser.add_argument("--rebuild", action="store_true", help="Make everything again from the rows.")
        parser.add_argument("--verify", action="store_true", help="Compare with the rows: exit 1 if one differs.")

    def handle(self, *args: Any, **options: Any) -> None:
        since = _day(options["since"])
        if options["rebuild"]:
            self.stdout.write(f"{rollups.rebuild(since=since):,} quarters of an hour are made again.")
        if options["rebuild"] or not options["verify"]:
            counts = rollups.fold_all(since=since, progress=self._say if options["verbosity"] > 1 else None)
            self.stdout.write(
                f"Folded {counts.rows:,} changes in {counts.slots:,} quarters of an hour; made {counts.days:,} days."
            )
        if options["verify"]:
            self._verify(since)

    def _say(self, counts: Counts) -> None:
        self.stdout.write(f"{counts.rows:,} changes so far")

    def _verify(self, since: dt.datetime | None) -> None:
        found = 0
        for sentence in rollup_checks.differences(since=since):
            found += 1
            if found <= SAID:
                self.stdout.write(sentence)
        if found:
            raise CommandError(f"{found:,} differ. --rebuild makes them again.")
        self.stdout.write("Everything is as its rows say.")


def _day(text: str | None) -> dt.datetime | None:
    if not text:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError(f"--since {text}: give a day such as 2026-05-01.")
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))
