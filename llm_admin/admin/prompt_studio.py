"""The prompt's studio: its text, and trying it out."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from llm_admin.admin import (
    input_forms,
    playground,
    prompt_compare,
    prompt_drafts,
    prompt_estimates,
    prompt_from_log,
    prompt_order,
    prompt_syntax,
    prompt_tests,
    prompt_versions,
)
from llm_admin.admin.document_saving import Draft
from llm_admin.admin.document_studio import Page, Studio, base_state
from llm_admin.admin.input_forms import form_values
from llm_admin.admin.prompt_saving import PromptForm
from llm_admin.conf import settings
from llm_admin.exceptions import Conflict, Problem
from llm_admin.models import LanguageModel
from llm_admin.schemas.prompts import CACHE_WORDS
from llm_admin.schemas.variables import KIND_TITLES
from llm_admin.services import answers, documents

PARTS = (
    prompt_versions,
    prompt_order,
    prompt_tests,
    prompt_compare,
    prompt_drafts,
    prompt_estimates,
    input_forms,
    prompt_syntax,
)


class PromptStudio(Studio):
    form = PromptForm()
    template = "llm_admin/prompts/studio.html"
    unsaved = "Unsaved text"

    def worded(self, problem: Problem, draft: Draft) -> str:
        return playground.worded(problem)

    def collided(self, document: Any, draft: Draft, error: Conflict) -> None:
        """The page comes back with the choice (prompt_merge); the draft stays based on what it was."""
        document.refresh_from_db()
        draft.conflict = str(error)

    def panels(self, page: Page) -> dict[str, Any]:
        models = list(LanguageModel.objects.filter(enabled=True).values_list("alias", "name"))
        state = self._state(page, dict(models)) | prompt_from_log.state(page)
        context = {"state": state, "models": models, "kinds": KIND_TITLES, "cache_words": _cache_words(page)}
        for part in PARTS:
            context |= part.panel(page)
        return context

    def _state(self, page: Page, models: dict[str, str]) -> dict[str, Any]:
        saved = documents.spec_of(page.opened) if page.opened else None
        filled = form_values(saved.variables if saved else (), page.run.inputs if page.run else {})
        default = page.actor.workspace.default_model
        return base_state(page) | {
            "spec": page.draft.spec,
            "saved": saved.model_dump(mode="json") if saved else self.form.empty,
            "savedName": page.document.name if page.document else "",
            "savedDescription": page.document.description if page.document else "",
            "prompt": page.document.pk if page.document else None,
            "values": filled["values"],
            "lists": filled["lists"],
            "maySave": page.may_save,
            "models": models,
            "defaultModel": default.name if default else "",
            "cacheMode": answers.applies(page.actor.workspace),
            "kinds": KIND_TITLES,
            "maxInput": settings().MAX_INPUT_CHARACTERS,
            "links": _links(page.document),
        }


def _cache_words(page: Page) -> str:
    """What the workspace says; "" where it keeps no texts, and so no answers."""
    return CACHE_WORDS.get(answers.applies(page.actor.workspace), "")


def _links(prompt: Any) -> dict[str, str]:
    links = {name: reverse(f"admin:llm_admin_prompt_{name}") for name in ("names", "convert")}
    if prompt is not None:
        links["values"] = reverse("admin:llm_admin_prompt_values", args=[prompt.pk])
    return links
