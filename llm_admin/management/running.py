"""What `run_prompt` and `run_workflow` share: streaming to stdout, numbers to stderr, one sentence on failure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from llm_admin.choices import RunSource, RunStatus
from llm_admin.exceptions import ConsoleError
from llm_admin.services import handles, workspaces
from llm_admin.services.execution import run_async
from llm_admin.services.families import Family
from llm_admin.templatetags.llm_format import cost


def pairs(words: list[str]) -> dict[str, str]:
    """["k=v", ...] -> {"k": "v"}. Raises CommandError."""
    values = {}
    for word in words:
        name, separator, value = word.partition("=")
        if not (name and separator):
            raise CommandError(f"“{word}” is not of the form name=value.")
        values[name] = value
    return values


class RunCommand(BaseCommand):
    family: Family
    values_option: str

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Our --version takes the place of Django's."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument(self.values_option, dest="values", action="append", default=[], metavar="k=v")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--version", dest="number", type=int, metavar="N", help="default: what is Live")
        which.add_argument("--label", default="", help="default: Live")
        parser.add_argument("--model", help="the alias of a model")
        parser.add_argument("--workspace", help="its short name; default: the default workspace")
        parser.add_argument("--no-cache", action="store_true", help="no answer that was given before")
        parser.add_argument("--json", action="store_true", help="print one JSON object at the end, nothing before")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = self._run(options)
        except ConsoleError as error:
            raise CommandError(str(error)) from None
        self._print(result, as_json=options["json"])
        if result.status == RunStatus.WAITING:
            self.stderr.write("It waits for an approval. Once somebody has decided, a server of the console goes on.")
            return
        if not result.ok:
            raise CommandError(result.error)

    def _run(self, options: dict[str, Any]) -> handles.Result:
        where = workspaces.by_slug(options["workspace"])
        found = handles.handle(
            self.family, options["slug"], label=options["label"], number=options["number"], workspace=where
        )
        given = {"model": options["model"], "user": None, "cache": not options["no_cache"]}
        run = found.plan(pairs(options["values"]), source=RunSource.COMMAND, **given)
        self.workspace = where
        return run_async(handles.execute(run, listener=None if options["json"] else self._listener()))

    def _listener(self) -> Callable[[Any], None]:
        def listen(event: Any) -> None:
            if event["type"] == "token":
                self.stdout.write(event["text"], ending="")
                self.stdout.flush()

        return listen

    def _print(self, result: handles.Result, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(asdict(result), default=str, ensure_ascii=False))
            return
        self.stdout.write("")
        if result.ok and not isinstance(result.output, str):
            self.stdout.write(json.dumps(result.output, ensure_ascii=False, indent=2))
        tokens = f"{_known(result.input_tokens)} tokens in, {_known(result.output_tokens)} out"
        self.stderr.write(
            f"{result.latency_ms} ms, {tokens}, cost {cost(result.cost_nano, self.workspace)}, run {result.run_id}"
        )


def _known(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"
