"""Import and export of prompts and workflows: file -> entries -> plan -> (a person looks) -> applied at once.

The admin, `manage.py import_library` and the demo library all go through `plan_file` and `apply`.
"""

from __future__ import annotations

from llm_admin.models import Prompt, name_key
from llm_admin.services.actors import Actor
from llm_admin.services.library.apply import apply
from llm_admin.services.library.entries import MAX_BYTES, Reading
from llm_admin.services.library.export import export, to_csv, to_json
from llm_admin.services.library.items import Action, Counts, Item, Plan, sentence
from llm_admin.services.library.plan import make
from llm_admin.services.library.preview import Section, sections
from llm_admin.services.library.reading import read
from llm_admin.services.library.shipped import DEMO, FIRST_SAMPLE, SAMPLE_COUNT, SAMPLES, read_shipped

__all__ = [
    "MAX_BYTES",
    "SAMPLES",
    "SAMPLE_COUNT",
    "Action",
    "Counts",
    "Item",
    "Plan",
    "Reading",
    "Section",
    "apply",
    "export",
    "import_demo",
    "make",
    "plan_file",
    "read",
    "read_shipped",
    "samples_missing",
    "sections",
    "sentence",
    "to_csv",
    "to_json",
]


def plan_file(data: bytes, *, actor: Actor, filename: str = "") -> Plan:
    """Raises InvalidInput for what is no file of ours; what is wrong within it is `plan.problems`."""
    return make(read(data, filename=filename), actor=actor)


def import_demo(actor: Actor) -> Counts:
    """Six prompts and three workflows, with versions. A second time changes nothing."""
    return apply(plan_file(read_shipped(DEMO), actor=actor, filename=""), actor=actor)


def samples_missing(actor: Actor) -> bool:
    """Whether the list of sample prompts is worth offering. One query."""
    return actor.may("import_prompt") and not Prompt.objects.filter(name_key=name_key(FIRST_SAMPLE)).exists()
