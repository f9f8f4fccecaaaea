from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from llm_admin.services import health
from llm_admin.services.health import Checked, State


class Command(BaseCommand):
    help = "Says what works and what does not, in all workspaces; ends with 1 when something does not work."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        checks = health.run()
        broken = [one.name for one in checks if one.finding.state == State.BROKEN]
        if options["json"]:
            self.stdout.write(
                json.dumps({"healthy": not broken, "checks": [_as_json(one) for one in checks]}, indent=2)
            )
        else:
            for one in checks:
                self.stdout.write(f"{one.title}: {one.finding.state.words}. {one.finding.sentence}")
        if broken:
            raise CommandError(f"{len(broken)} of {len(checks)} do not work: {', '.join(broken)}.")


def _as_json(one: Checked) -> dict[str, Any]:
    milliseconds = None if one.milliseconds is None else round(one.milliseconds, 1)
    return {
        "name": one.name,
        "state": one.finding.state.value,
        "sentence": one.finding.sentence,
        "milliseconds": milliseconds,
    }
