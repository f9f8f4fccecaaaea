"""What the *Look up* step searches: an interface, and one made-up collection. (The knowledge base brings real ones.)"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from llm_admin.registry import Registry
from llm_admin.schemas.extensions import COLLECTION_LABELS, CollectionLabel


@dataclass(frozen=True, slots=True)
class Passage:
    """`score` from 0 (nothing in common) to 1."""

    text: str
    source: str
    score: float


class Retriever(Protocol):
    async def search(self, query: str, *, count: int) -> Sequence[Passage]: ...


class DemoRetriever:
    """Offline and deterministic: the share of the question's words that a passage has."""

    PASSAGES = (
        ("Refunds are paid within 14 days after we have received the goods.", "Terms of sale, section 4"),
        ("Standard delivery takes two to four working days; express delivery one.", "Delivery, page 1"),
        ("Orders can be changed or cancelled until they have left our warehouse.", "Orders, page 2"),
        ("The guarantee covers defects in material for three years from the day of purchase.", "Guarantee, page 1"),
        ("Our support answers on working days from 8 to 18 o'clock, by mail and telephone.", "Contact"),
        ("Invoices are sent by mail; a payment is due within 30 days.", "Invoices, page 1"),
    )

    async def search(self, query: str, *, count: int) -> Sequence[Passage]:
        wanted = words(query)
        found = [Passage(text, source, _share(wanted, words(text))) for text, source in self.PASSAGES]
        return sorted(found, key=lambda one: -one.score)[:count]


def words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.casefold()) if len(word) > 2}


def _share(wanted: set[str], found: set[str]) -> float:
    return round(len(wanted & found) / len(wanted), 3) if wanted else 0.0


RETRIEVERS: Registry[Retriever] = Registry("collection", {"demo": DemoRetriever()})


def register_retriever(name: str, retriever: Retriever, *, title: str = "") -> None:
    RETRIEVERS.register(name, retriever)
    COLLECTION_LABELS.register(name, CollectionLabel(title or name))


def get_retriever(name: str) -> Retriever:
    """Raises KeyError."""
    return RETRIEVERS.get(name)
