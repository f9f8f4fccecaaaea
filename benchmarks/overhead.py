"""One logged run against the bare LangChain chain of the same steps, as a ratio measured in one run.

    .venv/bin/python benchmarks/overhead.py [--runs 600] [--rounds 5] [--full]

The model is the offline fake without delay (20 tokens). Ours: everything (run, log, texts) is committed to SQLite on
disk before the call returns; PRAGMA synchronous=NORMAL (survives a killed process), FULL with --full (a power cut too).
The bare chain: ChatPromptTemplate | model | StrOutputParser with ainvoke, nothing stored. Rounds alternate.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
Call = Callable[[], Awaitable[object]]


def prepare(folder: str, *, full: bool) -> None:
    """A database of its own, with one prompt and models of 20 and 220 tokens."""
    sys.path.insert(0, str(ROOT))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "DATABASE_URL": f"sqlite:///{folder}/benchmark.sqlite3",
        "SECRET_KEY": "benchmark-" + "x" * 50,
    }
    import django
    from django.conf import settings

    if full:
        options = settings.DATABASES["default"]["OPTIONS"]
        options["init_command"] = options["init_command"].replace("synchronous=NORMAL", "synchronous=FULL")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def make_handles() -> dict[int, object]:
    from llm_admin import get_prompt
    from llm_admin.models import Connection, Deployment, LanguageModel
    from llm_admin.schemas.prompts import MessageSpec, PromptSpec, declare
    from llm_admin.services import actors, prompts, workspaces
    from llm_admin.tenancy import workspace_scope

    workspace = workspaces.default()
    handles = {}
    with workspace_scope(workspace):
        for words in (20, 220):
            model = LanguageModel.objects.create(workspace=workspace, alias=f"words-{words}", name=f"{words} words")
            connection = Connection.objects.get(provider="fake")
            Deployment.objects.create(model=model, connection=connection, provider_model=f"demo:words={words}")
            messages = [MessageSpec(role="system", text="Be brief."), MessageSpec(text="Write about {{topic}}.")]
            spec = declare(PromptSpec(messages=messages, model=model.alias))
            prompts.create(actor=actors.system(workspace), name=f"{words} words", spec=spec, slug=f"words-{words}")
            handles[words] = get_prompt(f"words-{words}")
    return handles


def bare_chain(spec: object, words: int) -> Call:
    from langchain_core.output_parsers import StrOutputParser

    from llm_admin.runtime.prompts import as_langchain
    from llm_admin.runtime.providers import Endpoint, get_provider

    model = get_provider("fake").build(Endpoint("fake", f"demo:words={words}"), {})
    chain = as_langchain(spec) | model | StrOutputParser()
    return lambda: chain.ainvoke({"topic": "rain"})


async def seconds(call: Call, runs: int, at_once: int) -> float:
    """Wall time of one run, `at_once` of them in flight."""
    left = iter(range(runs))

    async def work() -> None:
        for _ in left:
            await call()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(at_once)))
    return (time.perf_counter() - began) / runs


async def compare(ours: Call, bare: Call, runs: int, rounds: int, at_once: int) -> tuple[float, float, list[float]]:
    """Medians of the time of one run, and the ratio of each round: its two halves follow one another at once."""
    times = [(await seconds(ours, runs, at_once), await seconds(bare, runs, at_once)) for _ in range(rounds)]
    a, b = (statistics.median(column) for column in zip(*times, strict=True))
    return a, b, sorted(x / y for x, y in times)


async def measure(handles: dict[int, object], runs: int, rounds: int) -> int:
    from llm_admin.services.server import tune_interpreter

    ours = {words: (lambda h=h: h.arun({"topic": "rain"})) for words, h in handles.items()}
    bare = {words: bare_chain(h.spec, words) for words, h in handles.items()}
    await seconds(ours[20], 50, 1)
    await seconds(bare[20], 50, 1)
    tune_interpreter()
    started = 50
    for at_once in (1, 50):
        a, b, ratios = await compare(ours[20], bare[20], runs, rounds, at_once)
        started += runs * rounds
        print(
            f"{at_once:>2} at once: {a * 1e6:6.0f} us a run, bare chain {b * 1e6:6.0f} us; ratio of a round "
            f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}); {1 / a:,.0f} runs/s"
        )
    long, *_ = await compare(ours[220], bare[220], max(runs // 5, 20), rounds, 1)
    short, *_ = await compare(ours[20], bare[20], max(runs // 5, 20), rounds, 1)
    print(f"a token more: {(long - short) / 200 * 1e6:.1f} us")
    return started + 2 * max(runs // 5, 20) * rounds


def lost(started: int) -> int:
    from llm_admin.models import InteractionLog, InteractionText, Run

    closed = Run._base_manager.filter(status="succeeded").count()
    logs, texts = InteractionLog._base_manager.count(), InteractionText._base_manager.count()
    return started - min(closed, logs, texts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--full", action="store_true", help="PRAGMA synchronous=FULL")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare(folder, full=options.full)
        handles = make_handles()
        print(f"SQLite on disk, WAL, synchronous={'FULL' if options.full else 'NORMAL'}; durable before “done”")
        started = asyncio.run(measure(handles, options.runs, options.rounds))
        print(f"lost: {lost(started)} of {started} runs")


if __name__ == "__main__":
    main()
