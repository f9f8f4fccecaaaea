"""What an answer from the cache costs: a whole run against the call it saves, and our look-up against the cache's own.

    .venv/bin/python benchmarks/cache.py [--runs 200] [--rounds 5] [--characters 2000]

A run that is answered from the cache (run, log and texts committed to SQLite on disk before it returns) against the
same run that asks: the offline fake, which takes 100 ms for its answer. Then `CachedAnswers.find` (key and all) against
a bare `get` of the same value from the same cache, Django's in this process. Rounds alternate.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from datetime import UTC, datetime

from overhead import Call, compare, prepare, seconds

DELAY_MS = 100
AT_LEAST, AT_MOST_MS = 20, 1.0


def make_handle() -> object:
    from llm_admin import get_prompt
    from llm_admin.models import Connection, Deployment, LanguageModel
    from llm_admin.schemas.prompts import MessageSpec, Parameters, PromptSpec, declare
    from llm_admin.services import actors, prompts, workspaces
    from llm_admin.tenancy import workspace_scope

    workspace = workspaces.default()
    with workspace_scope(workspace):
        model = LanguageModel.objects.create(workspace=workspace, alias="slow", name="Slow")
        connection = Connection.objects.get(provider="fake")
        Deployment.objects.create(
            model=model, connection=connection, provider_model=f"demo:words=1:delay_ms={DELAY_MS}"
        )
        messages = [MessageSpec(role="system", text="Be brief."), MessageSpec(text="Write about {{topic}}.")]
        spec = declare(PromptSpec(messages=messages, model="slow", parameters=Parameters(temperature=0)))
        prompts.create(actor=actors.system(workspace), name="Slow", spec=spec, slug="slow")
        return get_prompt("slow")


async def measure_runs(handle: object, runs: int, rounds: int) -> None:
    asked: Call = lambda: handle.arun({"topic": "rain"}, cache=False)  # noqa: E731
    hit: Call = lambda: handle.arun({"topic": "rain"})  # noqa: E731
    await asked()
    await seconds(hit, 20, 1)
    saved = [(await seconds(asked, 5, 1), await seconds(hit, runs, 1)) for _ in range(rounds)]
    ratios = sorted(a / h for a, h in saved)
    took = statistics.median(h for _, h in saved)
    print(
        f"a run from the cache: {took * 1e6:.0f} us; the same run when it asks a model of {DELAY_MS} ms: "
        f"{statistics.median(a for a, _ in saved) * 1e3:.1f} ms; ratio {statistics.median(ratios):.0f} "
        f"({ratios[0]:.0f} to {ratios[-1]:.0f}; wanted: at least {AT_LEAST})"
    )


async def measure_look_up(handle: object, runs: int, rounds: int, characters: int) -> None:
    from django.core.cache import cache

    from llm_admin.models import Run
    from llm_admin.schemas.records import CachedAnswer, CallStart
    from llm_admin.services.answers import CachedAnswers, asked
    from llm_admin.services.resolving import ModelResolver

    run = await asyncio.to_thread(lambda: Run._base_manager.select_related("workspace").first())
    model = await ModelResolver(run.workspace_id).model("slow")
    messages = [{"role": "user", "content": "word " * (characters // 5)}]
    start = CallStart("", datetime.now(UTC), messages, {"temperature": 0})
    answers = CachedAnswers(run)
    await answers.keep(start, model, CachedAnswer("word " * (characters // 5), 10, 10))
    key = (await answers._cache()).key(*asked(start.messages, start.parameters, model))

    async def look_up() -> None:
        found = await CachedAnswers(run).find(start, model)
        assert found is not None

    async def bare() -> None:
        assert cache.get(key) is not None

    ours, plain, _ = await compare(look_up, bare, runs * 10, rounds, 1)
    print(
        f"a look-up of {characters:,} characters: {ours * 1e6:.0f} us, a bare get {plain * 1e6:.0f} us: "
        f"{(ours - plain) * 1e3:.3f} ms more (wanted: at most {AT_MOST_MS:g} ms), ratio {ours / plain:.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--characters", type=int, default=2_000, help="of the question, and of the answer")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare(folder, full=False)
        handle = make_handle()

        async def measure() -> None:
            await measure_runs(handle, options.runs, options.rounds)
            await measure_look_up(handle, options.runs, options.rounds, options.characters)

        asyncio.run(measure())


if __name__ == "__main__":
    main()
