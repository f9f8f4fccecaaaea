"""A plan as a person reviews it: what to look at first, with the difference to what is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llm_admin.models import LIVE, label_title
from llm_admin.services.library.diff import Piece, compare
from llm_admin.services.library.items import Action, Item, Plan
from llm_admin.services.library.outline import outline

MOST_ROWS = 500  # of one section; a longer one says how many more there are
MOST_DIFFS = 100
LONGEST = 4_000  # characters of a new text


@dataclass(frozen=True)
class PreviewRow:
    """`pieces`: the difference to the newest version; None when it is not shown. `text`: of a new one."""

    item: Item
    text: str = ""
    pieces: Sequence[Piece] | None = None
    cut: int = 0

    @property
    def where(self) -> str:
        """The place in the file, unless that is the name again."""
        place = str(self.item.entry.place[0])
        return "" if self.item.name in place else place

    @property
    def labels(self) -> list[str]:
        """Of a new one that brings some: “Live: v2”."""
        numbers = {version.number: place for place, version in enumerate(self.item.versions, start=1)}
        given = self.item.entry.labels if self.item.action == Action.NEW else {}
        return [f"{label_title(name)}: v{numbers[number]}" for name, number in given.items()]

    @property
    def becomes(self) -> str:
        numbers = len(self.item.versions)
        if self.item.action == Action.NEW_VERSION:
            last = self.item.document.last_number
            return f"v{last + 1}" if numbers == 1 else f"v{last + 1} to v{last + numbers}"
        return "v1" if numbers == 1 else f"v1 to v{numbers}"


@dataclass(frozen=True)
class Section:
    key: str
    title: str
    hint: str
    rows: Sequence[PreviewRow]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.rows)


def sections(plan: Plan) -> list[Section]:
    """New versions, new ones under another name, new ones, unchanged ones; without the empty ones."""
    new = plan.of(Action.NEW)
    draft = f"They are added as drafts: {label_title(LIVE)} does not move until somebody publishes."
    groups = (
        ("versions", "New versions", draft, plan.of(Action.NEW_VERSION)),
        ("renamed", "New, under another name", "", [item for item in new if item.renamed]),
        ("new", "New", "", [item for item in new if not item.renamed]),
        ("unchanged", "Unchanged", "", plan.of(Action.UNCHANGED)),
    )
    return [
        Section(key, title, hint, list(_rows(items[:MOST_ROWS])), len(items))
        for key, title, hint, items in groups
        if items
    ]


def _rows(items: Sequence[Item]) -> Iterator[PreviewRow]:
    for place, item in enumerate(items):
        if item.action == Action.UNCHANGED:
            yield PreviewRow(item)
            continue
        text = outline(item.versions[-1].spec.model_dump(mode="json"))
        if item.action == Action.NEW:
            yield PreviewRow(item, text=text[:LONGEST], cut=max(0, len(text) - LONGEST))
        else:
            yield PreviewRow(item, pieces=compare(outline(item.before), text) if place < MOST_DIFFS else None)
