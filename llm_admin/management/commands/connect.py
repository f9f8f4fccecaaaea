from __future__ import annotations

import argparse
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from llm_admin.exceptions import ConsoleError, InvalidInput, Problem
from llm_admin.services import actors, connecting, workspaces

OPTIONS = {
    "provider": "PROVIDER",
    "name": "--name",
    "base_url": "--base-url",
    "key": "--api-key-env",
    "api_key_env": "--api-key-env",
    "provider_model": "--model",
    "alias": "--alias",
    "input_per_million": "--input-price",
    "output_per_million": "--output-price",
}


class Command(BaseCommand):
    help = "Connects a provider: makes or updates a connection, a model that people can pick, and its price."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", help="its kind, e.g. openai (for every OpenAI-compatible server)")
        parser.add_argument("--name", required=True, help="what the connection is called")
        parser.add_argument("--base-url", help="address of a server of your own, e.g. http://localhost:11434/v1")
        parser.add_argument("--api-key-env", metavar="VAR", help="environment variable that holds the key")
        parser.add_argument("--model", required=True, help="the provider's name of the model")
        parser.add_argument("--alias", required=True, help="the short name that prompts use, e.g. fast")
        parser.add_argument("--input-price", type=_price, metavar="X", help="US dollars per million input tokens")
        parser.add_argument("--output-price", type=_price, metavar="Y", help="US dollars per million output tokens")
        parser.add_argument("--workspace", metavar="SLUG", help="instead of the default workspace")
        parser.add_argument("--default", action="store_true", help="make it the workspace's default model")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = connecting.Wanted(**{name: options[name] for name in connecting.Wanted.__dataclass_fields__})
        try:
            workspace = workspaces.by_slug(options["workspace"])
            done = connecting.connect(wanted, actor=actors.system(workspace))
        except InvalidInput as error:
            raise CommandError(" ".join(map(_sentence, error.problems))) from None
        except ConsoleError as error:
            raise CommandError(str(error)) from None
        for sentence in done.sentences or ["Nothing to change: it is connected like this already."]:
            self.stdout.write(sentence)
        if done.warning:
            self.stderr.write(self.style.WARNING(done.warning))


def _price(text: str) -> Decimal:
    try:
        price = Decimal(text)
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite():
        raise argparse.ArgumentTypeError(f"“{text}” is no price; write dollars per million tokens such as 0.15.")
    return price


def _sentence(problem: Problem) -> str:
    option = OPTIONS.get(str(problem.location[0])) if problem.location else None
    return f"{option}: {problem.message}" if option else problem.message
