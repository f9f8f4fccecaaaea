from __future__ import annotations

import argparse
import datetime as dt
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from llm_admin.exceptions import ConsoleError
from llm_admin.models import Deployment, LanguageModel
from llm_admin.services import actors, repricing, workspaces
from llm_admin.templatetags.llm_format import money
from llm_admin.tenancy import workspace_scope


class Command(BaseCommand):
    help = "Computes again what past calls cost, with the prices that are known now. Unknown costs may become known."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=_day, required=True, metavar="DATE", help="from this day on: 2026-01-31")
        parser.add_argument("--model", metavar="ALIAS", help="only calls of this model (default: of every one)")
        parser.add_argument("--dry-run", action="store_true", help="only say what would change")
        parser.add_argument("--workspace", metavar="SLUG", help="instead of the default workspace")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            actor = actors.system(workspaces.by_slug(options["workspace"]))
            with workspace_scope(actor.workspace):
                self._reprice(actor, options)
        except ConsoleError as error:
            raise CommandError(str(error)) from None

    def _reprice(self, actor: actors.Actor, options: dict[str, Any]) -> None:
        since, alias = repricing.check_since(options["since"]), options["model"]
        model = LanguageModel.objects.filter(alias=alias).first() if alias else None
        if alias and model is None:
            raise CommandError(f"There is no model “{alias}” in the workspace “{actor.workspace}”.")
        places = Deployment.objects.filter(model=model) if model else Deployment.objects.all()
        chosen = list(places.values_list("pk", flat=True))
        if options["dry_run"]:
            done: Any = repricing.preview(actor=actor, deployments=chosen, since=since, whole=True)
            self.stdout.write(f"{done.changed:,} of {done.logs:,} calls would have another cost.")
        else:
            done = repricing.run(actor=actor, model=model, deployments=chosen, since=since)
            self.stdout.write(repricing.sentence(done))
        self.stdout.write(f"Known costs: {_dollars(done.old_nano)} before, {_dollars(done.new_nano)} after.")
        self.stdout.write(f"Unknown costs: {done.unknown_before:,} before, {done.unknown_after:,} after.")


def _day(text: str) -> dt.datetime:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}” is no day; write it as 2026-01-31.") from None
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def _dollars(nano: int) -> str:
    return money(Decimal(nano) / 10**9)
