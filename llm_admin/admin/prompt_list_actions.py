"""What can be done with several prompts at once: each action asks first, on a page of its own, and then posts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin

from llm_admin.admin.base import actor_of
from llm_admin.exceptions import InvalidInput
from llm_admin.selectors import prompts
from llm_admin.services import shelf
from llm_admin.services.actors import Actor

SHOWN = 20


class Bulk(NamedTuple):
    """`run` gives how many were changed. `field`: what is asked for, "" when only for a yes."""

    title: str
    button: str
    done: str
    run: Callable[[Any, Actor, str], int]
    field: str = ""


BULK = {
    "move_to_folder": Bulk(
        "Move to folder…", "Move", "{n} moved.",
        lambda rows, actor, text: shelf.move_many(rows, actor=actor, folder=text), "folder",
    ),
    "add_tags": Bulk(
        "Add tags…", "Add tags", "Tags added to {n}.",
        lambda rows, actor, text: shelf.add_tags_many(rows, actor=actor, tags=text), "tags",
    ),
    "archive_selected": Bulk(
        "Archive…", "Archive", "{n} archived. They run no more until they are restored.",
        lambda rows, actor, _: shelf.archive_many(rows, actor=actor, archived=True),
    ),
    "restore_selected": Bulk(
        "Restore from archive…", "Restore", "{n} restored.",
        lambda rows, actor, _: shelf.archive_many(rows, actor=actor, archived=False),
    ),
}  # fmt: skip


class PromptBulkActions(ModelAdmin):
    def get_actions(self, request: HttpRequest) -> Any:
        actions: dict[str, Any] = super().get_actions(request)
        if self.has_change_permission(request):
            actions |= {name: (_action(name), name, bulk.title) for name, bulk in BULK.items()}
        return actions


def _action(name: str) -> Callable[..., HttpResponse | None]:
    def act(model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        actor, bulk = actor_of(request), BULK[name]
        actor.require("change_prompt")
        problem = ""
        if "confirmed" in request.POST:
            try:
                changed = bulk.run(queryset, actor, request.POST.get(bulk.field, ""))
            except InvalidInput as error:
                problem = error.problems[0].message
            else:
                messages.success(request, bulk.done.format(n=_prompts(changed)))
                return None
        return _asked(model_admin, request, queryset, name, problem)

    act.__name__ = name
    return act


def _asked(model_admin: Any, request: HttpRequest, rows: QuerySet[Any], name: str, problem: str) -> HttpResponse:
    bulk, count = BULK[name], rows.count()
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": f"{bulk.title.rstrip('…')}: {_prompts(count)}",
        "bulk": bulk,
        "action": name,
        "count": count,
        "names": list(rows.values_list("name", flat=True)[:SHOWN]),
        "more": max(0, count - SHOWN),
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "across": request.POST.get("select_across", "0"),
        "given": request.POST.get(bulk.field, ""),
        "problem": problem,
        "folders": [folder for folder, _ in prompts.folders()] if bulk.field == "folder" else [],
        "tags": prompts.tags() if bulk.field == "tags" else [],
    }
    return TemplateResponse(request, "llm_admin/order/bulk.html", context, status=422 if problem else 200)


def _prompts(count: int) -> str:
    return "1 prompt" if count == 1 else f"{count} prompts"
