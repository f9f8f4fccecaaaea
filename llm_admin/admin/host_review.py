"""What a workflow proposes for the host's rows: looked at, ticked, applied, undone."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from llm_admin.admin import playground
from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.host_actions import address, host_of, name_of
from llm_admin.choices import BatchStatus, RowStatus
from llm_admin.exceptions import PermissionRefused
from llm_admin.models import Batch, BatchRow, RowChange
from llm_admin.selectors import batches as progress_of
from llm_admin.services import batches, host_changes, host_review
from llm_admin.services.host_changes import Done

PER_PAGE = 25
MOST_TOLD = 8
SHOWN = {"": "All", "open": "Not applied", "applied": "Applied", "failed": "Without an answer"}


@require_GET
def page(request: HttpRequest, model_admin: Any, pk: Any) -> HttpResponse:
    batch = _batch(model_admin, request, pk)
    show = request.GET.get("show", "")
    show = show if show in SHOWN else ""
    rows = Paginator(_rows(batch, show), PER_PAGE).get_page(request.GET.get("page"))
    reviews = host_review.review(host_of(model_admin, request), batch, list(rows))
    applied = RowChange.objects.filter(row__batch=batch, undone_at=None).values("row").distinct().count()
    context = {
        **model_admin.admin_site.each_context(request),
        **_progress_context(model_admin, batch, had=sum(bool(one.proposals) for one in reviews)),
        "opts": model_admin.opts,
        "title": f"{batch.title}: {batch.total:,} {_noun(model_admin, batch.total)}",
        "batch": batch,
        "rows": rows,
        "reviews": reviews,
        "may_apply": actor_of(request).may("run_batch") and model_admin.has_change_permission(request),
        # Once some were applied, the others were left on purpose.
        "untouched": not any(proposal.change for one in reviews for proposal in one.proposals),
        "openable": sum(len(one.open) for one in reviews),
        "applied": applied,
        "show": show,
        "filters": [(key, title, f"?{urlencode({'show': key})}" if key else "?") for key, title in SHOWN.items()],
        "back": address(model_admin, "changelist"),
        "change_url": f"{model_admin.admin_site.name}:{name_of(model_admin, 'change')}",
        "runs_url": reverse("admin:llm_admin_run_changelist"),
        "apply_url": address(model_admin, "workflow_apply", batch.pk),
        "undo_url": address(model_admin, "workflow_undo", batch.pk),
    }
    return TemplateResponse(request, "llm_admin/host_rows/review.html", context)


def _noun(model_admin: Any, count: int) -> str:
    return str(model_admin.opts.verbose_name if count == 1 else model_admin.opts.verbose_name_plural)


def _batch(model_admin: Any, request: HttpRequest, pk: Any) -> Batch:
    """One of this table, that this person may see."""
    actor = actor_of(request)
    actor.require("view_batch")
    if not model_admin.has_view_or_change_permission(request):
        raise PermissionRefused("You may not see these rows.")
    batch: Batch = find_or_404(request, Batch, pk)
    rows = batches.visible(actor=actor).filter(pk=batch.pk, content_type=host_of(model_admin, request).content_type)
    found = rows.select_related("workspace", "workflow", "workflow_version", "owner").first()
    if found is None:
        raise Http404
    return found


def _rows(batch: Batch, show: str) -> QuerySet[BatchRow]:
    rows: QuerySet[BatchRow] = BatchRow.objects.filter(batch=batch).order_by("number")
    applied = Exists(RowChange.objects.filter(row=OuterRef("pk"), undone_at=None))
    match show:
        case "open":
            return rows.filter(~applied, status=RowStatus.SUCCEEDED)
        case "applied":
            return rows.filter(applied)
        case "failed":
            return rows.exclude(status=RowStatus.SUCCEEDED)
        case _:
            return rows


# ---- progress ----


@require_GET
def progress(request: HttpRequest, model_admin: Any, pk: Any) -> HttpResponse:
    """Polled while the batch runs. `had`: how many rows with proposals the page shows; none: it is loaded anew at the
    end, otherwise it says that there is more, because somebody may have ticked something."""
    batch = _batch(model_admin, request, pk)
    had = playground.whole(request.GET.get("had", ""))
    context = _progress_context(model_admin, batch, had=had) | {"batch": batch, "polled": True}
    answer = TemplateResponse(request, "llm_admin/host_rows/_progress.html", context)
    if not had and context["ready"] and not context["running"]:
        answer["HX-Refresh"] = "true"
    return answer


def _progress_context(model_admin: Any, batch: Batch, *, had: int) -> dict[str, Any]:
    found = progress_of.progress(batch)
    return {
        "progress": found,
        "percent": round(found.share * 100),
        "ready": found.succeeded,
        "running": batch.status == BatchStatus.RUNNING,
        "had": had,
        "progress_url": address(model_admin, "workflow_progress", batch.pk),
        "batch_url": _batch_url(batch),
    }


def _batch_url(batch: Batch) -> str:
    try:
        return reverse("admin:llm_admin_batch_change", args=[batch.pk])
    except NoReverseMatch:
        return ""


# ---- changes ----


@require_POST
def apply(request: HttpRequest, model_admin: Any, pk: Any) -> HttpResponse:
    """`tick`: "<row>:<field>", any number; `seen-<row>`: what its values were; or `all`, of every page."""
    batch = _changing(model_admin, request, pk)
    ticks = None if request.POST.get("all") else _ticks(request)
    if ticks == {}:
        messages.warning(request, "Nothing was ticked, so nothing was applied.")
        return _back(model_admin, request, batch)
    seen = {playground.whole(k[5:]): str(v) for k, v in request.POST.items() if k.startswith("seen-")}
    host = host_of(model_admin, request)
    done = host_changes.apply(batch, actor=actor_of(request), host=host, ticks=ticks, seen=seen)
    _tell(model_admin, request, done, "Applied {fields} to {rows}.", "Nothing was applied.")
    return _back(model_admin, request, batch)


@require_POST
def undo(request: HttpRequest, model_admin: Any, pk: Any) -> HttpResponse:
    """`row`: that one alone."""
    batch = _changing(model_admin, request, pk)
    rows = [playground.whole(request.POST["row"])] if request.POST.get("row") else None
    done = host_changes.undo(batch, actor=actor_of(request), host=host_of(model_admin, request), rows=rows)
    _tell(model_admin, request, done, "Undid {fields} in {rows}: as before.", "Nothing was undone.")
    return _back(model_admin, request, batch)


def _changing(model_admin: Any, request: HttpRequest, pk: Any) -> Batch:
    actor_of(request).require("run_batch")
    if not model_admin.has_change_permission(request):
        raise PermissionRefused("You may not change these rows.")
    return _batch(model_admin, request, pk)


def _ticks(request: HttpRequest) -> dict[int, list[str]]:
    ticks: dict[int, list[str]] = {}
    for one in request.POST.getlist("tick"):
        row, _, name = one.partition(":")
        if number := playground.whole(row):
            ticks.setdefault(number, []).append(name)
    return ticks


def _tell(model_admin: Any, request: HttpRequest, done: Done, sentence: str, nothing: str) -> None:
    if done.rows:
        fields = "1 value" if done.fields == 1 else f"{done.fields:,} values"
        rows = f"{done.rows:,} {_noun(model_admin, done.rows)}"
        messages.success(request, sentence.format(fields=fields, rows=rows))
    else:
        messages.warning(request, nothing)
    for skipped in done.skipped[:MOST_TOLD]:
        messages.warning(request, f"Skipped. {skipped}")
    if (more := len(done.skipped) - MOST_TOLD) > 0:
        messages.warning(request, f"Skipped {more:,} more.")


def _back(model_admin: Any, request: HttpRequest, batch: Batch) -> HttpResponseRedirect:
    query = urlencode({name: request.POST[name] for name in ("show", "page") if request.POST.get(name)})
    return HttpResponseRedirect(f"{address(model_admin, 'workflow_review', batch.pk)}{f'?{query}' if query else ''}")
