"""LLM Console, the app. From code:

    from llm_admin import run_prompt, arun_prompt, run_workflow, arun_workflow, get_prompt

Importable before Django's apps are ready: each name is looked up on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_admin.runtime.extending import register_step
    from llm_admin.runtime.providers import register_embedding_provider, register_llm_provider
    from llm_admin.runtime.retrievers import register_retriever
    from llm_admin.runtime.runnables import register_runnable
    from llm_admin.services.code import (
        agive_feedback,
        arun_prompt,
        arun_workflow,
        get_prompt,
        get_workflow,
        give_feedback,
        run_prompt,
        run_workflow,
    )
    from llm_admin.services.handles import Result, RunFailed
    from llm_admin.services.health import Finding, register_health_check

__all__ = [
    "Finding",
    "Result",
    "RunFailed",
    "agive_feedback",
    "arun_prompt",
    "arun_workflow",
    "get_prompt",
    "get_workflow",
    "give_feedback",
    "register_embedding_provider",
    "register_health_check",
    "register_llm_provider",
    "register_retriever",
    "register_runnable",
    "register_step",
    "run_prompt",
    "run_workflow",
]

_HOMES = {
    "Finding": "llm_admin.services.health",
    "Result": "llm_admin.services.handles",
    "RunFailed": "llm_admin.services.handles",
    "register_embedding_provider": "llm_admin.runtime.providers",
    "register_health_check": "llm_admin.services.health",
    "register_llm_provider": "llm_admin.runtime.providers",
    "register_retriever": "llm_admin.runtime.retrievers",
    "register_runnable": "llm_admin.runtime.runnables",
    "register_step": "llm_admin.runtime.extending",
}


def __getattr__(name: str) -> Any:
    """A function that imports its implementation when it is called; classes are imported when they are named."""
    if name not in __all__:
        raise AttributeError(f"module 'llm_admin' has no attribute {name!r}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)

    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(import_module("llm_admin.services.code"), name)(*args, **kwargs)

    call.__name__ = call.__qualname__ = name
    return call
