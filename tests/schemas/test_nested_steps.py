"""Steps within steps: their numbers, what differs between two workflows, a prompt's variable that is renamed."""

from __future__ import annotations

from llm_admin.schemas import renaming, step_diffs
from llm_admin.schemas.step_numbers import number_at, numbers
from llm_admin.schemas.workflows import WorkflowSpec

CONDITION = {"value": "topic", "operator": "is", "to": "rain"}


def text(name, what="Some {{topic}}", **more):
    return {"type": "template", "id": name, "text": what, **more}


def branch(yes=(), no=(), **more):
    return {"type": "branch", "id": "way", "conditions": [CONDITION], "yes": list(yes), "no": list(no), **more}


def loop(*steps, **more):
    return {"type": "for_each", "id": "each", "items": "topic", "steps": list(steps), **more}


def spec(*steps, **more):
    return WorkflowSpec.model_validate({"inputs": [{"name": "topic"}], "steps": list(steps), **more})


def told(before, after):
    return [(one.title, one.before, one.after) for one in step_diffs.changes(before, after)]


NESTED = [text("a"), branch([text("b"), loop(text("c"))], [text("d")]), text("e")]


def test_every_step_has_a_number_of_its_own():
    found = numbers(spec(*NESTED).steps)
    assert [(place, number) for place, number in found.items()] == [
        (("steps", 0), "1"),
        (("steps", 1), "2"),
        (("steps", 1, "yes", 0), "2.1"),
        (("steps", 1, "yes", 1), "2.2"),
        (("steps", 1, "yes", 1, "steps", 0), "2.2.1"),
        (("steps", 1, "no", 0), "2.3"),
        (("steps", 2), "3"),
    ]
    data = spec(*NESTED).model_dump(mode="json")["steps"]

    def slots(step):
        return [step[name] for name in ("yes", "no", "steps") if name in step]

    assert {place: number_at(place, data, slots) for place in found} == found


def test_a_changed_step_within_a_step_is_told_by_its_number_and_nothing_else():
    other = [text("a"), branch([text("b"), loop(text("c", "Else"))], [text("d")]), text("e")]
    assert told(spec(*NESTED), spec(*other)) == [("Step 2.2.1: Text: c – Text", "Some {{topic}}", "Else")]


def test_added_and_removed_steps_say_where_they_are():
    before, after = spec(branch([text("b")])), spec(branch([], [text("n")]))
    assert told(before, after) == [
        ("Step 1.1: Text: b", "Result name: b\nIn “Branch: way”: If so\nText: Some {{topic}}", None),
        ("Step 1.1: Text: n", None, "Result name: n\nIn “Branch: way”: Otherwise\nText: Some {{topic}}"),
    ]


def test_a_step_that_moved_into_another_says_so():
    before = spec(branch([text("b")]), text("e"))
    assert told(before, spec(branch([text("b"), text("e")]))) == [
        ("Step 1.2: Text: e – Place", "In the workflow itself", "In “Branch: way”: If so")
    ]
    assert told(spec(branch([text("b")])), spec(branch([], [text("b")]))) == [
        ("Step 1.1: Text: b – Place", "In “Branch: way”: If so", "In “Branch: way”: Otherwise")
    ]


def test_conditions_failures_and_the_switch_are_told_in_words():
    before = spec(branch([text("b")]))
    condition = {"value": "topic", "operator": "not_empty"}
    failure = {"retries": 2, "action": "value", "value": "none"}
    after = spec(branch([text("b")], conditions=[CONDITION, condition], failure=failure), text("x", disabled=True))
    assert told(before, after) == [
        ("Step 1: Branch: way – Conditions", "topic is rain", "topic is rain\ntopic is not empty"),
        (
            "Step 1: Branch: way – If it fails",
            None,
            "Try again, times: 2\nIf it still fails: Use this value and go on\nValue to use: none",
        ),
        ("Step 2: Text: x", None, "Result name: x\nSwitched off: yes\nText: Some {{topic}}"),
    ]
    assert "{" not in str(told(before, after)).replace("{{topic}}", "")


def test_named_outputs_are_told():
    outputs = [{"name": "title", "value": "{{a}}"}, {"name": "about", "value": "{{topic}}"}]
    assert told(spec(text("a")), spec(text("a"), outputs=outputs)) == [
        ("Outcome", "The last step's", "title: {{a}}\nabout: {{topic}}")
    ]


def prompt_step(name, **inputs):
    pairs = [{"name": key, "value": value} for key, value in inputs.items()]
    return {"type": "prompt", "id": name, "prompt": "weather", "inputs": pairs}


def test_a_renamed_variable_is_followed_into_branches_and_loops():
    before = spec(
        branch([prompt_step("p", place="In {{topic}}")], [prompt_step("q")]), loop(prompt_step("r", place="x"))
    )
    after = renaming.in_workflow(before, frozenset(["weather"]), "place", "where")
    mapped = {step.id: [(m.name, m.value) for m in step.inputs] for step in after.all_steps() if step.type == "prompt"}
    assert mapped == {"p": [("where", "In {{topic}}")], "q": [], "r": [("where", "x")]}


def test_what_was_taken_by_name_stays_on_every_level_and_only_where_it_is_known():
    inside = branch([text("place"), prompt_step("p")], [prompt_step("q")])
    after = renaming.in_workflow(
        spec(inside, loop(prompt_step("r"), item="place2")), frozenset(["weather"]), "place", "x"
    )
    mapped = {step.id: [(m.name, m.value) for m in step.inputs] for step in after.all_steps() if step.type == "prompt"}
    assert mapped == {"p": [("x", "{{place}}")], "q": [], "r": []}
    entry = renaming.in_workflow(spec(loop(prompt_step("r"), item="place")), frozenset(["weather"]), "place", "x")
    assert [(m.name, m.value) for m in entry.all_steps()[1].inputs] == [("x", "{{place}}")]
