"""Keeping order: rename, duplicate, archive, folder and tags of one prompt. A variable's new name: prompt_rename.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods, require_POST

from llm_admin.admin import prompt_rename
from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.prompt_pages import answer, place_of
from llm_admin.choices import RunSource
from llm_admin.exceptions import InvalidInput
from llm_admin.models import Prompt
from llm_admin.selectors import prompt_numbers, prompts, uses
from llm_admin.services import shelf

if TYPE_CHECKING:
    from llm_admin.admin.document_studio import Page

NAMES = ("rename", "shelf", "duplicate", "archive", "unarchive", "rename_variable", "delete")


def urls(wrap: Any) -> list[URLPattern]:
    """`wrap` is the site's `admin_view`."""
    views = {
        "rename": rename,
        "shelf": put_away,
        "duplicate": duplicate,
        "archive": archive,
        "unarchive": unarchive,
        "rename_variable": prompt_rename.rename_variable,
    }
    return [
        path(f"<int:pk>/{name.replace('_', '-')}/", wrap(view), name=f"llm_admin_prompt_{name}")
        for name, view in views.items()
    ]


def panel(page: Page) -> dict[str, Any]:
    """What the studio's page needs of this."""
    if page.document is None:
        return {}
    links = {name: reverse(f"admin:llm_admin_prompt_{name}", args=[page.document.pk]) for name in NAMES}
    return {"order": links, "may_duplicate": page.actor.may("add_prompt"), "shelf_tags": list(page.document.tags.all())}


@require_http_methods(["GET", "POST"])
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    prompt, actor = _prompt(request, pk), actor_of(request)
    actor.require("change_prompt")
    given = {"name": prompt.name, "slug": prompt.slug}
    problems: dict[str, str] = {}
    if request.method == "POST":
        given = {field: request.POST.get(field, "").strip() for field in given}
        try:
            shelf.rename(prompt, actor=actor, **given)
        except InvalidInput as error:
            problems = place_of(error, "name")
        else:
            messages.success(request, "Renamed. The old names keep working.")
            return _back(prompt)
        prompt = _prompt(request, pk)
    return answer(request, prompt, "rename", {"title": "Rename", "given": given, "problems": problems})


@require_http_methods(["GET", "POST"])
def put_away(request: HttpRequest, pk: int) -> HttpResponse:
    prompt, actor = _prompt(request, pk), actor_of(request)
    actor.require("change_prompt")
    given = {"folder": prompt.folder, "tags": ", ".join(tag.name for tag in prompt.tags.all())}
    problems: dict[str, str] = {}
    if request.method == "POST":
        given = {field: request.POST.get(field, "") for field in given}
        try:
            shelf.put_away(prompt, actor=actor, **given)
        except InvalidInput as error:
            problems = place_of(error, "folder")
        else:
            messages.success(request, "Folder and tags are saved.")
            return _back(prompt)
    known = {"folders": [name for name, _ in prompts.folders()], "tags": prompts.tags()}
    return answer(request, prompt, "shelf", {"title": "Folder and tags", "given": given, "problems": problems, **known})


@require_POST
def duplicate(request: HttpRequest, pk: int) -> HttpResponse:
    prompt = _prompt(request, pk)
    copy = shelf.duplicate(prompt, actor=actor_of(request))
    messages.success(request, f"This is the copy: “{copy}”.")
    return _back(copy)


@require_http_methods(["GET", "POST"])
def archive(request: HttpRequest, pk: int) -> HttpResponse:
    prompt, actor = _prompt(request, pk), actor_of(request)
    actor.require("change_prompt")
    if request.method == "POST":
        shelf.archive(prompt, actor=actor)
        messages.success(request, f"“{prompt}” is archived. It runs no more until somebody restores it.")
        return _back(prompt)
    context = {"title": "Archive", "uses": uses.workflows_using(prompt), "calls": _calls(prompt)}
    return answer(request, prompt, "archive", context)


@require_POST
def unarchive(request: HttpRequest, pk: int) -> HttpResponse:
    prompt = _prompt(request, pk)
    shelf.unarchive(prompt, actor=actor_of(request))
    messages.success(request, f"“{prompt}” is back: it runs again.")
    return _back(prompt)


def _calls(prompt: Prompt) -> list[tuple[str, int]]:
    """Of the last seven days, by where they came from: (“Python code”, 12)."""
    return [(RunSource(source).label, count) for source, count in prompt_numbers.calls_by_source(prompt.pk)]


def _prompt(request: HttpRequest, pk: int) -> Prompt:
    prompt: Prompt = find_or_404(request, Prompt, pk)
    return prompt


def _back(prompt: Prompt) -> HttpResponse:
    return redirect("admin:llm_admin_prompt_change", prompt.pk)
