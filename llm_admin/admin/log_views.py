"""Saved views of the list of logs, and the choice of columns: what the bar above the list shows and does."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from llm_admin.admin.base import actor_of
from llm_admin.admin.log_columns import TITLES, chosen
from llm_admin.admin.log_params import asked, kept
from llm_admin.exceptions import InvalidInput, NotFound
from llm_admin.models import LogReader, LogView
from llm_admin.selectors.log_query import ORDERS
from llm_admin.services import log_views

LIST = "admin:llm_admin_interactionlog_changelist"
EVERYTHING = "0"  # ?view=0: without the view that the list would open with


class Looks:
    """How the list looks for one request: the view that is open, and the columns."""

    def __init__(self, request: HttpRequest, here: QueryDict | None = None) -> None:
        """`here`: the address of the list, where the request is another one."""
        self.actor = actor_of(request)
        self.reader: LogReader | None = log_views.reader(self.actor)
        self.view = self._view((request.GET if here is None else here).get("view", ""))
        own = self.reader.columns if self.reader else []
        self.columns = chosen((self.view.columns if self.view else []) or own)

    def _view(self, given: str) -> LogView | None:
        if not given or given == EVERYTHING:
            return None
        try:
            return log_views.find(given, actor=self.actor)
        except NotFound:
            return None

    def start(self, request: HttpRequest) -> str:
        """Where the list opens for this person, when the address says nothing; "" for here."""
        opens = self.reader and self.reader.view
        if request.GET or request.method != "GET" or not opens:
            return ""
        visible = opens.shared or opens.owner_id == request.user.pk
        return address_of(opens) if visible else ""


def looks(request: HttpRequest) -> Looks:
    if not hasattr(request, "_llm_log_looks"):
        request._llm_log_looks = Looks(request)  # type: ignore[attr-defined]
    return request._llm_log_looks  # type: ignore[attr-defined]


def address_of(view: LogView) -> str:
    return f"{reverse(LIST)}?{urlencode({**kept(view.query), 'view': view.pk})}"


def bar(request: HttpRequest) -> dict[str, Any]:
    """What the bar above the list needs."""
    seen, given = looks(request), kept(request.GET)
    views = list(log_views.visible(seen.actor))
    opens = seen.reader.view_id if seen.reader else None
    actor = seen.actor
    return {
        "view": seen.view,
        "changed": seen.view is not None and given != kept(seen.view.query),
        "views": [
            {
                "row": view,
                "address": address_of(view),
                "mine": view.owner_id == request.user.pk,
                "editable": view.owner_id == request.user.pk or (view.shared and actor.may("change_workspace")),
                "opens": view.pk == opens,
            }
            for view in views
        ],
        "opens": opens,
        "everything": f"{reverse(LIST)}?view={EVERYTHING}",
        "columns": [(name, title, name in seen.columns) for name, title in TITLES.items()],
        "query": urlencode(given),
        "here": request.GET.urlencode(),
        "orders": [(name, title, _sorted(request, name)) for name, title in ORDERS.items()],
        "may_delete": actor.may("delete_interactionlog"),
    }


def _sorted(request: HttpRequest, order: str) -> str:
    given = kept(request.GET)
    given.pop("sort", None)
    more = {"view": request.GET["view"]} if "view" in request.GET else {}
    sort = {} if order == "time" else {"sort": order}
    return f"{reverse(LIST)}?{urlencode({**given, **more, **sort})}"


def urls(wrap: Any) -> list[Any]:
    views = (("save", save), ("change", change), ("delete", delete), ("open", open_with), ("columns", columns))
    return [path(f"views/{name}/", wrap(view), name=f"llm_admin_log_view_{name}") for name, view in views]


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    actor, here = actor_of(request), QueryDict(request.POST.get("here", ""))
    asked(here, actor)  # an address that nobody can open is not kept
    try:
        view = log_views.save(
            actor=actor,
            name=request.POST.get("name", ""),
            query=kept(here),
            columns=Looks(request, here).columns,
            shared="shared" in request.POST,
        )
    except InvalidInput as error:
        return _back(request, error)
    messages.success(request, f"The view “{view}” was saved.")
    if "opens" in request.POST:
        log_views.open_with(view, actor=actor)
    return redirect(address_of(view))


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    view = log_views.find(request.POST.get("view", ""), actor=actor)
    try:
        log_views.change(view, actor=actor, name=request.POST.get("name", ""), shared="shared" in request.POST)
    except InvalidInput as error:
        return _back(request, error)
    messages.success(request, f"The view “{view}” was changed.")
    return _back(request)


@require_POST
def delete(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    view = log_views.find(request.POST.get("view", ""), actor=actor)
    log_views.delete(view, actor=actor)
    messages.success(request, f"The view “{view}” was deleted. No call was.")
    return redirect(f"{reverse(LIST)}?view={EVERYTHING}")


@require_POST
def open_with(request: HttpRequest) -> HttpResponse:
    actor, given = actor_of(request), request.POST.get("view", "")
    view = log_views.find(given, actor=actor) if given else None
    log_views.open_with(view, actor=actor)
    said = f"The list opens with “{view}” from now on." if view else "The list opens with all calls from now on."
    messages.success(request, said)
    return _back(request)


@require_POST
def columns(request: HttpRequest) -> HttpResponse:
    """Of the person, and of the view of theirs that is open. Somebody else's view is left, with the same filters."""
    actor, here = actor_of(request), QueryDict(request.POST.get("here", ""), mutable=True)
    given = request.POST.getlist("columns")
    names = chosen(given) if given else ()
    try:
        log_views.choose_columns(names, actor=actor)
    except InvalidInput as error:
        return _back(request, error)
    if here.get("view", EVERYTHING) != EVERYTHING:
        view = log_views.find(here["view"], actor=actor)
        if view.owner_id == request.user.pk:
            log_views.save(actor=actor, name=view.name, query=view.query, columns=names, shared=view.shared)
        elif view.columns:
            here["view"] = EVERYTHING
    return redirect(f"{reverse(LIST)}?{here.urlencode() or 'view=0'}")


def _back(request: HttpRequest, error: InvalidInput | None = None) -> HttpResponse:
    if error:
        messages.error(request, " ".join(problem.message for problem in error.problems))
    here = QueryDict(request.POST.get("here", ""))
    return redirect(f"{reverse(LIST)}?{here.urlencode() or f'view={EVERYTHING}'}")
