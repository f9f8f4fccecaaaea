"""Somebody saved in between: what each did, and putting both together. Nothing is stored here; saving stays saving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.playground import posted_json, problems_answer, spec_of, whole, worded
from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.models import Prompt
from llm_admin.schemas.merging import merged, parts, undecided
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.services import documents
from llm_admin.services.actors import Actor

if TYPE_CHECKING:
    from llm_admin.admin.document_studio import Page

CHOICE = "choice-"  # a field of the form, before the part's key


def newest_of(prompt: Prompt) -> Any:
    """With its author."""
    rows = prompt.versions.select_related("created_by")
    return rows.get(number=prompt.last_number)


def who_saved(version: Any, actor: Actor) -> str:
    if version.created_by is None:
        return "Somebody"
    return "You" if version.created_by == actor.user else str(version.created_by)


def collision(prompt: Prompt, actor: Actor, based_on: int) -> str:
    """The sentence for a save that came second."""
    newest = newest_of(prompt)
    where = " in another tab" if newest.created_by == actor.user else ""
    return (
        f"{who_saved(newest, actor)} saved {newest}{where} while you were changing v{based_on}. "
        "Nothing is lost: put both together here, then save."
    )


def after_conflict(page: Page) -> dict[str, Any] | None:
    """The choice on the page that a refused save comes back as."""
    if not page.draft.conflict or page.document is None or not 0 < page.draft.based_on < page.document.last_number:
        return None
    return _choice(page.document, page.actor, page.draft.based_on, page.document.last_number, spec_of(page.draft.spec))


@require_POST
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    """Fields: base (the number that mine began with), spec (mine), and what to do.

    Without `action` the choice as a fragment; "put": both put together, as JSON for the editor, or the choice again
    with what is missing; "theirs": the newest version, as JSON. `theirs`: the number that was chosen from.
    """
    actor = actor_of(request)
    actor.require("change_prompt")
    prompt = find_or_404(request, Prompt, pk)
    base = whole(request.POST.get("base", ""))
    theirs = whole(request.POST.get("theirs", "")) or prompt.last_number
    if request.POST.get("action") == "theirs":
        newest = documents.spec_of(documents.newest(prompt))
        return _loaded(prompt, newest, newest, prompt.last_number)
    try:
        mine = spec_of(posted_json(request.POST.get("spec", "")))
    except InvalidInput as error:
        return problems_answer(request, error.problems)
    if request.POST.get("action") == "put":
        return _put_together(request, prompt, base, theirs, mine)
    return render(request, "llm_admin/drafts/_choice.html", {"merge": _choice(prompt, actor, base, theirs, mine)})


def _put_together(request: HttpRequest, prompt: Prompt, base: int, theirs: int, mine: PromptSpec) -> HttpResponse:
    """Judged anew from the text as it is now: it may have changed since the choice was shown."""
    chosen = {key[len(CHOICE) :]: str(side) for key, side in request.POST.items() if key.startswith(CHOICE)}
    old, new = (documents.spec_of(documents.version_of(prompt, number=number)) for number in (base, theirs))
    try:
        if problems := undecided(parts(old, mine, new), chosen):
            raise InvalidInput(problems)
        made = merged(old, mine, new, chosen)
    except InvalidInput as error:
        choice = _choice(prompt, actor_of(request), base, theirs, mine, chosen, error.problems)
        return render(request, "llm_admin/drafts/_choice.html", {"merge": choice}, status=422)
    return _loaded(prompt, made, new, theirs)


def _loaded(prompt: Prompt, spec: PromptSpec, theirs: PromptSpec, number: int) -> JsonResponse:
    return JsonResponse(
        {
            "spec": spec.model_dump(mode="json"),
            "theirs": theirs.model_dump(mode="json"),
            "basedOn": number,
            "name": prompt.name,
            "description": prompt.description,
        }
    )


def _choice(
    prompt: Prompt,
    actor: Actor,
    base: int,
    theirs: int,
    mine: PromptSpec,
    chosen: Mapping[str, str] | None = None,
    problems: list[Problem] | None = None,
) -> dict[str, Any]:
    old, version = (documents.version_of(prompt, number=number) for number in (base, theirs))
    found = parts(documents.spec_of(old), mine, documents.spec_of(version))
    missing = {problem.location[0] for problem in problems or ()} & {part.key for part in found}
    rows = [
        {
            "part": part,
            "field": f"{CHOICE}{part.key}",
            "side": (chosen or {}).get(part.key) or ("" if part.both else part.side),
            "missing": part.key in missing,
        }
        for part in found
    ]
    return {
        "rows": rows,
        "base": base,
        "theirs": theirs,
        "who": who_saved(version, actor),
        "open": sum(part.both for part in found),
        "problems": [p.message if p.location[0] in missing else worded(p) for p in problems or ()],
    }
