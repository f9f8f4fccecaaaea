"""A variable's new name everywhere: the prompt's versions in use, its test inputs, the workflows that fill it in."""

from __future__ import annotations

import pytest

from llm_admin.choices import Role
from llm_admin.exceptions import Conflict, InvalidInput, PermissionRefused
from llm_admin.models import LIVE, Prompt, PromptVersion, WorkflowVersion
from llm_admin.runtime.prompts import fill_in
from llm_admin.runtime.steps.prompt import _inputs
from llm_admin.schemas.prompts import check_inputs
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import documents, labels, planning, prompts, shelf, variable_rename, workflows
from llm_admin.services.actors import Actor
from tests import factories


@pytest.fixture
def prompt(scope, system):
    """v1 old and unlabelled, v2 Live, v3 staging, v4 the newest; all use {{topic}}."""
    made = factories.prompt(scope, name="Weather", versions=4)
    documents.move_label(made, actor=system, label=LIVE, number=2)
    labels.move(made, actor=system, label="staging", number=3)
    return Prompt.objects.get(pk=made.pk)


def rename(prompt, actor, old="topic", new="place"):
    shown = variable_rename.plan(prompt, actor=actor, old=old, new=new)
    return variable_rename.apply(prompt, actor=actor, old=old, new=new, fingerprint=shown.fingerprint)


def text(prompt, **which):
    return documents.spec_of(documents.version_of(prompt, **which)).messages[-1].text


def workflow_of(scope, step, *, inputs=("topic",)):
    spec = {"inputs": [{"name": name} for name in inputs], "steps": [{"type": "prompt", "id": "p", **step}]}
    return factories.workflow(scope, spec=WorkflowSpec.model_validate(spec))


def messages(workflow, actor, values):
    """What its prompt step makes of the values, as a run would."""
    spec = documents.spec_of(documents.newest(type(workflow).objects.get(pk=workflow.pk)))
    plan = planning.resolve_prompts(actor, spec)["p"]
    return fill_in(plan.spec, check_inputs(plan.spec, _inputs(spec.steps[0], plan, values)))


def test_labels_move_to_new_versions_that_say_the_same_with_the_new_name(prompt, system):
    rename(prompt, system)
    assert prompt.last_number == 7
    assert text(prompt) == "Version 2 about {{place}}."
    assert text(prompt, label="staging") == "Version 3 about {{place}}."
    assert text(prompt, number=7) == "Version 4 about {{place}}."
    event = prompt.label_events.filter(name=LIVE).first()
    assert (event.from_number, event.to_number) == (2, 5)
    assert "place" in event.reason


def test_versions_from_before_stay_as_they_are(prompt, system):
    before = list(PromptVersion.objects.order_by("number").values("number", "spec", "note"))
    rename(prompt, system)
    assert (
        list(PromptVersion.objects.filter(number__lte=4).order_by("number").values("number", "spec", "note")) == before
    )


def test_the_plan_changes_nothing(prompt, system):
    shown = variable_rename.plan(prompt, actor=system, old="topic", new="place")
    assert [(one.number, one.labels) for one in shown.versions] == [(2, [LIVE]), (3, ["staging"]), (4, [])]
    assert PromptVersion.objects.count() == 4


def test_test_inputs_come_along_and_a_leftover_does_not_win(prompt, system):
    prompt.tests.create(name="Rain", inputs={"topic": "rain", "place": "leftover", "other": 1})
    prompt.tests.create(name="None", inputs={"other": 1})
    rename(prompt, system)
    assert list(prompt.tests.values_list("inputs", flat=True)) == [{"place": "rain", "other": 1}, {"other": 1}]


@pytest.mark.parametrize(
    "step", [{}, {"inputs": [{"name": "topic", "value": "{{topic}} today"}]}, {"prompt_label": "staging"}]
)
def test_a_workflow_gives_the_same_messages_afterwards(prompt, system, scope, step):
    workflow = workflow_of(scope, {"prompt": "weather", **step})
    before = messages(workflow, system, {"topic": "rain"})
    assert "rain" in before[-1]["content"]
    made = rename(prompt, system)
    assert made.workflows == [workflow]
    assert messages(workflow, system, {"topic": "rain"}) == before
    assert documents.version_of(workflow).number == 2  # its Live moved along


def test_a_workflow_with_an_old_short_name_is_found(prompt, system, scope):
    workflow = workflow_of(scope, {"prompt": "weather"})
    shelf.rename(prompt, actor=system, name="Forecast", slug="forecast")
    assert rename(prompt, system).workflows == [workflow]
    assert "rain" in messages(workflow, system, {"topic": "rain"})[-1]["content"]


def test_each_version_of_a_workflow_in_use_changes(prompt, system, scope):
    workflow = workflow_of(scope, {"prompt": "weather"})
    draft = WorkflowSpec.model_validate(
        {"inputs": [{"name": "where"}], "steps": [
            {"type": "prompt", "id": "p", "prompt": "weather", "inputs": [{"name": "topic", "value": "{{where}}"}]}]}
    )  # fmt: skip
    workflows.save_version(workflow, actor=system, spec=draft)
    rename(prompt, system)
    live, newest = documents.version_of(workflow), documents.newest(type(workflow).objects.get(pk=workflow.pk))
    assert (live.number, newest.number) == (3, 4)
    assert live.spec["steps"][0]["inputs"] == [{"name": "place", "value": "{{topic}}"}]
    assert newest.spec["steps"][0]["inputs"] == [{"name": "place", "value": "{{where}}"}]


def test_a_workflow_that_follows_a_version_without_the_variable_stays(scope, system):
    prompt = factories.prompt(scope, name="Plain", spec=factories.chat_spec("Nothing to fill in."))
    prompts.save_version(prompt, actor=system, spec=factories.chat_spec("Draft about {{topic}}."))
    workflow = workflow_of(scope, {"prompt": "plain"})
    assert rename(prompt, system).workflows == []
    assert WorkflowVersion.objects.filter(workflow=workflow).count() == 1


def test_a_workflow_that_does_not_use_it_stays(prompt, system, scope):
    other = factories.prompt(scope, name="Other")
    workflow_of(scope, {"prompt": other.slug})
    assert rename(prompt, system).workflows == []


def test_an_f_string_prompt_keeps_its_formats_and_braces(scope, system):
    spec = factories.chat_spec('{{"a": {n:>5}, "b": {n!r}}} {m}', system_text="", syntax="f-string")
    prompt = factories.prompt(scope, spec=spec)
    rename(prompt, system, "n", "count")
    assert text(prompt) == '{{"a": {count:>5}, "b": {count!r}}} {m}'


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("nothing", "x", "old"), ("topic", "", "new"), ("topic", "two words", "new"), ("topic", "1st", "new"),
        ("topic", "x" * 61, "new"), ("topic", "other", "new"), ("topic", "topic", "new"), ("topic", "history", "new"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_is_refused_at_its_field(scope, system, old, new, place):
    spec = factories.chat_spec("{{topic}} {{other}}")
    spec = spec.model_validate(
        spec.model_dump() | {"messages": [*spec.model_dump()["messages"], {"role": "placeholder", "name": "history"}]}
    )
    prompt = factories.prompt(scope, spec=spec)
    with pytest.raises(InvalidInput) as caught:
        variable_rename.plan(prompt, actor=system, old=old, new=new)
    assert caught.value.problems[0].location == (place,)


def test_a_name_that_is_taken_in_a_version_in_use_is_refused_and_named(scope, system):
    prompt = factories.prompt(scope, spec=factories.chat_spec("{{topic}} {{place}}"))
    prompts.save_version(prompt, actor=system, spec=factories.chat_spec("{{topic}}"))
    with pytest.raises(InvalidInput, match="In v1: “place” is taken"):
        variable_rename.plan(prompt, actor=system, old="topic", new="place")


def test_a_jinja2_prompt_is_to_be_converted_first(scope, system):
    prompt = factories.prompt(scope, spec=factories.chat_spec("{{ topic }}", syntax="jinja2"))
    with pytest.raises(InvalidInput, match="Convert"):
        variable_rename.plan(prompt, actor=system, old="topic", new="place")


def test_what_changed_since_is_a_conflict_and_nothing_happens(prompt, system, scope):
    shown = variable_rename.plan(prompt, actor=system, old="topic", new="place")
    workflow_of(scope, {"prompt": "weather"})
    count = PromptVersion.objects.count()
    with pytest.raises(Conflict):
        variable_rename.apply(prompt, actor=system, old="topic", new="place", fingerprint=shown.fingerprint)
    assert PromptVersion.objects.count() == count


def test_a_version_saved_by_somebody_else_in_between_is_a_conflict(prompt, system):
    shown = variable_rename.plan(prompt, actor=system, old="topic", new="place")
    prompts.save_version(Prompt.objects.get(pk=prompt.pk), actor=system, spec=factories.chat_spec("New {{topic}}"))
    with pytest.raises(Conflict):  # although `prompt` here is a row from before
        variable_rename.apply(prompt, actor=system, old="topic", new="place", fingerprint=shown.fingerprint)


def test_all_or_nothing_when_a_save_in_the_middle_fails(prompt, system, scope, monkeypatch):
    workflow = workflow_of(scope, {"prompt": "weather"})
    prompt.tests.create(name="Rain", inputs={"topic": "rain"})
    shown = variable_rename.plan(prompt, actor=system, old="topic", new="place")
    real = documents.save_version

    def failing(document, **details):
        if document == workflow:
            raise InvalidInput("The disk is full.")
        return real(document, **details)

    monkeypatch.setattr(documents, "save_version", failing)
    with pytest.raises(InvalidInput):
        variable_rename.apply(prompt, actor=system, old="topic", new="place", fingerprint=shown.fingerprint)
    again = Prompt.objects.get(pk=prompt.pk)
    assert again.last_number == 4
    assert documents.version_of(again).number == 2
    assert PromptVersion.objects.count() == 4
    assert again.tests.get().inputs == {"topic": "rain"}


def test_rights_are_needed_for_the_prompt_and_for_a_protected_label(prompt, system, scope, member):
    with pytest.raises(PermissionRefused):
        variable_rename.plan(prompt, actor=Actor(scope, member(Role.VIEWER), Role.VIEWER), old="topic", new="place")
    scope.protected_labels = "Live"
    scope.save()
    with pytest.raises(PermissionRefused):
        rename(prompt, Actor(scope, member(Role.AUTHOR), Role.AUTHOR))
    assert Prompt.objects.get(pk=prompt.pk).last_number == 4


def test_the_newest_text_of_a_workflow_stays_the_newest_though_only_its_live_one_changes(prompt, scope, system):
    workflow = workflow_of(scope, {"prompt": prompt.slug})
    other = {"inputs": [{"name": "topic"}], "steps": [{"type": "llm", "id": "b", "text": "Newest {{topic}}"}]}
    workflows.save_version(workflow, actor=system, spec=WorkflowSpec.model_validate(other))
    rename(prompt, system)
    newest = documents.newest(type(workflow).objects.get(pk=workflow.pk))
    assert documents.spec_of(newest).steps[0].text == "Newest {{topic}}"
    live = documents.spec_of(documents.version_of(workflow, label=LIVE))
    assert [mapping.name for mapping in live.steps[0].inputs] == ["place"]
