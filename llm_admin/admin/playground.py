"""Trying a prompt out, and following and stopping any run: the run panel and what feeds it."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Iterable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from llm_admin.admin import approval_cards
from llm_admin.admin.base import actor_of, find, find_or_404
from llm_admin.admin.streaming import PING, event_stream, message
from llm_admin.exceptions import InvalidInput, NotFound, Problem
from llm_admin.models import Prompt, PromptVersion, Run
from llm_admin.schemas.base import parse
from llm_admin.schemas.prompts import Parameters, PromptSpec, declare
from llm_admin.schemas.storable import unfit, why_not
from llm_admin.selectors.traces import Asked, trace
from llm_admin.services import documents, follow, runs

MOST_RUNS = 100  # that one stream follows
NOT_WHOLE = "The text did not arrive whole. Copy it, reload the page, and try again."


@require_POST
def try_prompt(request: HttpRequest) -> HttpResponse:
    """Runs the text as it stands in the studio, saved or not, and answers with the panel that follows the run."""
    actor = actor_of(request)
    actor.require("run_prompt")
    prompt = find_or_404(request, Prompt, request.POST["prompt"]) if request.POST.get("prompt") else None
    try:
        spec = spec_of(posted_json(request.POST.get("spec", "")))
        run = runs.start_prompt(
            actor=actor,
            prompt=prompt,
            spec=spec,
            version=_unchanged(prompt, spec, request.POST.get("version", "")),
            inputs=posted_inputs(request.POST),
            model=request.POST.get("model") or None,
            client_key=client_key(request),
            cache=uses_cache(request),
        )
    except InvalidInput as error:
        return problems_answer(request, error.problems)
    return panel_answer(request, run.pk)


def spec_of(data: Any) -> PromptSpec:
    return declare(parse(PromptSpec, data))


def posted_json(raw: str) -> Any:
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidInput(NOT_WHOLE) from None
    if reason := unfit(data):
        raise InvalidInput(f"This {reason}.")
    return data


def posted_inputs(fields: QueryDict) -> dict[str, Any]:
    """Fields `input-<variable>` (text) and `list-<placeholder>` (JSON made by the page)."""
    texts = {name[6:]: str(value) for name, value in fields.items() if name.startswith("input-")}
    lists = {name[5:]: posted_json(str(value)) for name, value in fields.items() if name.startswith("list-")}
    return {name: text.replace("\r\n", "\n") for name, text in texts.items()} | lists


def client_key(request: HttpRequest) -> str | None:
    """Made by the page, once for each run that it starts. With the person's id: nobody reaches another's run by it."""
    key = request.POST.get("client_key")
    return f"{request.user.pk}:{key}"[:64] if key and not why_not(key) else None


def uses_cache(request: HttpRequest) -> bool:
    return not request.POST.get("no_cache")


def _unchanged(prompt: Prompt | None, spec: PromptSpec, number: str) -> PromptVersion | None:
    """The version that this text is, if it is one."""
    if prompt is None or not whole(number):
        return None
    try:
        version = documents.version_of(prompt, number=whole(number))
    except NotFound:
        return None
    return version if documents.spec_of(version) == spec else None


def problems_answer(request: HttpRequest, problems: list[Problem]) -> HttpResponse:
    """A fragment for the answer's place, and the event by which the page shows each problem where it belongs."""
    shown = [{"location": p.location, "message": p.message} for p in problems[:20]]
    context = {"problems": [worded(problem) for problem in problems]}
    response = render(request, "llm_admin/errors/_problems.html", context, status=422)
    response["HX-Trigger"] = json.dumps({"llm:problems": {"problems": shown}})
    return response


def worded(problem: Problem) -> str:
    """“Message 2: …” instead of the path into the spec."""
    match problem.location:
        case ("messages", int(position), *_):
            return f"Message {position + 1}: {problem.message}"
        case ("variables", int(position), *_):
            return f"Variable {position + 1}: {problem.message}"
        case ("inputs", str(name), int(position), *_):
            return f"{name}, message {position + 1}: {problem.message}"
        case ("parameters", str(name), *_) if name in Parameters.model_fields:
            return f"{Parameters.model_fields[name].title}: {problem.message}"
        case ("output", "fields", int(position), *_):
            return f"Answer, key {position + 1}: {problem.message}"
        case ("output", *_):
            return f"Answer: {problem.message}"
        case ("inputs" | "name" | "description" | "note", *_) | ():
            return problem.message
        case _:
            return str(problem)


def run_or_404(request: HttpRequest, pk: uuid.UUID | str) -> Run:
    """A run that this person may see; one in another workspace of theirs leads there."""
    actor = actor_of(request)
    actor.require("view_run")
    run = find(request, Run, pk)
    if run is None or not runs.visible(actor=actor).filter(pk=run.pk).exists():
        raise Http404
    return run


def panel_context(request: HttpRequest, run: Run, *, only: str = "", asked: Asked | None = None) -> dict[str, Any]:
    """`run` fresh from the database: while open, the channel's position is read after it, so that nothing is missed."""
    actor = actor_of(request)
    snapshot = follow.snapshot(run)
    own = run.owner_id == request.user.pk or actor.may("view_all_runs")
    return {
        "run": run,
        "trace": trace(run, streamed=snapshot.texts, only=only, asked=asked),
        "position": snapshot.position,
        "may_stop": (run.is_open or run.is_waiting) and own and actor.may(f"run_{run.kind}"),
        "approvals": approval_cards.waiting(run, actor) if run.is_waiting else [],
    }


def page_context(request: HttpRequest, run: Run) -> dict[str, Any]:
    """What the run's own page shows besides what the panel does in other pages."""
    ended = not (run.is_open or run.is_waiting)
    return {
        "hide_link": True,
        "open_calls": True,
        "client_key": uuid.uuid4().hex,
        "may_repeat": ended and bool(run.spec) and actor_of(request).may(f"run_{run.kind}"),
        "kept_from": run.again_of if run.keeps_steps else None,
    }


def panel_answer(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """`?step=<path>` gives that step alone, `?loop=<path>` more entries of a loop; `?waits=<count>` only a change."""
    run, asked = run_or_404(request, pk), asked_of(request)
    if still_waits(request, run):
        return HttpResponse(status=204)
    step = request.GET.get("step", "")
    context = panel_context(request, run, only=step, asked=asked)
    if request.GET.get("page"):
        context |= page_context(request, run)
    if asked:
        context["loop"] = context["trace"].more
        return _part(request, "llm_admin/runs/_loop.html", context, context["loop"])
    if step:
        context["step"] = next(iter(context["trace"].steps), None)
        return _part(request, "llm_admin/runs/_step.html", context, context["step"])
    return render(request, "llm_admin/runs/_panel.html", context)


def asked_of(request: HttpRequest) -> Asked | None:
    loop = request.GET.get("loop", "")
    return Asked(loop, whole(request.GET.get("after", "")), bool(request.GET.get("failed"))) if loop else None


def _part(request: HttpRequest, template: str, context: dict[str, Any], found: Any) -> HttpResponse:
    if found is None:
        raise Http404
    return render(request, template, context)


def still_waits(request: HttpRequest, run: Run) -> bool:
    """Whether nothing has changed for a page that shows as many open questions."""
    shown = request.GET.get("waits", "")
    return run.is_waiting and shown != "" and approval_cards.count(run) == whole(shown)


@require_GET
def run_panel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    return panel_answer(request, pk)


@require_POST
def stop_run(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    run = run_or_404(request, pk)
    runs.stop(run, actor=actor_of(request))
    return panel_answer(request, pk)


@require_GET
def follow_runs(request: HttpRequest) -> HttpResponseBase:
    """`?run=<id>:<position>`, any number of them, over one stream of server-sent events."""
    actor = actor_of(request)
    actor.require("view_run")
    asked = _positions([*request.GET.getlist("run"), request.headers.get("Last-Event-ID", "")])
    seen = runs.visible(actor=actor).filter(pk__in=list(asked)).values_list("pk", flat=True)
    positions = {str(pk): asked[pk] for pk in seen}
    if not positions:
        raise Http404
    return event_stream(request, _messages(positions))


def _positions(texts: Iterable[str]) -> dict[uuid.UUID, int]:
    """The highest position given for each run. What cannot be read is left out."""
    positions: dict[uuid.UUID, int] = {}
    for text in texts:
        run_id, _, number = text.partition(":")
        try:
            key = uuid.UUID(run_id)
        except ValueError:
            continue
        if key in positions or len(positions) < MOST_RUNS:
            positions[key] = max(whole(number), positions.get(key, 0))
    return positions


def whole(text: str) -> int:
    """A count from a URL or a hidden field; 0 for anything else."""
    return int(text) if text.isdecimal() and len(text) < 10 else 0


async def _messages(positions: dict[str, int]) -> AsyncIterator[bytes]:
    """Reads no table of a workspace: the middleware's scope is closed by now. The first ping opens the stream."""
    yield PING
    async for run_id, position, event in follow.follow(positions):
        if not run_id:
            yield PING
            continue
        data = {**event, "run": run_id, "position": position}
        yield message(data, event=str(event["type"]), last_id=f"{run_id}:{position}")
    yield message({}, event="end")
