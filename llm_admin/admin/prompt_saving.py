"""What the prompt studio's form posts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from llm_admin.admin import playground
from llm_admin.admin.document_saving import DocumentForm
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.services import drafts
from llm_admin.services.actors import Actor
from llm_admin.services.families import PROMPTS


class PromptForm(DocumentForm):
    family = PROMPTS
    empty = {"kind": "chat", "messages": [{"role": "user", "text": ""}], "variables": []}
    same = "The text is"

    def data(self, request: HttpRequest) -> Any:
        return playground.posted_json(request.POST.get("spec", ""))

    def spec_of(self, data: Any) -> PromptSpec:
        return playground.spec_of(data)

    def after_save(self, request: HttpRequest, actor: Actor, document: Any) -> None:
        """What this page kept as unsaved; what another tab keeps, and what nobody has decided about, stays."""
        drafts.discard(document, actor=actor, tab=request.POST.get("draft_tab", ""))
