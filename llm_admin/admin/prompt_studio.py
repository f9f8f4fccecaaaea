"""The prompt's studio: its text, and trying it out."""

from __future__ import annotations

from typing import Any

from llm_admin.admin import (
    playground,
    prompt_compare,
    prompt_drafts,
    prompt_order,
    prompt_tests,
    prompt_versions,
)
from llm_admin.admin.document_saving import Draft
from llm_admin.admin.document_studio import Page, Studio, base_state
from llm_admin.admin.prompt_saving import PromptForm
from llm_admin.exceptions import Problem
from llm_admin.models import LanguageModel
from llm_admin.services import documents

PARTS = (prompt_versions, prompt_order, prompt_tests, prompt_compare, prompt_drafts)


class PromptStudio(Studio):
    form = PromptForm()
    template = "llm_admin/prompts/studio.html"
    unsaved = "Unsaved text"

    def worded(self, problem: Problem, draft: Draft) -> str:
        return playground.worded(problem)

    def panels(self, page: Page) -> dict[str, Any]:
        models = list(LanguageModel.objects.filter(enabled=True).values_list("alias", "name"))
        own = page.opened.spec.get("model") if page.opened else None
        context = {"state": self._state(page), "models": models, "own_model": dict(models).get(own, own)}
        for part in PARTS:
            context |= part.panel(page)
        return context

    def _state(self, page: Page) -> dict[str, Any]:
        saved = documents.spec_of(page.opened).model_dump(mode="json") if page.opened else self.form.empty
        return base_state(page) | {
            "spec": page.draft.spec,
            "saved": saved,
            "prompt": page.document.pk if page.document else None,
            "values": page.run.inputs if page.run else {},
            "maySave": page.may_save,
        }
