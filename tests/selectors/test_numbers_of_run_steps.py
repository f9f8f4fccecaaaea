"""A run's steps have the numbers by which the editor knows them."""

from __future__ import annotations

from llm_admin.schemas.step_numbers import numbers
from llm_admin.schemas.walking import walk
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.selectors.trace_tree import Tree


def text(name):
    return {"type": "template", "id": name, "text": "x"}


LOOP = {"type": "for_each", "id": "many", "items": "topic", "steps": [text("d"), text("e")]}
WAY = {
    "type": "branch",
    "id": "way",
    "conditions": [{"value": "a", "operator": "contains", "to": "x"}],
    "yes": [text("b")],
    "no": [text("c"), LOOP],
}
SPEC = WorkflowSpec.model_validate(
    {"inputs": [{"name": "topic", "type": "list"}], "steps": [text("a"), WAY, text("z")]}
)


def tree(planned):
    return Tree([], planned, ended=True, streamed={}, figures={}, calls={})


def test_every_step_has_the_editors_number_in_whichever_entry_of_a_loop():
    planned, known = tree(SPEC.model_dump()["steps"]), numbers(SPEC.steps)
    found = {one.step.id: planned.number(one.path.replace("[]", "[7]")) for one in walk(SPEC.steps)}
    assert found == {one.step.id: known[one.location] for one in walk(SPEC.steps)}
    assert (found["c"], found["e"], found["z"]) == ("2.2", "2.3.2", "3")


def test_a_step_that_was_not_planned_or_was_tried_alone_has_none():
    assert tree([]).number("2") == ""
    alone = tree([text("a")])
    alone.counted = False
    assert alone.number("1") == ""
