"""A ten-step workflow against the same ten Runnables composed by hand; and a batch against the time it cannot beat.

    .venv/bin/python benchmarks/workflows.py [--runs 150] [--rounds 5] [--rows 2000] [--at-once 50] [--only steps|batch]

Ten steps (three ask the offline fake, without delay, 20 tokens each; the others prepare and read): everything (run,
steps, logs, texts) is committed to SQLite on disk (WAL, synchronous=NORMAL) before the run counts as done. By hand:
RunnablePassthrough.assign of ten Runnables, ainvoke, nothing stored. Rounds alternate.

The batch: rows of a workflow with one model step; the fake takes 200 ms for its one-word answer. Ideal: rows * 0.2 s /
at once. Memory is this process's resident set when a quarter of the rows are done, and at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import tempfile
import threading
import time
from pathlib import Path

from overhead import Call, compare, prepare, seconds

STEPS = [
    {"type": "template", "id": "intro", "text": "The topic is {{topic}}."},
    {"type": "prompt", "id": "question", "prompt": "ask"},
    {"type": "llm", "id": "draft", "messages_from": "question", "model": "words"},
    {"type": "parser", "id": "clean", "source": "draft", "format": "text"},
    {"type": "set", "id": "keyword", "value": "{{topic}}", "kind": "text"},
    {"type": "template", "id": "review", "text": "Improve for {{keyword}}: {{clean}}"},
    {"type": "llm", "id": "better", "text": "{{review}}", "model": "words"},
    {"type": "parser", "id": "lines", "source": "better", "format": "list"},
    {"type": "llm", "id": "title", "text": "A title for {{better}}", "model": "words"},
    {"type": "template", "id": "letter", "text": "{{title}}\n\n{{intro}}\n{{better}}"},
]
DELAY_MS = 200


def make_workflows() -> dict[str, object]:
    from llm_admin import get_workflow
    from llm_admin.models import Connection, Deployment, LanguageModel
    from llm_admin.schemas.prompts import MessageSpec, PromptSpec, declare
    from llm_admin.schemas.workflows import WorkflowSpec
    from llm_admin.services import actors, prompts, workflows, workspaces
    from llm_admin.tenancy import workspace_scope

    workspace = workspaces.default()
    system = actors.system(workspace)
    slow = [{"type": "llm", "id": "answer", "text": "About {{topic}}", "model": "slow"}]
    with workspace_scope(workspace):
        for alias, name in (("words", "demo:words=20:delay_ms=0"), ("slow", f"demo:words=1:delay_ms={DELAY_MS}")):
            model = LanguageModel.objects.create(workspace=workspace, alias=alias, name=alias)
            connection = Connection.objects.get(provider="fake")
            Deployment.objects.create(model=model, connection=connection, provider_model=name)
        messages = [MessageSpec(role="system", text="Be brief."), MessageSpec(text="Write about {{topic}}: {{intro}}")]
        prompts.create(actor=system, name="Ask", spec=declare(PromptSpec(messages=messages)), slug="ask")
        for slug, steps in (("ten-steps", STEPS), ("one-call", slow)):
            spec = WorkflowSpec.model_validate({"inputs": [{"name": "topic"}], "steps": steps})
            workflows.create(actor=system, name=slug, spec=spec, slug=slug)
    return {slug: get_workflow(slug) for slug in ("ten-steps", "one-call")}


def by_hand() -> Call:
    from langchain_core.output_parsers import StrOutputParser
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_core.runnables import RunnableLambda, RunnablePassthrough

    from llm_admin.runtime.providers import Endpoint, get_provider

    model = get_provider("fake").build(Endpoint("fake", "demo:words=20:delay_ms=0"), {})

    def text(template: str) -> ChatPromptTemplate:
        return ChatPromptTemplate.from_messages([("user", template)])

    def as_text(template: str) -> object:
        return text(template) | RunnableLambda(lambda value: value.messages[0].content)

    assign = RunnablePassthrough.assign
    question = ChatPromptTemplate.from_messages([("system", "Be brief."), ("user", "Write about {topic}: {intro}")])
    chain = (
        assign(intro=as_text("The topic is {topic}."))
        | assign(question=question)
        | assign(draft=RunnableLambda(lambda values: values["question"]) | model | StrOutputParser())
        | assign(clean=RunnableLambda(lambda values: values["draft"].strip()))
        | assign(keyword=RunnableLambda(lambda values: values["topic"]))
        | assign(review=as_text("Improve for {keyword}: {clean}"))
        | assign(better=text("{review}") | model | StrOutputParser())
        | assign(lines=RunnableLambda(lambda values: values["better"].splitlines()))
        | assign(title=text("A title for {better}") | model | StrOutputParser())
        | assign(letter=as_text("{title}\n\n{intro}\n{better}"))
    )
    return lambda: chain.ainvoke({"topic": "rain"})


async def ten_steps(handle: object, runs: int, rounds: int) -> None:
    from llm_admin.services.server import tune_interpreter

    def ours() -> object:
        return handle.arun({"topic": "rain"})

    hand = by_hand()
    await seconds(ours, 20, 1)
    await seconds(hand, 20, 1)
    tune_interpreter()
    for at_once in (1, 20):
        a, b, ratios = await compare(ours, hand, runs, rounds, at_once)
        print(
            f"ten steps, {at_once:>2} at once: {a * 1e3:5.2f} ms a run, by hand {b * 1e3:5.2f} ms; ratio of a round "
            f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


def check_rows(runs: int) -> None:
    from llm_admin.models import InteractionLog, Run, RunStep

    runs_done = Run._base_manager.filter(status="succeeded", workflow__slug="ten-steps")
    steps = RunStep._base_manager.filter(run__in=runs_done, status="succeeded").count()
    logs = InteractionLog._base_manager.filter(run__in=runs_done.values("pk")).count()
    count = runs_done.count()
    lost = [runs - count, 10 * runs - steps, 3 * runs - logs]
    print(f"lost: {lost[0]} of {runs} runs, {lost[1]} of {10 * runs} steps, {lost[2]} of {3 * runs} logs")


def memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def batch(handle: object, rows: int, at_once: int) -> None:
    from llm_admin.models import Batch, BatchRow, Run
    from llm_admin.services import actors, batches
    from llm_admin.tenancy import workspace_scope

    handle.run({"topic": "warm-up"})
    gc.collect()
    with workspace_scope(handle.workspace):
        given = (batches.RowInput({"topic": f"row {n}"}) for n in range(rows))
        began, cpu = time.perf_counter(), time.process_time()
        made = batches.start(
            actor=actors.system(handle.workspace),
            workflow=handle.document,
            version=handle.version,
            rows=given,
            concurrency=at_once,
        )
        stored = time.perf_counter() - began
        sizes = []
        while Batch.objects.filter(pk=made.pk, status="running").exists():
            time.sleep(0.25)
            sizes.append((BatchRow.objects.filter(batch=made, status="succeeded").count(), memory_mb()))
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        done = BatchRow.objects.filter(batch=made, status="succeeded").count()
        runs = Run.objects.filter(batch=made, status="succeeded").count()
    ideal = rows * DELAY_MS / 1000 / at_once
    early = next((size for count, size in sizes if count >= rows / 4), sizes[-1][1])
    print(
        f"batch of {rows:,} rows, {at_once} at once, {DELAY_MS} ms a call: {took:.2f} s (storing the rows "
        f"{stored:.2f}), ideal {ideal:.2f}; ratio {took / ideal:.2f}; {cpu / rows * 1e3:.1f} ms of CPU a row; "
        f"lost {rows - min(done, runs)}; "
        f"memory {early:.0f} MB at a quarter, {memory_mb():.0f} MB at the end; {threading.active_count()} threads"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--only", choices=["steps", "batch"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare(folder, full=False)
        handles = make_workflows()
        if options.only != "batch":
            asyncio.run(ten_steps(handles["ten-steps"], options.runs, options.rounds))
            check_rows(20 + 2 * options.runs * options.rounds)
        if options.only != "steps":
            batch(handles["one-call"], options.rows, options.at_once)


if __name__ == "__main__":
    main()
