"""The studio: one page that adds and changes a prompt or a workflow. Whatever is refused comes back with nothing lost.

Here is what both pages show; a subclass adds its editor and the panel that runs what stands in it.
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_GET

from llm_admin.admin import playground
from llm_admin.admin.base import ConsoleAdmin, actor_of, find_or_404
from llm_admin.admin.document_pages import links
from llm_admin.admin.document_saving import DocumentForm, Draft, is_uuid
from llm_admin.admin.document_versions import shown_versions
from llm_admin.choices import RUN_OPEN
from llm_admin.exceptions import Conflict, InvalidInput, Problem
from llm_admin.models import LIVE, Run
from llm_admin.services import documents, label_moves, runs
from llm_admin.services.actors import Actor

RUNS_SHOWN = 8


@dataclass(frozen=True)
class Page:
    """What the panels are made of. `document` and `opened` (its version in the editor) are None for a new one."""

    request: HttpRequest
    actor: Actor
    document: Any
    opened: Any
    draft: Draft
    run: Run | None
    may_save: bool


class Studio(ABC):
    form: ClassVar[DocumentForm]
    template: ClassVar[str]
    unsaved: ClassVar[str]  # what ran when it was no version

    @abstractmethod
    def panels(self, page: Page) -> dict[str, Any]:
        """Context of the editor and of the run panel, with `state` (for the page's script)."""

    @abstractmethod
    def worded(self, problem: Problem, draft: Draft) -> str:
        """For the list above the form."""

    def collided(self, document: Any, draft: Draft, error: Conflict) -> None:
        """Somebody saved in between. By default the draft stays based on what it was."""
        draft.conflict = str(error)

    @property
    def noun(self) -> str:
        return self.form.family.noun

    def page(self, model_admin: ConsoleAdmin, request: HttpRequest, object_id: str | None) -> HttpResponse:
        document = _document(model_admin, request, object_id)
        actor = actor_of(request)
        opened = _opened(request, document) if document else None
        if request.method != "POST":
            return self._render(model_admin, request, document, opened, self._stored(document, opened))
        actor.require(self._save_permission(document))
        draft = self.form.posted(request, document)
        try:
            return self.form.save(request, actor, document, draft)
        except InvalidInput as error:
            draft.problems = error.problems
        except Conflict as error:
            self.collided(document, draft, error)
        return self._render(model_admin, request, document, opened, draft)

    @method_decorator(require_GET)
    def recent_runs(self, request: HttpRequest, pk: int) -> HttpResponse:
        actor = actor_of(request)
        actor.require("view_run")
        document = find_or_404(request, self.form.family.document, pk)
        rows = runs.visible(actor=actor).filter(**{self.noun: document}).select_related("owner", f"{self.noun}_version")
        context = {
            "runs": rows.defer("spec", "inputs", "output")[:RUNS_SHOWN],
            "everyones": actor.may("view_all_runs"),
            "may_run": actor.may(f"run_{self.noun}"),
            "noun": self.noun,
            "unsaved": self.unsaved,
        }
        return render(request, "llm_admin/documents/_recent.html", context)

    def _save_permission(self, document: Any) -> str:
        return f"change_{self.noun}" if document else f"add_{self.noun}"

    def _stored(self, document: Any, opened: Any) -> Draft:
        if document is None:
            return Draft(spec=self.form.empty)
        return Draft(
            name=document.name,
            description=document.description,
            spec=documents.spec_of(opened).model_dump(mode="json"),
            based_on=document.last_number,
        )

    def _render(
        self, model_admin: ConsoleAdmin, request: HttpRequest, document: Any, opened: Any, draft: Draft
    ) -> HttpResponse:
        actor = actor_of(request)
        run = self._shown_run(request, actor, document)
        may = self._permissions(actor, document)
        context = {
            **model_admin.admin_site.each_context(request),
            "opts": model_admin.opts,
            "original": document,
            "title": document.name if document else f"New {self.noun}",
            "document": document,
            "noun": self.noun,
            "links": links(document) if document else {},
            "draft": draft,
            "opened": opened,
            "next_number": draft.based_on + 1,
            "summary": [self.worded(problem, draft) for problem in draft.problems],
            "default_model": actor.workspace.default_model,
            **may,
            **shown_versions(document),
            **(playground.panel_context(request, run) if run else {"run": None}),
            **self.panels(Page(request, actor, document, opened, draft, run, may["may_save"])),
        }
        return TemplateResponse(request, self.template, context, status=draft.status)

    def _permissions(self, actor: Actor, document: Any) -> dict[str, bool]:
        return {
            "may_save": actor.may(self._save_permission(document)),
            "may_publish": label_moves.may_move(actor, self.noun, LIVE),
            "may_label": actor.may(f"publish_{self.noun}"),
            "may_run": actor.may(f"run_{self.noun}"),
            "may_delete": document is not None and actor.may(f"delete_{self.noun}"),
        }

    def _shown_run(self, request: HttpRequest, actor: Actor, document: Any) -> Run | None:
        """`?run=` (the page puts the id of what it started into its address), else a run of theirs still going on."""
        rows = runs.visible(actor=actor).filter(kind=self.noun)
        own = Q(**{self.noun: document})
        asked = request.GET.get("run", "")
        if is_uuid(asked):
            return rows.filter(own | Q(**{self.noun: None}), pk=asked).first()
        return rows.filter(own, owner=actor.user, status__in=RUN_OPEN).first() if document else None


def base_state(page: Page) -> dict[str, Any]:
    """What the scripts of both pages begin with."""
    return {
        "version": page.opened.number if page.opened else None,
        "problems": [{"location": p.location, "message": p.message} for p in page.draft.problems],
        "clientKey": uuid.uuid4().hex,
    }


def _document(model_admin: ConsoleAdmin, request: HttpRequest, object_id: str | None) -> Any:
    """None for a new one."""
    if object_id is None:
        if not model_admin.has_add_permission(request):
            raise PermissionDenied
        return None
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    document = model_admin.get_object(request, object_id)
    if document is None:
        raise Http404
    return document


def _opened(request: HttpRequest, document: Any) -> Any:
    """`?version=N`, else the newest."""
    number = playground.whole(request.GET.get("version", "")) or document.last_number
    return documents.version_of(document, number=number)
