"""What the studio's form posts, and saving it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from llm_admin.admin import playground
from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.models import LIVE, Prompt
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.services import documents, prompts
from llm_admin.services.actors import Actor

EMPTY = {"kind": "chat", "messages": [{"role": "user", "text": ""}], "variables": []}


@dataclass
class Draft:
    """What stands in the form: as stored when the page is opened, as posted when it was refused."""

    name: str = ""
    description: str = ""
    note: str = ""
    spec: Any = field(default_factory=lambda: EMPTY)
    based_on: int = 0
    problems: list[Problem] = field(default_factory=list)
    conflict: str = ""

    @property
    def status(self) -> int:
        return 409 if self.conflict else 422 if self.problems else 200


def posted(request: HttpRequest) -> Draft:
    draft = Draft(
        name=request.POST.get("name", ""),
        description=request.POST.get("description", ""),
        note=request.POST.get("note", ""),
        based_on=playground.whole(request.POST.get("based_on", "")),
    )
    try:
        draft.spec = playground.posted_json(request.POST.get("spec", ""))
    except InvalidInput as error:
        draft.problems = error.problems
    return draft


def save(request: HttpRequest, actor: Actor, prompt: Prompt | None, draft: Draft) -> HttpResponseRedirect:
    if draft.problems:
        raise InvalidInput(draft.problems)
    spec = playground.posted_spec(request.POST.get("spec", ""))
    if prompt is None:
        prompt = prompts.create(actor=actor, name=draft.name, spec=spec, note=draft.note, description=draft.description)
        messages.success(request, f"“{prompt}” is saved. Its first version is Live.")
    else:
        publish = "_publish" in request.POST
        with transaction.atomic():
            prompts.change(prompt, actor=actor, name=draft.name, description=draft.description)
            messages.success(request, _save_text(actor, prompt, draft, spec, publish=publish))
    return _back(request, prompt)


def _save_text(actor: Actor, prompt: Prompt, draft: Draft, spec: PromptSpec, *, publish: bool) -> str:
    """A text that is the newest version already makes no new one."""
    newest = documents.newest(prompt)
    if newest.number == draft.based_on and documents.spec_of(newest) == spec:
        if not publish:
            return f"Saved. The text is as in {newest}, so there is no new version."
        documents.move_label(prompt, actor=actor, label=LIVE, number=newest.number, reason=draft.note)
        return f"{newest} is Live now."
    version = prompts.save_version(
        prompt, actor=actor, spec=spec, note=draft.note, publish=publish, based_on=draft.based_on
    )
    if publish:
        return f"{version} is saved, and Live now."
    live = prompt.versions.filter(labels__name=LIVE).defer("spec").first()
    return f"Saved as draft {version}." + (f" Live is still {live}." if live else "")


def _back(request: HttpRequest, prompt: Prompt) -> HttpResponseRedirect:
    """To the newest version, with the answer that was shown."""
    address = reverse("admin:llm_admin_prompt_change", args=[prompt.pk])
    run = request.GET.get("run", "")
    return redirect(f"{address}?run={run}" if is_uuid(run) else address)


def is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    prompt = find_or_404(request, Prompt, pk)
    number = playground.whole(request.POST.get("number", ""))
    version = documents.restore(prompt, actor=actor_of(request), number=number)
    messages.success(request, f"v{number} is restored as {version}. Live has not moved.")
    return _back(request, prompt)
