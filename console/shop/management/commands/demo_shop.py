from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.shop import demo
from llm_admin.exceptions import ConsoleError


class Command(BaseCommand):
    help = "For bin/demo: forty products, and who of the demo accounts may see and change them."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = demo.prepare(os.environ)
        except ConsoleError as error:
            raise CommandError(str(error)) from None
        for sentence in done:
            self.stdout.write(sentence)
