"""Unsaved work that is kept while people type, finding it again, and who else is here."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from llm_admin.admin import prompt_merge
from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.playground import posted_json, spec_of, whole, worded
from llm_admin.exceptions import Conflict, InvalidInput, NotFound, Problem
from llm_admin.models import Prompt, PromptDraft
from llm_admin.schemas.diffs import ROLES, Change, changes
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.services import documents, drafts
from llm_admin.services.actors import Actor

if TYPE_CHECKING:
    from llm_admin.admin.document_studio import Page


def urls(wrap: Any) -> list[URLPattern]:
    """`wrap` is the site's `admin_view`."""
    return [
        path("draft/", wrap(draft), name="llm_admin_prompt_new_draft"),
        path("<int:pk>/draft/", wrap(draft), name="llm_admin_prompt_draft"),
        path("<int:pk>/draft/difference/", wrap(difference), name="llm_admin_prompt_draft_difference"),
        path("<int:pk>/here/", wrap(here), name="llm_admin_prompt_here"),
        path("<int:pk>/merge/", wrap(prompt_merge.merge), name="llm_admin_prompt_merge"),
    ]


def panel(page: Page) -> dict[str, Any]:
    """What the studio's page needs of this. `found`: what this person left unsaved, as it was kept."""
    if not page.may_save:
        return {"drafts": None, "merge": None}
    row = drafts.mine(page.document, actor=page.actor) if page.request.method == "GET" else None
    found = row if row and not _is_what_is_shown(row, page) else None
    merge = prompt_merge.after_conflict(page)
    if merge:
        page.draft.conflict = prompt_merge.collision(page.document, page.actor, page.draft.based_on)
    return {"drafts": _shown(page, row, found), "merge": merge}


def _shown(page: Page, row: PromptDraft | None, found: PromptDraft | None) -> dict[str, Any]:
    newest = page.document.last_number if page.document else 0
    state: dict[str, Any] = {
        "tab": page.request.POST.get("draft_tab") or uuid.uuid4().hex,
        "urls": _addresses(page.document),
        "refused": page.request.method == "POST",
        "takeOver": bool(row) and not found,
    }
    state["found"] = _offered(found)
    others = drafts.others(page.document, actor=page.actor) if page.document else []
    outdated = found is not None and found.based_on < newest
    return {"state": state, "found": found, "outdated": outdated, "newest": newest, "others": others}


def _offered(row: PromptDraft | None) -> dict[str, Any] | None:
    if row is None or not row.content:
        return None
    return {key: row.content.get(key) for key in ("spec", "name", "description")} | {"basedOn": row.based_on}


def _addresses(prompt: Prompt | None) -> dict[str, str]:
    if prompt is None:
        return {"draft": reverse("admin:llm_admin_prompt_new_draft")}
    return {
        name: reverse(f"admin:llm_admin_prompt_{url}", args=[prompt.pk])
        for name, url in (
            ("draft", "draft"),
            ("difference", "draft_difference"),
            ("here", "here"),
            ("merge", "merge"),
            ("change", "change"),
        )
    }


def _is_what_is_shown(row: PromptDraft, page: Page) -> bool:
    """Kept a moment after it was saved: nothing to ask about."""
    content = row.content or {}
    if page.opened is None or (content.get("name"), content.get("description")) != (
        page.document.name,
        page.document.description,
    ):
        return False
    try:
        return spec_of(content.get("spec")) == documents.spec_of(page.opened)
    except InvalidInput:
        return False


@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """GET: as it is kept now, which may be newer than what the page found: a page that closes sends its last words
    while the next one is loading already."""
    actor = actor_of(request)
    actor.require("change_prompt" if pk else "add_prompt")
    prompt = find_or_404(request, Prompt, pk) if pk else None
    if request.method == "POST":
        return _keep(request, prompt, actor)
    return JsonResponse({"found": _offered(drafts.mine(prompt, actor=actor))})


def _keep(request: HttpRequest, prompt: Prompt | None, actor: Actor) -> HttpResponse:
    """Field `dirty` empty: nothing is unsaved any more. `over`: in place of what another tab has kept."""
    tab = request.POST.get("draft_tab", "")[:64].replace("\x00", "")
    over = bool(request.POST.get("over"))
    if not request.POST.get("dirty"):
        drafts.discard(prompt, actor=actor, tab=None if over else tab)
        return JsonResponse({"at": None})
    try:
        content = {"spec": posted_json(request.POST.get("spec", "")), "tab": tab}
        content |= {name: request.POST.get(name, "") for name in ("name", "description")}
        if not isinstance(content["spec"], dict):
            raise InvalidInput("This is no prompt.")
        number = whole(request.POST.get("based_on", ""))
        at = drafts.keep(prompt, actor=actor, content=content, based_on=number, tab=tab, over=over)
    except InvalidInput as error:
        return JsonResponse({"problem": _sentence(error.problems[0])}, status=422)
    except Conflict as error:
        return JsonResponse({"problem": str(error)}, status=409)
    return JsonResponse({"at": at.isoformat()})


def _sentence(problem: Problem) -> str:
    place = problem.location[1:] if problem.location[:1] == ("spec",) else problem.location
    return worded(Problem(place, problem.message))


@require_GET
def difference(request: HttpRequest, pk: int) -> HttpResponse:
    """Between the newest version and one's own draft; `?since=4`: between v4 and the newest."""
    actor = actor_of(request)
    actor.require("change_prompt")
    prompt = find_or_404(request, Prompt, pk)
    newest = documents.newest(prompt)
    since = whole(request.GET.get("since", ""))
    if since:
        before = documents.version_of(prompt, number=since)
        found = changes(documents.spec_of(before), documents.spec_of(newest))
    else:
        row = drafts.mine(prompt, actor=actor)
        if row is None or not row.content:
            raise NotFound("There are no unsaved changes of yours any more.")
        found = _changed(documents.spec_of(newest), row.content.get("spec"))
    return render(request, "llm_admin/drafts/_difference.html", {"changes": found, "newest": newest, "since": since})


def _changed(newest: PromptSpec, draft: Any) -> list[Change]:
    """A draft may be anything half written: then its texts alone are shown."""
    try:
        return changes(newest, spec_of(draft))
    except InvalidInput:
        messages = draft.get("messages") if isinstance(draft, dict) else None
        known = messages if isinstance(messages, list) else []
        rough = "\n\n".join(_rough(one) for one in known if isinstance(one, dict))
        whole_text = "\n\n".join(_rough(message.model_dump()) for message in newest.messages)
        return [Change("All messages", whole_text, rough)] if rough != whole_text else []


def _rough(message: dict[str, Any]) -> str:
    role = str(message.get("role", "user"))
    return f"{ROLES.get(role, role)}\n{message.get('text') or message.get('name') or ''}"


@require_POST
def here(request: HttpRequest, pk: int) -> HttpResponse:
    """The page is open (field `leave`: it closes); answers with who else is there and what they have saved."""
    actor = actor_of(request)
    actor.require("change_prompt")
    prompt = find_or_404(request, Prompt, pk)
    if request.POST.get("leave"):
        drafts.leave(prompt, actor=actor)
        return HttpResponse(status=204)
    drafts.seen(prompt, actor=actor)
    context = {"others": drafts.others(prompt, actor=actor), **_saved_since(prompt, actor, request)}
    return render(request, "llm_admin/drafts/_others.html", context)


def _saved_since(prompt: Prompt, actor: Actor, request: HttpRequest) -> dict[str, Any]:
    since = whole(request.POST.get("based_on", ""))
    if not since or since >= prompt.last_number:
        return {"saved": None}
    version = prompt_merge.newest_of(prompt)
    return {"saved": version, "who": prompt_merge.who_saved(version, actor), "since": since}
