"""What a studio's form posts, and saving it: the same for prompts and workflows."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from llm_admin.admin import playground
from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.document_pages import link, say_moved
from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.models import LIVE
from llm_admin.schemas.base import Spec
from llm_admin.services import documents
from llm_admin.services.actors import Actor
from llm_admin.services.families import Family


@dataclass
class Draft:
    """What stands in the form: as stored when the page is opened, as posted when it was refused."""

    spec: Any
    name: str = ""
    description: str = ""
    note: str = ""
    based_on: int = 0
    problems: list[Problem] = field(default_factory=list)
    conflict: str = ""

    @property
    def status(self) -> int:
        return 409 if self.conflict else 422 if self.problems else 200


class DocumentForm(ABC):
    """A subclass for each family says what stands in its field `spec`."""

    family: ClassVar[Family]
    empty: ClassVar[dict[str, Any]]
    same: ClassVar[str]  # "The text is", as in v3

    @abstractmethod
    def data(self, request: HttpRequest) -> Any:
        """The field in the form's own shape, to be shown again when it is refused. Raises InvalidInput."""

    @abstractmethod
    def spec_of(self, data: Any) -> Spec:
        """Raises InvalidInput with each problem where the form shows it."""

    def after_save(self, request: HttpRequest, actor: Actor, document: Any) -> None:  # noqa: B027 - nothing by default
        """What was posted is stored now; `document` None: as a new one."""

    def posted(self, request: HttpRequest, document: Any = None) -> Draft:
        draft = Draft(
            name=_typed(request, document, "name"),
            description=_typed(request, document, "description"),
            note=request.POST.get("note", ""),
            based_on=playground.whole(request.POST.get("based_on", "")),
            spec=self.empty,
        )
        try:
            draft.spec = self.data(request)
        except InvalidInput as error:
            draft.problems = error.problems
        return draft

    def save(self, request: HttpRequest, actor: Actor, document: Any, draft: Draft) -> HttpResponseRedirect:
        """`document` None: a new one. Raises InvalidInput and Conflict; nothing is saved then."""
        spec = self.checked(actor, document, draft)
        named: dict[str, Any] = {"actor": actor, "name": draft.name, "description": draft.description}
        if document is None:
            document = documents.create(self.family, spec=spec, note=draft.note, **named)
            self.after_save(request, actor, None)
            live = "Its first version is Live." if live_version(document) else "It is not Live yet."
            messages.success(request, f"“{document}” is saved. {live}")
            return self._back(request, document)
        publish = "_publish" in request.POST
        with transaction.atomic():
            documents.change(self.family, document, **named)
            text = self._save_version(actor, document, draft, spec, publish=publish)
        self.after_save(request, actor, document)
        if publish:
            say_moved(request, document, LIVE, text)
        else:
            messages.success(request, text)
        if "_check" in request.POST:
            return redirect(link(document, "publish", number=document.last_number, label=LIVE))
        return self._back(request, document)

    def checked(self, actor: Actor, document: Any, draft: Draft) -> Spec:
        """What stands in the form, as it would be saved. Raises InvalidInput."""
        if draft.problems:
            raise InvalidInput(draft.problems)
        spec = self.spec_of(draft.spec)
        documents.check_name(self.family, actor=actor, name=draft.name, document=document)
        return spec

    def _save_version(self, actor: Actor, document: Any, draft: Draft, spec: Spec, *, publish: bool) -> str:
        """What is the newest version already makes no new one."""
        newest = documents.newest(document)
        if newest.number == draft.based_on and documents.same(documents.spec_of(newest), spec):
            if not publish:
                return f"Saved. {self.same} as in {newest}, so there is no new version."
            documents.move_label(document, actor=actor, label=LIVE, number=newest.number, reason=draft.note)
            return f"{newest} is Live now."
        version = documents.save_version(
            document, actor=actor, spec=spec, note=draft.note, publish=publish, based_on=draft.based_on
        )
        if publish:
            return f"{version} is saved, and Live now."
        live = live_version(document)
        return f"Saved as draft {version}." + (f" Live is still {live}." if live else "")

    @method_decorator(require_POST)
    def restore(self, request: HttpRequest, pk: int) -> HttpResponse:
        document = find_or_404(request, self.family.document, pk)
        number = playground.whole(request.POST.get("number", ""))
        version = documents.restore(document, actor=actor_of(request), number=number)
        labels = "Live has not moved." if live_version(document) else "Nothing is Live yet."
        messages.success(request, f"v{number} is restored as {version}. {labels}")
        return self._back(request, document)

    def _back(self, request: HttpRequest, document: Any) -> HttpResponseRedirect:
        """To the newest version, with the run that was shown."""
        address = reverse(f"admin:llm_admin_{self.family.noun}_change", args=[document.pk])
        run = request.GET.get("run", "")
        return redirect(f"{address}?run={run}" if is_uuid(run) else address)


def _typed(request: HttpRequest, document: Any, field: str) -> str:
    """What this person left as it was (`<field>_before`) stays what somebody else has made of it since."""
    text: str = request.POST.get(field, "")
    return getattr(document, field) if document and text == request.POST.get(f"{field}_before") else text


def live_version(document: Any) -> Any:
    """Without its spec; None where nothing is Live yet."""
    return document.versions.filter(labels__name=LIVE).defer("spec").first()


def is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
