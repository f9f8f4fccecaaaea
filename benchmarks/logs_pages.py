"""One database in a process of its own: a line in names a page, a line out says how long it took."""

from __future__ import annotations

import html
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

from logs_clock import Stopwatch, stand_still, time_queries, time_selectors
from logs_database import set_up
from logs_rows import END
from logs_scenarios import all_of

PART = re.compile(r'<[^<>]*\bhx-get="([^"]+)"[^<>]*>')
AT_ONCE = re.compile(r'\bhx-trigger="[^"]*\b(load|revealed|intersect)\b')


def parts_of(page: str) -> list[str]:
    """Addresses that the browser asks for by itself when it shows the page."""
    found = (match for match in PART.finditer(page) if AT_ONCE.search(match[0]))
    return [html.unescape(match[1]) for match in found]


class Pages:
    def __init__(self, watch: Stopwatch, zone: str) -> None:
        from django.contrib.auth import get_user_model
        from django.test import Client

        from llm_admin.middleware import PICKED_ZONE

        self.watch, self.client = watch, Client()
        users = get_user_model().objects
        person = users.filter(username="reviewer").first() or users.create_superuser("reviewer", password="bench")
        self.client.force_login(person, backend="llm_admin.auth.WorkspaceBackend")
        self.client.cookies[PICKED_ZONE] = zone
        self.scenarios = all_of(*_filters())

    def show(self, name: str, number: int) -> dict[str, Any]:
        """The page and what it loads by itself, as the browser would."""
        from django.core.cache import cache

        from llm_admin.services import catalogue

        variants = self.scenarios[name]
        waiting = [variants[number % len(variants)]]
        catalogue.forget()
        cache.clear()
        self.watch.restart()
        seconds, parts = 0.0, 0
        while waiting:
            address, parts = waiting.pop(0), parts + 1
            began = self.watch.clock()
            answer = self.client.get(address, headers={"HX-Request": "true"} if parts > 1 else {})
            seconds += self.watch.clock() - began
            if answer.status_code != 200:
                return {"failed": f"{address}: {answer.status_code} {answer.headers.get('Location', '')}"}
            waiting += parts_of(answer.content.decode()) if not answer.streaming else []
        return {
            "page": seconds * 1000,
            "queries": self.watch.seconds * 1000,
            "statements": self.watch.statements,
            "parts": parts,
        }


def _filters() -> tuple[dict[str, list[str]], list[int]]:
    """Values of each filter: the first, a middle and the last one (the last prompt, model, person: hardly used)."""
    from llm_admin.models import Connection, InteractionLog, LanguageModel, Membership, Prompt, PromptVersion, Workflow
    from llm_admin.services import workspaces
    from llm_admin.tenancy import workspace_scope

    with workspace_scope(workspaces.default()):
        ids = {
            "model": LanguageModel.objects.filter(alias__startswith="model-")
            .order_by("pk")
            .values_list("pk", flat=True),
            "prompt": Prompt.objects.filter(slug__startswith="prompt-").order_by("pk").values_list("pk", flat=True),
            "version": PromptVersion.objects.filter(prompt__slug="prompt-0")
            .order_by("pk")
            .values_list("pk", flat=True),
            "connection": Connection.objects.filter(deployments__isnull=False)
            .distinct()
            .order_by("pk")
            .values_list("pk", flat=True),
            "workflow": Workflow.objects.filter(slug__startswith="flow-").order_by("pk").values_list("pk", flat=True),
            "user": Membership.objects.order_by("user_id").values_list("user_id", flat=True),
        }
        newest = InteractionLog.objects.order_by("-pk").values_list("pk", flat=True)[0]
        logs = list(
            InteractionLog.objects.filter(pk__in=range(newest, 0, -max(newest // 20, 1))).values_list("pk", flat=True)
        )
    values = {name: [str(some[0]), str(some[len(some) // 2]), str(some[len(some) - 1])] for name, some in ids.items()}
    words = {
        "source": ["code", "command"],
        "status": ["succeeded", "failed", "interrupted"],
        "error": ["timeout", "internal", "authentication"],
        "cached": ["no", "yes"],
    }
    return values | words, logs


def serve(database: Path, zone: str, *, cpu: bool) -> None:
    watch = Stopwatch(time.process_time if cpu else time.perf_counter)
    set_up(database)
    from django.core.management import call_command

    from llm_admin.services.server import tune_interpreter

    time_queries(watch)
    call_command("migrate", verbosity=0)
    time_selectors(watch)
    stand_still(END)
    pages = Pages(watch, zone)
    for name in pages.scenarios:
        pages.show(name, 0)
    tune_interpreter()
    print(json.dumps({name: len(variants) for name, variants in pages.scenarios.items()}), flush=True)
    for line in sys.stdin:
        name, number = json.loads(line)
        print(json.dumps(pages.show(name, number)), flush=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2], cpu="--cpu" in sys.argv)
