from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from llm_admin.services import connection_keys


class Command(BaseCommand):
    help = (
        "Encrypts the keys of all connections anew, with the SECRET_KEY and the first SALT_KEY that are set now. "
        "Until this was done, former ones have to stand in SECRET_KEY_FALLBACKS, or behind the first SALT_KEY."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        result = connection_keys.reencrypt()
        self.stdout.write(f"{result.done} key{'s' if result.done != 1 else ''} encrypted anew.")
        if result.unreadable:
            raise CommandError(
                f"Not readable, and left as they are: {', '.join(result.unreadable)}. "
                "Add the SECRET_KEY of their time to SECRET_KEY_FALLBACKS, or enter these keys again."
            )
