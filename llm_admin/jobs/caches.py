"""Django's caches, which may be elsewhere: one that cannot be reached, or holds rubbish, is an empty one."""

from __future__ import annotations

import logging
import pickle
import sys
import zlib
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError

T = TypeVar("T")
logger = logging.getLogger(__name__)
CLIENT_ERRORS = (("redis.exceptions", "RedisError"), ("pymemcache.exceptions", "MemcacheError"))
# What unpickling raises, by the words of its documentation, and what unpacking does before it.
RUBBISH = (pickle.PickleError, zlib.error, EOFError, AttributeError, ImportError, LookupError, TypeError, ValueError)


def reached(work: Callable[[], T], otherwise: T) -> T:
    """What `work` says; else `otherwise`, and a line in the log: a cache never fails what could go on without it."""
    try:
        return work()
    except failures() as error:
        logger.warning("The cache cannot be used: %s", error)
        return otherwise


def failures() -> tuple[type[Exception], ...]:
    """What caches raise that are not there. Of clients that nobody imported, nothing comes."""
    clients = [getattr(sys.modules[name], error) for name, error in CLIENT_ERRORS if name in sys.modules]
    return (OSError, DatabaseError, *clients)
