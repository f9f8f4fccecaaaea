from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from llm_admin.exceptions import ConsoleError
from llm_admin.models import Workspace
from llm_admin.services import actors, retention, retention_preview, workspaces


class Command(BaseCommand):
    help = "Removes texts and rows that are older than the workspaces' settings say. A server does it every hour."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workspace", metavar="SLUG", help="only this one (default: all that keep less than all)")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["workspace"]
        try:
            chosen = [workspaces.by_slug(slug)] if slug else list(Workspace.objects.order_by("slug"))
            if not slug:
                chosen = [one for one in chosen if one.keep_texts_days is not None or one.keep_logs_days is not None]
                if not chosen:
                    self.stdout.write("Every workspace keeps everything: there is nothing to remove.")
            for workspace in chosen:
                self._one(workspace, dry=options["dry_run"])
        except ConsoleError as error:
            raise CommandError(str(error)) from None

    def _one(self, workspace: Workspace, *, dry: bool) -> None:
        actor = actors.system(workspace)
        if dry:
            found = retention_preview.preview(
                actor=actor, texts_days=workspace.keep_texts_days, logs_days=workspace.keep_logs_days
            )
            self.stdout.write(f"{workspace}: {found.sentence}")
        else:
            self.stdout.write(f"{workspace}: {retention.sentence(retention.run(actor=actor))}")
