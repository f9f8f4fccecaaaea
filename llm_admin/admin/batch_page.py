"""One batch: how far it is, what can be done with it, and its rows."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from llm_admin.admin import batch_words, playground
from llm_admin.admin.base import actor_of, find
from llm_admin.choices import BatchStatus, RowStatus, StoreTexts
from llm_admin.models import Batch, BatchRow
from llm_admin.schemas.values import as_text
from llm_admin.selectors import batch_rows
from llm_admin.selectors.batches import Progress, progress
from llm_admin.services import batch_results, batches
from llm_admin.services.actors import Actor

SHORT = 140  # characters of a value that is not folded
BAR = (RowStatus.SUCCEEDED, RowStatus.FAILED, RowStatus.WAITING, RowStatus.RUNNING)  # from the left
LARGE = 20_000  # rows: counting them takes half a second or more
MOST_COLUMNS = 8  # of results that are objects; more stand in one column
# What other kinds of batches add to the page: context, with the name of a template as `panel`; or nothing.
EXTRAS: list[Callable[[HttpRequest, Actor, Batch], dict[str, Any]]] = []
ACTIONS: dict[str, tuple[Callable[..., Any], str]] = {
    "pause": (batches.pause, "Paused. Rows that are running end; no others begin."),
    "resume": (batches.resume, "It goes on. No finished row is run again."),
    "stop": (batches.stop, "Stopped. What is finished stays."),
    "retry": (batches.retry_failed, "The failed rows are run again."),
}


def batch_or_404(request: HttpRequest, pk: Any) -> Batch:
    """One that this person may see; one in another workspace of theirs leads there."""
    actor = actor_of(request)
    actor.require("view_batch")
    batch = find(request, Batch, pk)
    if batch is None or not batches.visible(actor=actor).filter(pk=batch.pk).exists():
        raise Http404
    return batch


def page(request: HttpRequest, pk: Any) -> HttpResponse:
    batch, actor = batch_or_404(request, pk), actor_of(request)
    done = progress(batch)
    context = {
        **admin.site.each_context(request),
        "opts": Batch._meta,
        "original": batch,
        "title": batch.title,
        "version": batch.workflow_version,
        "model": batch.spec.get("model"),
        **_state(request, batch, done),
        **_rows(request, batch, done),
    }
    added = [extra(request, actor, batch) for extra in EXTRAS]
    for extra_context in added:
        context |= extra_context
    context["panels"] = [one["panel"] for one in added if one.get("panel")]
    return TemplateResponse(request, "llm_admin/batches/page.html", context)


def _state(request: HttpRequest, batch: Batch, done: Progress) -> dict[str, Any]:
    """Of the progress and the buttons: both change while somebody looks."""
    running = batch.status == BatchStatus.RUNNING
    label = _label(batch, done)
    return {
        "batch": batch,
        "progress": done,
        "counts": batch_rows.statuses_of(done),
        "label": label,
        "parts": [(status, done.counts[status]) for status in BAR if status in done.counts],
        "rate": batch_words.rate(done) if running else "",
        "remaining": batch_words.remaining(done) if running else "",
        "cost_words": batch_words.cost(done, actor_of(request).workspace),
        "said": batch_words.said(done, label),
        "running": running,
        "poll": _poll(batch, done),
        "may": _may(request, batch, done),
        "seen": f"{batch.status}-{done.failed > 0}",
    }


def _poll(batch: Batch, done: Progress) -> str:
    """How often to look again: a stopped one has rows that are ending, a finished one perhaps some to be approved."""
    if batch.status == BatchStatus.RUNNING or done.counts.get(RowStatus.RUNNING, 0):
        return "1500ms" if batch.total <= LARGE else "5s"
    return "10s" if done.waiting else ""


def _label(batch: Batch, done: Progress) -> str:
    if batch.status == BatchStatus.FINISHED and done.waiting:
        return "Waiting for approval"
    return batch.get_status_display()


def _may(request: HttpRequest, batch: Batch, done: Progress) -> dict[str, bool]:
    """Whoever may press which button. The services check it again."""
    actor = actor_of(request)
    own = batch.owner_id == request.user.pk or actor.may("view_all_runs")
    if not (own and actor.may("run_batch")):
        return {}
    status, stopped = batch.status, done.counts.get(RowStatus.STOPPED, 0) > 0
    return {
        "pause": status == BatchStatus.RUNNING,
        "resume": status != BatchStatus.RUNNING and (status != BatchStatus.FINISHED or stopped),
        "stop": status in (BatchStatus.RUNNING, BatchStatus.PAUSED),
        "retry": done.failed > 0,
        "delete": status != BatchStatus.RUNNING,
    }


def _rows(request: HttpRequest, batch: Batch, done: Progress) -> dict[str, Any]:
    status = request.GET.get("status", "")
    status = status if status in RowStatus.values else ""
    count = done.counts.get(status, 0) if status else done.total
    found = batch_rows.page(batch, count=count, number=playground.whole(request.GET.get("page", "1")), status=status)
    here = reverse("admin:llm_admin_batch_rows", args=[batch.pk])
    query = urlencode([("status", status), ("page", found.number)])
    names = batch_results.inputs_of(batch)
    keys = batch_results.keys_of(batch, [row.output for row in found.rows], most=MOST_COLUMNS)
    return {
        "batch": batch,
        "page": found,
        "status": status,
        "tabs": [("", "All", done.total), *batch_rows.statuses_of(done)],
        "input_names": [title for _, title in names],
        "result_names": keys,
        "shown_rows": [_shown(row, names, keys) for row in found.rows],
        "rows_url": f"{here}?{query}",
        "refresh": bool(_poll(batch, done)),
        "keeps_nothing": actor_of(request).workspace.store_texts == StoreTexts.NOTHING,
    }


def _shown(row: BatchRow, names: list[tuple[str, str]], keys: list[str]) -> dict[str, Any]:
    return {
        "row": row,
        "status": RowStatus(batch_rows.shown_status(row)),
        "inputs": [_value(title, row.inputs.get(name)) for name, title in names],
        "results": [_value(key, batch_results.value_of(row.output, key, keys)) for key in keys],
        "problem": row.problem if row.status != RowStatus.SUCCEEDED else "",
    }


def _value(name: str, value: Any) -> dict[str, Any]:
    """`short`: in a line; `cut`: there is more."""
    text = as_text(value) if value is not None else ""
    short = " ".join(text[: SHORT * 4].split())
    cut = len(short) > SHORT or len(text) > SHORT * 4
    return {"name": name, "value": value, "short": f"{short[: SHORT - 1]}…" if cut else short, "cut": cut}


@require_GET
def rows(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    batch = batch_or_404(request, pk)
    return render(request, "llm_admin/batches/_rows.html", _rows(request, batch, progress(batch)))


@require_GET
def progress_part(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Polled. The buttons come along only when others than the page shows (`?seen=`) are needed: focus stays."""
    batch = batch_or_404(request, pk)
    context = _state(request, batch, progress(batch))
    text = render_to_string("llm_admin/batches/_progress.html", context, request=request)
    if request.GET.get("seen") != context["seen"]:
        text += render_to_string("llm_admin/batches/_actions.html", context | {"out_of_band": True}, request=request)
    return HttpResponse(text)


@require_POST
def act(request: HttpRequest, pk: uuid.UUID, action: str) -> HttpResponse:
    batch = batch_or_404(request, pk)
    change, sentence = ACTIONS[action]
    change(batch, actor=actor_of(request))
    messages.success(request, sentence)
    return redirect("admin:llm_admin_batch_change", batch.pk)


def delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """GET asks. The runs stay, so what they cost stays in the logs."""
    batch, actor = batch_or_404(request, pk), actor_of(request)
    actor.require("run_batch")
    if request.method == "POST":
        batches.delete(batch, actor=actor)
        messages.success(request, f"“{batch}” is deleted. Its runs are kept under Runs.")
        return redirect("admin:llm_admin_batch_changelist")
    context = {**admin.site.each_context(request), "opts": Batch._meta, "title": "Delete this batch?", "batch": batch}
    return TemplateResponse(request, "llm_admin/batches/delete.html", context)
