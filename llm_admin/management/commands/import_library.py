"""Imports prompts and workflows from a file: what the page “Import” does, for a shell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from llm_admin.exceptions import ConsoleError, InvalidInput
from llm_admin.services import actors, library, workspaces


class Command(BaseCommand):
    help = "Imports prompts and workflows from a library (JSON) or a list (CSV, Excel). All of the file or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="JSON, CSV or .xlsx")
        parser.add_argument("--dry-run", action="store_true", help="Show what would happen; save nothing.")
        parser.add_argument("--workspace", metavar="SLUG", help="Default: the default workspace.")

    def handle(self, *, file: Path, dry_run: bool, workspace: str | None, **_: Any) -> None:
        try:
            actor = actors.system(workspaces.by_slug(workspace))
            plan = library.plan_file(_content(file), actor=actor, filename=file.name)
            plan.check()
            self._tell(plan)
            if not dry_run:
                library.apply(plan, actor=actor)
        except InvalidInput as error:
            lines = "\n".join(f"  {problem}" for problem in error.problems)
            raise CommandError(f"Nothing was imported from {file}:\n{lines}") from None
        except ConsoleError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{'Dry run, nothing was saved: ' if dry_run else ''}{_numbers(plan.counts)}")

    def _tell(self, plan: library.Plan) -> None:
        for item in plan.items:
            notices = f"  ({' '.join(item.notices)})" if item.notices else ""
            self.stdout.write(f"{item.action:<12} {item.noun:<9} {item.name}{_versions(item)}{notices}")
        if plan.ignored:
            self.stdout.write(f"Not imported: {', '.join(plan.ignored)}.")


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(library.MAX_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from None


def _versions(item: library.Item) -> str:
    if item.action == library.Action.NEW_VERSION:
        return f", v{item.document.last_number + 1} as a draft"
    return f", {len(item.versions)} versions" if len(item.versions) > 1 else ""


def _numbers(counts: library.Counts) -> str:
    renamed = f" ({counts.renamed} under another name)" if counts.renamed else ""
    return f"{counts.new} new{renamed}, {counts.new_version} with a new version, {counts.unchanged} unchanged."
