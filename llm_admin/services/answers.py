"""Answers that were given before: which calls may have one, and what makes two calls the same.

A call is the same as one before when everything that is sent is: the messages, the settings, and where the model runs.
So a prompt, a workflow, a model or a connection that changes what matters is never answered with what was before.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from django.utils import timezone

from llm_admin.choices import CacheAnswers, StoreTexts
from llm_admin.conf import settings
from llm_admin.exceptions import NotFound
from llm_admin.jobs.writer import WRITER
from llm_admin.models import Run, Workspace
from llm_admin.schemas.plans import DeploymentPlan, ModelPlan, PromptPlan
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.schemas.records import CachedAnswer, CallStart
from llm_admin.schemas.storable import why_not
from llm_admin.schemas.usage import count_of
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import catalogue
from llm_admin.services.actors import Actor
from llm_admin.services.secrets import redactor_at_hand
from llm_admin.tenancy import workspace_scope

if TYPE_CHECKING:
    from llm_admin.runtime.cache import DjangoCache

# Reasoning models take no temperature (langchain-openai leaves it out): what they answer differs each time.
IGNORE_TEMPERATURE = re.compile(r"(^|/)(o[1-9]\b|gpt-5(?!.*chat))", re.IGNORECASE)
MODULE = "llm_admin.runtime.cache"


@dataclass(frozen=True)
class Rules:
    """What the workspace says at the moment."""

    keeps_texts: bool
    mode: str
    hours: int
    emptied_at: datetime | None

    @classmethod
    def of(cls, workspace: Workspace) -> Rules:
        keeps_texts = workspace.store_texts == StoreTexts.MASKED
        return cls(keeps_texts, workspace.cache_answers, workspace.cache_hours, workspace.cache_emptied_at)


def _key(workspace_id: int) -> tuple[str, int]:
    return ("answers", workspace_id)


def rules_of(workspace_id: int) -> Rules:
    return catalogue.cached(_key(workspace_id), lambda: Rules.of(Workspace.objects.get(pk=workspace_id)))


class CachedAnswers:
    """Of one run; the runtime's `Answers`."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.asks_again = run.spec.get("cache") is False
        self._used: dict[str, str] = {}  # key -> path of the step that was answered so

    def wanted(self, parameters: Mapping[str, Any], prompt: PromptPlan | None, model: ModelPlan) -> bool:
        rules = self._at_hand() or Rules.of(self.run.workspace)
        mode = (prompt.spec.cache if prompt else "") or rules.mode
        if mode == CacheAnswers.DETERMINISTIC and ignores_temperature(model):
            return False
        return rules.keeps_texts and _fits(mode, parameters)

    async def find(self, start: CallStart, model: ModelPlan) -> CachedAnswer | None:
        """A step that is tried a second time in the same run asks: it was not content with what it got."""
        cache, asked = await self._cache(), self._asked(start, model)
        key = cache.key(*asked)
        if self.asks_again or self._used.get(key) == start.path:
            return None
        found = await cache.alookup(*asked)
        if not found or why_not(found[0].text):
            return None
        self._used[key] = start.path
        told = found[0].generation_info or {}
        return CachedAnswer(found[0].text, count_of(told.get("input_tokens")), count_of(told.get("output_tokens")))

    async def keep(self, start: CallStart, model: ModelPlan, answer: CachedAnswer) -> None:
        """Not what holds a secret: logs mask it, but an answer has to be given again as it was."""
        if not answer.text.strip() or redactor_at_hand().find(answer.text):
            return
        cache, asked = await self._cache(), self._asked(start, model)
        self._used[cache.key(*asked)] = start.path
        tokens = {"input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens}
        await cache.akeep_text(*asked, answer.text, tokens)

    async def doubt(self) -> None:
        """The run could not use an answer: the next run asks anew."""
        if self._used:
            await (await self._cache()).adelete(list(self._used))

    def _at_hand(self) -> Rules | None:
        return cast("Rules | None", catalogue.peek(_key(self.run.workspace_id)))

    async def _rules(self) -> Rules:
        workspace_id = self.run.workspace_id
        return self._at_hand() or cast("Rules", await WRITER.write(lambda: rules_of(workspace_id)))

    async def _cache(self) -> DjangoCache:
        if MODULE not in sys.modules:
            await asyncio.to_thread(import_module, MODULE)  # a second, the first time
        from llm_admin.runtime.cache import DjangoCache

        rules, limits = await self._rules(), settings()
        return DjangoCache(
            space=f"workspace {self.run.workspace_id}",
            alias=limits.ANSWER_CACHE,
            seconds=rules.hours * 3600,
            since=rules.emptied_at.timestamp() if rules.emptied_at else 0,
            most_characters=limits.ANSWER_CACHE_CHARACTERS,
        )

    def _asked(self, start: CallStart, model: ModelPlan) -> tuple[str, str]:
        """LangChain's two parts of a key: what is asked, and of whom."""
        return asked(start.messages, start.parameters, model)


def asked(messages: list[dict[str, Any]], parameters: Mapping[str, Any], model: ModelPlan) -> tuple[str, str]:
    places = sorted((_place(one) for one in model.deployments), key=json.dumps)
    return _json(messages), _json({"model": model.alias, "runs": places, "parameters": parameters})


def _place(deployment: DeploymentPlan) -> dict[str, Any]:
    """Where and how calls go there; never the key, and nothing that only decides which place is asked first."""
    return {
        "provider": deployment.provider,
        "model": deployment.provider_model,
        "connection": deployment.connection_id,
        "url": deployment.base_url,
        "options": deployment.options,
    }


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def ignores_temperature(model: ModelPlan) -> bool:
    return any(IGNORE_TEMPERATURE.search(one.provider_model) for one in model.deployments)


def applies(workspace: Workspace) -> str:
    """What holds for prompts that say nothing themselves: a mode, or "" where no answer is ever kept."""
    return workspace.cache_answers if workspace.store_texts == StoreTexts.MASKED else ""


def may_apply(workspace: Workspace, spec: PromptSpec | WorkflowSpec) -> bool:
    """Whether running without the cache can make a difference. Of a workflow, each step says for itself."""
    usual = applies(workspace)
    if isinstance(spec, WorkflowSpec):
        return bool(usual)
    return bool(usual) and _fits(spec.cache or usual, spec.call_parameters())


def _fits(mode: str, parameters: Mapping[str, Any]) -> bool:
    return mode == CacheAnswers.ALWAYS or (mode == CacheAnswers.DETERMINISTIC and parameters.get("temperature") == 0)


def empty(workspace_id: int, *, actor: Actor) -> None:
    """Nothing that was answered until now is given again in the workspace, whichever process has it."""
    actor.require("change_workspace")
    if workspace_id != actor.workspace.pk:
        raise NotFound("You work in another workspace at the moment. Switch to this one first.")
    with workspace_scope(actor.workspace):
        workspace = Workspace.objects.get(pk=workspace_id)
        workspace.cache_emptied_at = timezone.now()
        workspace.save(update_fields=["cache_emptied_at"])
