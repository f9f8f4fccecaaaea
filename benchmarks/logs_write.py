"""A logged call with rollups and without them (their triggers), in turn; on an empty database, the worst case.

The model is the offline fake without delay (20 tokens); everything is committed to SQLite on disk before a call ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import Any

from logs_database import set_up

AT_ONCE = (1, 50)
Call = Callable[[], Awaitable[object]]


def make_call() -> Call:
    from llm_admin import get_prompt
    from llm_admin.models import Connection, Deployment, LanguageModel
    from llm_admin.schemas.prompts import MessageSpec, PromptSpec, declare
    from llm_admin.services import actors, prompts, workspaces
    from llm_admin.tenancy import workspace_scope

    workspace = workspaces.default()
    with workspace_scope(workspace):
        model = LanguageModel.objects.create(workspace=workspace, alias="quick", name="Quick")
        connection = Connection.objects.get(provider="fake")
        Deployment.objects.create(model=model, connection=connection, provider_model="demo:words=20")
        spec = declare(PromptSpec(messages=[MessageSpec(text="Write about {{topic}}.")], model="quick"))
        prompts.create(actor=actors.system(workspace), name="Measured", spec=spec, slug="measured")
        handle = get_prompt("measured")
    return lambda: handle.arun({"topic": "rain"})


async def seconds(call: Call, runs: int, at_once: int) -> tuple[float, float]:
    """(by the clock, of the processor) of one call, `at_once` of them in flight."""
    left = iter(range(runs))

    async def work() -> None:
        for _ in left:
            await call()

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(at_once)))
    return (time.perf_counter() - began) / runs, (time.process_time() - cpu) / runs


def switch(*, on: bool) -> None:
    """In the writer's thread, as everything that is written."""
    from django.db import connection

    from llm_admin.jobs.writer import WRITER
    from llm_admin.models import rollup_triggers

    WRITER.write_sync(lambda: (rollup_triggers.install if on else rollup_triggers.remove)(connection))


async def measure(call: Call, runs: int, rounds: int, at_once: int) -> dict[str, Any]:
    """The order of a pair alternates, so that a machine that becomes slower favours neither."""
    pairs: list[dict[bool, tuple[float, float]]] = []
    for number in range(rounds):
        pair = {}
        for on in (number % 2 == 0, number % 2 == 1):
            await asyncio.to_thread(switch, on=on)
            await seconds(call, 10, at_once)
            pair[on] = await seconds(call, runs, at_once)
        pairs.append(pair)
    return {
        "at_once": at_once,
        "with_us": statistics.median(pair[True][0] for pair in pairs) * 1e6,
        "without_us": statistics.median(pair[False][0] for pair in pairs) * 1e6,
        "ratios": sorted(pair[True][0] / pair[False][0] for pair in pairs),
        "cpu_ratios": sorted(pair[True][1] / pair[False][1] for pair in pairs),
    }


def counted() -> bool:
    """Whether the triggers did their work while they were there."""
    from django.db.models import Sum

    from llm_admin.models import InteractionLog, UsageSlot

    changes = UsageSlot._base_manager.aggregate(sum=Sum("changes"))["sum"] or 0
    return 0 < changes < InteractionLog._base_manager.count()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        set_up(f"{folder}/write.sqlite3")
        from django.core.management import call_command

        from llm_admin.services.server import tune_interpreter

        call_command("migrate", verbosity=0)
        call = make_call()
        asyncio.run(seconds(call, 50, 1))
        tune_interpreter()
        found = [asyncio.run(measure(call, options.runs, options.rounds, at_once)) for at_once in AT_ONCE]
        if not counted():
            sys.exit("The triggers did not count the calls, or were never away.")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
