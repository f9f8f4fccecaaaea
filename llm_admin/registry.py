"""Registries: readable tables from a name to a class or function, or to a dotted path imported on first use."""

from __future__ import annotations

from typing import Generic, TypeVar, cast

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

T = TypeVar("T")


class Registry(Generic[T]):
    """Names are unique: registering one twice is an error, unless it is the very same entry."""

    def __init__(self, noun: str, table: dict[str, T | str] | None = None) -> None:
        self.noun = noun
        self._table: dict[str, T | str] = dict(table or {})

    def register(self, name: str, entry: T | str) -> None:
        if self._table.setdefault(name, entry) is not entry:
            raise ImproperlyConfigured(f"The {self.noun} “{name}” is registered twice; choose another name.")

    def get(self, name: str) -> T:
        """Raises KeyError with the known names, for the caller to word."""
        try:
            entry = self._table[name]
        except KeyError:
            raise KeyError(f"unknown {self.noun} “{name}”; known: {', '.join(self.names())}") from None
        if isinstance(entry, str):
            entry = cast("T", import_string(entry))
            self._table[name] = entry
        return entry

    def names(self) -> list[str]:
        return list(self._table)

    def __contains__(self, name: object) -> bool:
        return name in self._table
