from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from llm_admin.exceptions import ConsoleError
from llm_admin.services import demo


class Command(BaseCommand):
    help = "Fills the default workspace for bin/demo: library, accounts with a known password, a month of past runs."
    prepare = staticmethod(demo.prepare)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = self.prepare(os.environ)
        except ConsoleError as error:
            raise CommandError(str(error)) from None
        for sentence in done:
            self.stdout.write(sentence)
