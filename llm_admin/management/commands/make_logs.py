from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from llm_admin.exceptions import ConsoleError
from llm_admin.services import actors, sample_logs, workspaces


class Command(BaseCommand):
    help = "Makes believable past runs, to show dashboards and logs. They are made up: nothing is sent to any model."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", type=int, default=1_000, help="How many model calls (default: 1000).")
        parser.add_argument("--days", type=int, default=30, help="Over how many past days (default: 30).")
        parser.add_argument("--seed", type=int, default=1, help="The same seed gives the same calls (default: 1).")
        parser.add_argument("--workspace", metavar="SLUG", help="Where (default: the default workspace).")

    def handle(self, *args: Any, count: int, days: int, seed: int, workspace: str | None, **options: Any) -> None:
        try:
            actor = actors.system(workspaces.by_slug(workspace))
            counts = sample_logs.make_logs(actor=actor, count=count, days=days, seed=seed)
        except ConsoleError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"Made {counts.logs:,} logs of {counts.runs:,} runs in “{actor.workspace}” over the last {days} days; "
            f"{counts.texts:,} of them with texts."
        )
