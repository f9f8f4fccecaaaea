"""Steps within steps, in the studio: their cards, their problems, copies, and whatever else may be posted."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field

from llm_admin.choices import Role
from llm_admin.models import Workflow, WorkflowVersion
from llm_admin.schemas.steps import STEP_SPECS
from llm_admin.schemas.steps.base import Slot, StepSpec
from llm_admin.schemas.steps.nested import AnyStep, slot
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import documents
from tests import factories
from tests.admin.workflows.pages import (
    ADD,
    CARD,
    COPY,
    RUN,
    branch_step,
    choices,
    data,
    loop_step,
    page,
    posted,
    queries_of,
    run,
    text_step,
)

PROMPT = {"type": "prompt", "id": "brief", "prompt": "weather-report", "inputs": {"product": "A {{thing}}"}}
NESTED = [text_step("a"), branch_step([PROMPT, loop_step(text_step("c", "{{item}}"))], [text_step("d")])]


def shown(cards):
    return [(c.type.name, c.data["id"], [(s.name, shown(s.cards)) for s in c.slots]) for c in cards]


def test_steps_within_steps_are_saved_and_come_back_as_cards_in_cards(author, prompt):
    author.post(ADD, posted(data(steps=NESTED), name="Nested"))
    made = Workflow.objects.get(name="Nested")
    spec = documents.spec_of(documents.newest(made))
    assert [found.step.id for found in spec.walk()] == ["a", "way", "brief", "each", "c", "d"]
    assert [(m.name, m.value) for m in spec.steps[1].yes[0].inputs] == [("product", "A {{thing}}")]
    cards = author.get(page(made)).context["cards"]
    assert shown(cards) == [
        ("template", "a", []),
        (
            "branch",
            "way",
            [
                ("yes", [("prompt", "brief", []), ("for_each", "each", [("steps", [("template", "c", [])])])]),
                ("no", [("template", "d", [])]),
            ],
        ),
    ]
    inner = cards[1].slots[0].cards[0]
    assert list(inner.schema["properties"]["inputs"]["properties"]) == ["product", "audience"]
    assert not {"yes", "no", "disabled"} & set(cards[1].schema["properties"])
    html = author.get(page(made)).content.decode()
    assert html.index("If so") < html.index("brief") < html.index("Otherwise")


def test_the_page_s_own_steps_are_posted_back_unchanged(author, prompt):
    author.post(ADD, posted(data(steps=NESTED), name="Nested"))
    made = Workflow.objects.get(name="Nested")

    def step_of(card):
        return card.data | {"disabled": card.off} | {s.name: [step_of(c) for c in s.cards] for s in card.slots}

    answer = author.get(page(made))
    raw = answer.context["draft"].spec | {"steps": [step_of(card) for card in answer.context["cards"]]}
    author.post(page(made), posted(json.loads(json.dumps(raw)), name="Nested", based_on=1))
    assert WorkflowVersion.objects.filter(workflow=made).count() == 1


def test_a_problem_within_steps_is_told_by_number_and_stands_at_its_field(author, prompt):
    bad = branch_step(
        [text_step("x"), loop_step(PROMPT | {"inputs": {"audience": "{{nobody}}"}})], [text_step("y", "")]
    )
    answer = author.post(ADD, posted(data(steps=[text_step("a"), bad])))
    assert answer.status_code == 422
    assert answer.context["summary"] == [
        "Step 2.3, Text: This must not be empty.",
    ]
    bad["no"] = []
    answer = author.post(ADD, posted(data(steps=[text_step("a"), bad])))
    assert answer.context["summary"] == [
        "Step 2.2.1, What the prompt's variables get: Nothing before this step is called “nobody”."
    ]
    assert answer.context["state"]["problems"][0]["location"] == (
        *("steps", 1, "yes", 1, "steps", 0),
        *("inputs", "audience"),
    )


def test_a_problem_of_a_condition_names_its_row(author):
    wrong = branch_step([text_step("x")])
    wrong["conditions"].append({"value": "thing", "operator": "is", "to": "{{later}}"})
    answer = run(author, raw=data(steps=[wrong]))
    assert "Step 1, Condition 2, With: Nothing before this step is called “later”." in answer.content.decode()
    told = json.loads(answer.headers["HX-Trigger"])["llm:problems"]["problems"]
    assert told[0]["location"] == ["steps", 0, "conditions", 1, "to"]


def test_named_outputs_are_saved_and_their_problems_told(author, scope):
    outputs = [{"name": "title", "value": "{{a}}"}, {"name": "no good", "value": "{{nowhere}}"}]
    answer = author.post(ADD, posted(data(steps=[text_step("a")], outputs=outputs)))
    assert answer.context["summary"][0].startswith("Outcome, part 2, Name: A name has letters")
    assert answer.context["state"]["several"] is True
    assert "no good" in answer.context["outputs_form"]
    author.post(ADD, posted(data(steps=[text_step("a")], outputs=outputs[:1]), name="Parts"))
    assert documents.newest(Workflow.objects.get(name="Parts")).spec["outputs"] == outputs[:1]


def test_a_switched_off_step_stays_so(author, scope):
    steps = [text_step("a"), text_step("b", disabled=True)]
    author.post(ADD, posted(data(steps=steps), name="Off"))
    cards = author.get(page(Workflow.objects.get(name="Off"))).context["cards"]
    assert [card.off for card in cards] == [False, True]
    html = author.get(page(Workflow.objects.get(name="Off"))).content.decode()
    assert html.count('aria-checked="false"') == 1


def test_a_copy_has_free_names_all_the_way_down(author, prompt):
    taken = ["a", "way", "brief", "each", "c", "d", "thing"]
    card = author.post(COPY, {"step": json.dumps(NESTED[1]), "taken": taken}).context["card"]
    assert shown([card])[0][1] == "way_2"
    assert [c.data["id"] for c in card.slots[0].cards] == ["brief_2", "each_2"]
    assert card.slots[0].cards[0].data["inputs"] == {"product": "A {{thing}}", "audience": ""}
    again = author.post(COPY, {"step": json.dumps(text_step("a_7")), "taken": ["a", "a_7"]}).context["card"]
    assert again.data["id"] == "a_2"


@pytest.mark.parametrize("step", ["", "[]", "7", '{"type": "magic"}', "{", "[" * 5000, '{"a":' * 50 + "1" + "}" * 50])
def test_what_is_no_step_is_not_copied(author, step):
    assert author.post(COPY, {"step": step}).status_code in (404, 422)
    assert author.get(COPY).status_code == 405


def test_pickers_offer_people_functions_and_collections(author, member, scope):
    member(Role.VIEWER, "vera")
    card = author.get(CARD, {"type": "approval"}).context["card"]
    people = card.schema["properties"]["people"]["items"]["choices"]
    assert {one["value"] for one in people} >= {"ada", "vera"}
    elsewhere = factories.workspace()
    factories.member(elsewhere, username="otto")
    people = author.get(CARD, {"type": "approval"}).context["card"].schema["properties"]["people"]["items"]["choices"]
    assert "otto" not in {one["value"] for one in people}
    assert "demo" in choices(author.get(CARD, {"type": "retrieve"}).context["card"], "collection")


def test_every_type_s_new_card_has_data_in_the_outline_of_its_form(author):
    """jsonform shows nothing at all where they differ."""
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool}
    for name in STEP_SPECS.names():
        card = author.get(CARD, {"type": name}).context["card"]
        for field, one in card.schema["properties"].items():
            wanted = kinds.get(one["type"])
            assert wanted is None or isinstance(card.data[field], wanted), (name, field)


def test_keys_of_a_json_answer_are_known(author, scope, system):
    keys = {"format": "json", "fields": [{"name": "urgency"}, {"name": "topic"}]}
    spec = factories.chat_spec("About {{thing}}").model_copy(
        update={"output": type(factories.chat_spec("x").output).model_validate(keys)}
    )
    made = factories.prompt(scope, name="Triage", spec=spec)
    steps = [{"type": "llm", "id": "answer", "prompt": made.slug, "inputs": {}}]
    author.post(ADD, posted(data(steps=steps), name="Keyed"))
    (card,) = author.get(page(Workflow.objects.get(name="Keyed"))).context["cards"]
    assert card.keys == ["urgency", "topic"]


def test_nested_steps_take_no_more_queries(author, prompt, scope):
    def with_branches(count):
        steps = [branch_step([PROMPT | {"id": f"p{n}"}], id=f"w{n}") for n in range(count)]
        spec = WorkflowSpec.model_validate(data(steps=[fixed(step) for step in steps]))
        return factories.workflow(scope, spec=spec)

    def fixed(step):
        inner = [one | {"inputs": [{"name": "product", "value": "x"}]} for one in step["yes"]]
        return step | {"yes": inner}

    few, many = with_branches(3), with_branches(40)
    assert queries_of(author, page(many)) == queries_of(author, page(few))


def test_steps_too_deep_are_refused(author):
    step = text_step("t")
    for depth in range(40):
        step = loop_step(step, id=f"l{depth}", item=f"i{depth}")
    for answer in (author.post(ADD, posted(data(steps=[step]))), run(author, raw=data(steps=[step]))):
        assert answer.status_code == 422
        assert "too deep within one another" in answer.content.decode()
    inner = step
    for _ in range(34):
        inner = inner["steps"][0]
    answer = author.post(ADD, posted(data(steps=[inner])))
    assert answer.status_code == 422
    assert "at most 4 deep" in answer.content.decode()


# ---- whatever is posted: an answer that says what is wrong, never a 500

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def steps_of(depth):
    inner = st.lists(steps_of(depth - 1), max_size=2) | JUNK if depth else JUNK
    names = ("inputs", "conditions", "categories", "keys", "people", "failure", "parameters", "text", "prompt")
    fields = dict.fromkeys(names, JUNK)
    return st.fixed_dictionaries(
        {"type": st.sampled_from(STEP_SPECS.names()) | JUNK, "id": st.sampled_from("abc") | JUNK},
        optional=fields | {"yes": inner, "no": inner, "steps": inner, "disabled": JUNK, "item": JUNK, "title": JUNK},
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    raw=st.fixed_dictionaries(
        {"steps": st.lists(steps_of(2) | JUNK, max_size=3)},
        optional={"inputs": JUNK, "output": JUNK, "outputs": JUNK, "junk": JUNK},
    )
)
@pytest.mark.slow
def test_any_posted_steps_get_an_answer(author, scope, raw):
    assert author.post(ADD, posted(json.dumps(raw), name="Fuzz")).status_code in (302, 422)
    Workflow.objects.all().delete()
    assert author.post(RUN, {"spec": json.dumps(raw)}).status_code in (200, 422)


class TwiceStep(StepSpec):
    """Somebody else's, with steps of its own."""

    label = "Twice"
    icon = "exposure_plus_2"
    help = "Does the same steps two times."
    slot_titles = {"body": "Each time"}

    type: str = "twice"
    source: str = Field(default="", title="Works on", json_schema_extra={"choices_from": "variables"})
    body: list[AnyStep] = slot("Each time")

    def slots(self):
        return [Slot("body", "Each time", self.body)]

    def uses(self):
        return [(("source",), self.source)] if self.source else []


def test_somebody_else_s_step_with_steps_of_its_own_is_drawn_saved_and_told_like_ours(author, scope, monkeypatch):
    monkeypatch.setitem(STEP_SPECS._table, "twice", TwiceStep)
    html = author.get(ADD).content.decode()
    assert html.count("Add twice step") == 2  # below the steps, and in the chooser
    card = author.get(CARD, {"type": "twice"}).context["card"]
    assert [one.title for one in card.slots] == ["Each time"]
    assert "body" not in card.schema["properties"]
    assert card.schema["properties"]["source"]["choicesFrom"] == "variables"
    steps = [{"type": "twice", "id": "both", "source": "thing", "body": [text_step("t")]}]
    author.post(ADD, posted(data(steps=steps), name="Twice"))
    (card,) = author.get(page(Workflow.objects.get(name="Twice"))).context["cards"]
    assert shown(card.slots[0].cards) == [("template", "t", [])]
    steps[0]["body"] = [text_step("t", "{{nowhere}}")]
    refused = author.post(ADD, posted(data(steps=steps), name="Other"))
    assert refused.context["summary"] == ["Step 1.1, Text: Nothing before this step is called “nowhere”."]
