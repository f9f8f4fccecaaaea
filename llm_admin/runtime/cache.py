"""What was answered before, kept in one of Django's caches: texts behind LangChain's own interface, and embeddings."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import struct
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Any

from django.core.cache import BaseCache as Store
from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.signals import setting_changed
from langchain_core.caches import RETURN_VAL_TYPE, BaseCache
from langchain_core.messages import message_to_dict, messages_from_dict
from langchain_core.outputs import ChatGeneration, Generation

from llm_admin.jobs.caches import RUBBISH, reached
from llm_admin.runtime.providers.base import EmbeddingResult

logger = logging.getLogger(__name__)
PREFIX = "llm-admin"
MOST_CHARACTERS = 200_000
EMBEDDING_SECONDS = 30 * 24 * 3600


@lru_cache(maxsize=8)
def store_of(alias: str) -> Store:
    """One for the whole process: `caches[alias]` would connect to Redis anew in every task."""
    return caches.create_connection(alias)


def _forget(*, setting: str, **_: object) -> None:
    if setting == "CACHES":
        store_of.cache_clear()


setting_changed.connect(_forget, dispatch_uid="llm_admin.runtime.cache")


def digest(*parts: str) -> str:
    """With their lengths, so that what ends one part cannot begin the next."""
    made = hashlib.sha256()
    for part in parts:
        made.update(f"{len(part)}:".encode())
        made.update(part.encode("utf-8", "surrogatepass"))
    return made.hexdigest()


class DjangoCache(BaseCache):
    """LangChain's cache over one of Django's. What cannot be reached is empty: a cache never fails a call.

    `space` keeps tenants apart; what is older than `seconds` or was kept before `since` (a time stamp) is not given.
    """

    def __init__(
        self,
        *,
        space: str = "",
        alias: str = "default",
        seconds: float = 24 * 3600,
        since: float = 0,
        most_characters: int = MOST_CHARACTERS,
    ) -> None:
        self.space, self.seconds, self.since, self.most_characters = space, seconds, since, most_characters
        self._store = store_of(alias)
        self._at_once = isinstance(self._store, LocMemCache | DummyCache)  # no wait: needs no thread
        self._cleared = f"{PREFIX}:cleared:{digest(space)}"

    def key(self, prompt: str, llm_string: str) -> str:
        return f"{PREFIX}:answer:{digest(self.space, prompt, llm_string)}"

    def lookup(self, prompt: str, llm_string: str) -> RETURN_VAL_TYPE | None:
        key = self.key(prompt, llm_string)
        found = _found(self._store, (key, self._cleared))
        try:
            kept = json.loads(found.get(key) or "null")
            if kept is None or not self._is_valid(kept["at"], found.get(self._cleared) or 0):
                return None
            return [_read(one) for one in kept["answer"]]
        except (*RUBBISH, RecursionError):  # another version's, or somebody else's
            return None

    def update(self, prompt: str, llm_string: str, return_val: RETURN_VAL_TYPE) -> None:
        """What is too long or no JSON is left out."""
        try:
            kept = json.dumps({"at": time.time(), "answer": [_written(one) for one in return_val]})
        except TypeError:
            return
        if len(kept) <= self.most_characters:
            key = self.key(prompt, llm_string)
            reached(lambda: self._store.set(key, kept, timeout=self.seconds), None)

    def clear(self, **_: Any) -> None:
        """Of this space. The entries stay until they expire, but are not given any more."""
        reached(lambda: self._store.set(self._cleared, time.time(), timeout=None), None)

    def delete(self, keys: Sequence[str]) -> None:
        reached(lambda: self._store.delete_many(keys), None)

    async def alookup(self, prompt: str, llm_string: str) -> RETURN_VAL_TYPE | None:
        return await self._without_blocking(lambda: self.lookup(prompt, llm_string))

    async def aupdate(self, prompt: str, llm_string: str, return_val: RETURN_VAL_TYPE) -> None:
        await self._without_blocking(lambda: self.update(prompt, llm_string, return_val))

    async def akeep_text(self, prompt: str, llm_string: str, text: str, info: dict[str, Any]) -> None:
        await self.aupdate(prompt, llm_string, [Generation(text=text, generation_info=info)])

    async def aclear(self, **kwargs: Any) -> None:
        await self._without_blocking(lambda: self.clear(**kwargs))

    async def adelete(self, keys: Sequence[str]) -> None:
        await self._without_blocking(lambda: self.delete(keys))

    async def _without_blocking(self, work: Callable[[], Any]) -> Any:
        return work() if self._at_once else await asyncio.to_thread(work)

    def _is_valid(self, at: float, cleared: float) -> bool:
        return at > max(self.since, cleared, time.time() - self.seconds)


def _found(store: Store, keys: Sequence[str]) -> dict[str, Any]:
    """Of several entries, one that cannot be read makes all of them unknown: the next answer replaces it."""
    try:
        return reached(lambda: store.get_many(keys), {})
    except RUBBISH as error:
        logger.warning("The cache holds what cannot be read: %s", error)
        return {}


def _written(one: Generation) -> dict[str, Any]:
    said = {"message": message_to_dict(one.message)} if isinstance(one, ChatGeneration) else {"text": one.text}
    return {**said, "info": one.generation_info}


def _read(kept: dict[str, Any]) -> Generation:
    if "message" in kept:
        return ChatGeneration(message=messages_from_dict([kept["message"]])[0], generation_info=kept["info"])
    return Generation(text=kept["text"], generation_info=kept["info"])


async def embed_cached(
    ask: Callable[[list[str]], Awaitable[EmbeddingResult]],
    texts: Sequence[str],
    *,
    space: Sequence[Any],
    alias: str = "default",
    seconds: float = EMBEDDING_SECONDS,
) -> EmbeddingResult:
    """As LangChain's CacheBackedEmbeddings: only texts that are not known are asked for, each once.

    `tokens` are those of what was asked for. `space`: everything else that the vectors depend on (workspace, provider,
    address, model, dimensions).
    """
    store, where = store_of(alias), json.dumps(space, sort_keys=True)
    keys = {text: f"{PREFIX}:embedding:{digest(where, text)}" for text in texts}
    found = await asyncio.to_thread(_found, store, list(keys.values()))
    vectors = {text: _unpacked(found[key]) for text, key in keys.items() if key in found}
    known = {text: vector for text, vector in vectors.items() if vector}
    tokens: int | None = 0
    if missing := [text for text in keys if text not in known]:
        result = await ask(missing)
        tokens, new = result.tokens, dict(zip(missing, result.vectors, strict=True))
        packed = {keys[text]: _packed(vector) for text, vector in new.items()}
        await asyncio.to_thread(reached, lambda: store.set_many(packed, timeout=seconds), None)
        known |= new
    return EmbeddingResult([known[text] for text in texts], tokens)


def _packed(vector: Sequence[float]) -> bytes:
    return struct.pack(f"<{len(vector)}d", *vector)


def _unpacked(kept: Any) -> list[float] | None:
    """None: somebody else wrote it."""
    if not isinstance(kept, bytes) or len(kept) % 8:
        return None
    return list(struct.unpack(f"<{len(kept) // 8}d", kept))
