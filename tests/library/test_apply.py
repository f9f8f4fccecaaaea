"""A plan is carried out through the services, at once or not at all."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from llm_admin.choices import Role
from llm_admin.exceptions import Conflict, InvalidInput, PermissionRefused
from llm_admin.models import LIVE, Prompt, PromptLabelEvent, PromptVersion, Workflow
from llm_admin.schemas.prompts import MessageSpec, PromptSpec, text_spec
from llm_admin.schemas.variables import VariableSpec
from llm_admin.services import actors, documents, library, prompts
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.library.files import csv_file, entry, library_file, version


@pytest.fixture
def author(workspace, member):
    return actors.Actor(workspace, member(), Role.AUTHOR)


def test_who_imported_is_recorded(load, author, scope):
    load(("A", "a"), actor=author)
    made = Prompt.objects.get()
    assert {made.created_by, made.versions.get().created_by, made.label_events.get().actor} == {author.user}
    assert made.versions.get().note == "Imported from list.csv"


def test_an_entry_with_versions_notes_and_labels(load, shelf, scope):
    data = library_file(
        entry("A", "one", "two", "three", slug="my-a", description="d", labels={"production": 2, "next": 3})
    )
    load(data)
    made = Prompt.objects.get()
    assert shelf() == {"A": ["one", "two*", "three"]}
    assert (made.slug, made.description) == ("my-a", "d")
    assert [row.note for row in made.versions.order_by("number")] == ["note 1", "note 2", "note 3"]
    assert dict(made.labels.values_list("name", "version__number")) == {LIVE: 2, "next": 3}


def test_gaps_in_the_numbers_are_closed(load, shelf):
    data = {"name": "A", "labels": {"production": 9}, "versions": [version(4, "old"), version(9, "new")]}
    load(library_file(data))
    assert shelf() == {"A": ["old", "new*"]}


def test_only_what_is_missing_is_added_to_a_known_prompt(load, shelf):
    load(library_file(entry("A", "one", "two")))
    load(library_file(entry("A", "one", "two", "three", "four", labels={"production": 4})))
    assert shelf() == {"A": ["one*", "two", "three", "four"]}


def test_older_versions_are_not_put_on_top(load, plan, shelf):
    load(library_file(entry("A", "three")))
    data = library_file(entry("A", "one", "two", "three"))
    assert plan(data).items[0].notices == ["2 older versions of the file are not here; they are not added."]
    assert load(data) == (0, 0, 1)


def test_a_bare_text_keeps_what_the_prompt_says_besides(load, workspace, scope):
    spec = PromptSpec(
        kind="text",
        messages=[MessageSpec(text="About {{topic}} and {{gone}}")],
        variables=[VariableSpec(name="topic", label="The topic", default="rain"), VariableSpec(name="gone")],
        model="demo",
    )
    made = factories.prompt(workspace, name="A", spec=spec)
    load(("A", "Rather on {{topic}}, {{new}}"))
    newest = documents.spec_of(documents.version_of(made, number=2))
    assert newest.texts == ["Rather on {{topic}}, {{new}}"]
    assert [(v.name, v.label, v.default) for v in newest.variables] == [("topic", "The topic", "rain"), ("new", "", "")]
    assert newest.model == "demo"


def test_a_bare_text_equals_a_chat_of_one_message(load, workspace, scope):
    factories.prompt(workspace, name="A", spec=factories.chat_spec("Hello", system_text=""))
    assert load(("A", "Hello")) == (0, 0, 1)


def test_problems_save_nothing(plan, system, scope):
    with pytest.raises(InvalidInput, match="Row 3"):
        library.apply(plan(csv_file(("A", "a"), ("", "b"))), actor=system)
    assert not Prompt.objects.exists()


def test_a_failure_in_the_middle_saves_nothing(plan, system, scope, monkeypatch):
    """Somebody else takes the second name between plan and apply."""
    made = plan(csv_file(("A", "a"), ("B", "b"), ("C", "c")))
    factories.prompt(system.workspace, name="b")
    with pytest.raises(InvalidInput, match="called “B” already"):
        library.apply(made, actor=system)
    assert [prompt.name for prompt in Prompt.objects.all()] == ["b"]


def test_an_edit_in_between_is_a_conflict(plan, load, system, scope):
    load(("A", "a"))
    made = plan(csv_file(("B", "b"), ("A", "other")))
    prompts.save_version(Prompt.objects.get(), actor=system, spec=text_spec("mine"))
    with pytest.raises(Conflict):
        library.apply(made, actor=system)
    assert Prompt.objects.count() == 1


def test_what_was_confirmed_is_what_is_done(plan, system, load, scope):
    data = csv_file(("A", "a"))
    seen = plan(data).fingerprint
    assert plan(data).fingerprint == seen
    load(("A", "somebody else's"))
    with pytest.raises(Conflict, match="changed since you saw this preview"):
        library.apply(plan(data), actor=system, confirmed=seen)


def test_a_viewer_may_not(plan, workspace, member):
    viewer = actors.Actor(workspace, member(Role.VIEWER), Role.VIEWER)
    with pytest.raises(PermissionRefused):
        plan(csv_file(("A", "a")), actor=viewer)


def test_the_permission_is_asked_again_when_applying(plan, system, workspace, member):
    viewer = actors.Actor(workspace, member(Role.VIEWER), Role.VIEWER)
    with pytest.raises(PermissionRefused):
        library.apply(plan(csv_file(("A", "a"))), actor=viewer)


def test_another_workspace_is_another_library(load, shelf, system):
    elsewhere = actors.system(factories.workspace())
    load(("A", "theirs"), actor=elsewhere)
    assert load(("A", "ours")) == (1, 0, 0)
    assert shelf() == {"A": ["ours*"]}
    with workspace_scope(elsewhere.workspace):
        assert PromptVersion.objects.get().spec["messages"][0]["text"] == "theirs"


def test_a_key_in_a_text_is_refused_with_its_place(plan):
    key = "sk-proj-" + "a1B2c3D4e5F6g7H8" * 3
    rows = csv_file(("A", "fine"), ("B", f"Use {key} please"), header=("act", "prompt"))
    [problem] = plan(rows).problems
    assert str(problem).startswith("Row 3 › column “prompt”: This text holds")
    assert key not in str(problem)
    [problem] = plan(library_file(entry("A", "fine", f"Use {key}"))).problems
    assert str(problem).startswith("Prompt “A” › v2 › messages › 1 › text: This text holds")


def test_short_names(load, plan, scope):
    load(csv_file(("First", "a", "mine"), header=("name", "text", "slug")))
    data = csv_file(("Second", "b", "mine"), ("Third", "c", ""), ("第三", "d", ""), header=("name", "text", "slug"))
    assert plan(data).items[0].notices == ["The short name “mine” is taken here; this one becomes “mine-2”."]
    load(data)
    assert dict(Prompt.objects.values_list("name", "slug")) == {
        "First": "mine",
        "Second": "mine-2",
        "Third": "third",
        "第三": "prompt",
    }


def test_a_model_that_is_not_here_is_told(plan):
    data = csv_file(("A", "a", "gpt-9"), ("B", "b", "demo"), header=("name", "text", "model"))
    assert [item.notices for item in plan(data).items] == [["It uses the model “gpt-9”, which is not here."], []]


def test_the_description_here_is_kept(load, plan):
    header = ("name", "text", "description")
    load(csv_file(("A", "a", "ours"), header=header))
    assert plan(csv_file(("A", "a", "theirs"), header=header)).items[0].notices == ["The description here is kept."]


def workflow_entry(prompt: str, name: str = "W") -> dict:
    steps = [{"type": "prompt", "id": "m", "prompt": prompt}, {"type": "llm", "id": "a", "messages_from": "m"}]
    return {"name": name, "versions": [{"number": 1, "spec": {"steps": steps}}]}


def test_workflows_follow_their_prompts_to_other_short_names(load, scope):
    load(csv_file(("Occupant", "x", "brief"), header=("name", "text", "slug")))
    data = library_file(entry("Brief", "text", slug="brief"), workflows=(workflow_entry("brief"),))
    assert load(data) == (2, 0, 0)
    spec = documents.spec_of(documents.newest(Workflow.objects.get()))
    assert spec.steps[0].prompt == "brief-2" == Prompt.objects.get(name="Brief").slug
    assert load(data) == (0, 0, 2)


def test_a_workflow_whose_prompt_is_nowhere_is_told(plan):
    assert plan(library_file(workflows=(workflow_entry("lost"),))).items[0].notices == [
        "It uses the prompt “lost”, which is not here."
    ]


@pytest.mark.slow
def test_planning_takes_the_same_queries_however_much_is_there(plan, system, scope):
    data = library_file(
        *(entry(f"P{number}", "new", slug=f"p{number}") for number in range(30)), workflows=(workflow_entry("p1"),)
    )
    counted = []
    for total in (3, 300):
        for number in range(Prompt.objects.count(), total):
            factories.prompt(system.workspace, name=f"P{number}")
        plan(data)  # whatever is cached
        with CaptureQueriesContext(
            connection,
        ) as queries:
            plan(data)
        counted.append(len(queries))
    assert counted[0] == counted[1]
    assert counted[0] <= 8


def test_label_events_say_where_it_came_from(load, scope):
    load(library_file(entry("A", "one", "two", labels={"production": 2})))
    assert [event.reason for event in PromptLabelEvent.objects.order_by("pk")] == [
        "First version",
        "Imported from list.csv",
    ]
