"""What a provider's library raises leaves as a failure with a kind, also where an answer is like no other."""

from __future__ import annotations

import asyncio
import logging
import sys
import traceback
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers.base import Provider
from llm_admin.runtime.providers.failures import NO_LIST, chain_of

# What Python raises where something is not as it was expected to be.
STUMBLES = (AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError)
UNREADABLE = "the answer could not be read: is the base URL right?"
logger = logging.getLogger(__name__)


class Classified(AbstractContextManager[None]):
    """What the provider knows as its failure leaves as CallFailed; everything else passes as it is."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        failure = self.failure(error) if isinstance(error, Exception) else None
        if failure is not None and failure is not error:
            wrapped = any(one is failure for one in chain_of(error))  # the library raised it on, as its own cause
            raise failure from None if wrapped else error

    def failure(self, error: Exception) -> CallFailed | None:
        return self.provider.classify(error)


class Reading(Classified):
    """Around a provider's own code and nothing else: what it stumbles over is an answer that nobody foresaw."""

    def failure(self, error: Exception) -> CallFailed | None:
        if found := self.provider.classify(error):
            return found
        if not isinstance(error, STUMBLES):
            return None
        # Not the words: they may hold what was answered.
        logger.warning("An answer of %s could not be read: %s.", self.provider.label, _place(error))
        return CallFailed(ErrorKind.PROVIDER_DOWN, UNREADABLE)


def _place(error: Exception) -> str:
    *_, frame = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {frame.filename}, line {frame.lineno}"


def names_of(models: Any) -> list[str]:
    """Of a list in OpenAI's shape, which many have: of objects or of dictionaries with an “id”."""
    if not isinstance(models, list):
        raise CallFailed(ErrorKind.PROVIDER_DOWN, NO_LIST)
    names = (one["id"] if isinstance(one, dict) else one.id for one in models)
    return sorted(str(name) for name in names if name)


def checked(vectors: Any, texts: list[str]) -> list[list[float]]:
    """One for each text. Raises CallFailed for anything else."""
    if isinstance(vectors, list) and len(vectors) == len(texts) and all(map(_is_vector, vectors)):
        return vectors
    raise CallFailed(ErrorKind.PROVIDER_DOWN, "did not answer with a vector for each text")


def _is_vector(one: Any) -> bool:
    return isinstance(one, list) and bool(one) and all(isinstance(number, int | float) for number in one)


async def loaded(provider: Provider) -> None:
    """Its libraries are imported in a thread: seconds, the first time. Raises CallFailed when one is damaged."""
    if missing := [name for name in provider.modules if name not in sys.modules]:
        try:
            await asyncio.to_thread(lambda: [import_module(name) for name in missing])
        except ImportError as error:
            logger.exception("The libraries of %s cannot be loaded.", provider.label)
            words = f"the libraries of {provider.label} cannot be loaded on this server ({str(error)[:150]})"
            raise CallFailed(ErrorKind.BAD_REQUEST, f"{words}: an operator can install them anew") from None
