"""Names, descriptions and notes: two people at once, old names, and what no database holds."""

from __future__ import annotations

import pytest

from llm_admin.exceptions import InvalidInput, NotFound
from llm_admin.models import Prompt, PromptText
from llm_admin.schemas import step_diffs
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import documents, labels, prompts, shelf
from tests import factories

LIGATURE = "\ufdfa"  # one letter, of which eighteen are its name_key


def again(prompt):
    return Prompt.objects.get(pk=prompt.pk)


def test_a_rename_leaves_alone_what_somebody_else_changed_meanwhile(scope, system):
    prompt = factories.prompt(scope, name="Before")
    mine, theirs = again(prompt), again(prompt)
    prompts.save_version(theirs, actor=system, spec=factories.chat_spec("New {{topic}}"))
    shelf.put_away(theirs, actor=system, folder="Theirs")
    shelf.archive(theirs, actor=system)
    shelf.rename(mine, actor=system, name="After")
    now = again(prompt)
    assert (now.name, now.last_number, now.folder, bool(now.archived_at)) == ("After", 2, "Theirs", True)
    assert prompts.save_version(now, actor=system, spec=factories.chat_spec("Third {{topic}}")).number == 3


def test_two_renames_at_once_leave_both_old_names_as_aliases(scope, system):
    prompt = factories.prompt(scope, name="First")
    mine, theirs = again(prompt), again(prompt)
    shelf.rename(theirs, actor=system, name="Second", slug="second")
    shelf.rename(mine, actor=system, name="Third", slug="third")
    for slug in ("first", "second", "third"):
        assert prompts.get(actor=system, slug=slug) == prompt


def test_code_still_finds_a_prompt_by_its_old_short_name_when_its_old_name_is_given_anew(scope, system):
    prompt = factories.prompt(scope, name="Old")
    shelf.rename(prompt, actor=system, name="New", slug="new")
    other = factories.prompt(scope, name="Old")
    assert prompts.get(actor=system, slug="old") == prompt
    assert other.slug != "old"


@pytest.mark.parametrize("name", [LIGATURE * 200, "a\x00b", "x" * 201])
def test_a_name_that_no_database_holds_is_refused_at_its_field(scope, system, name):
    prompt = factories.prompt(scope, name="Name")
    for attempt in (
        lambda: shelf.rename(prompt, actor=system, name=name),
        lambda: prompts.create(actor=system, name=name, spec=factories.chat_spec()),
    ):
        with pytest.raises(InvalidInput) as refused:
            attempt()
        assert refused.value.problems[0].location == ("name",)


@pytest.mark.parametrize("description", ["a\x00b", "x" * 501])
def test_a_description_that_no_database_holds_is_refused_at_its_field(scope, system, description):
    prompt = factories.prompt(scope, name="Name")
    for attempt in (
        lambda: prompts.change(prompt, actor=system, name="Name", description=description),
        lambda: prompts.create(actor=system, name="B", spec=factories.chat_spec(), description=description),
    ):
        with pytest.raises(InvalidInput) as refused:
            attempt()
        assert refused.value.problems[0].location == ("description",)
    assert again(prompt).description == ""


def test_notes_and_reasons_with_nul_are_refused(scope, system):
    prompt = factories.prompt(scope, versions=2)
    for field, attempt in (
        ("note", lambda: prompts.save_version(prompt, actor=system, spec=factories.chat_spec("x"), note="\x00")),
        ("note", lambda: prompts.create(actor=system, name="B", spec=factories.chat_spec(), note="\x00")),
        ("reason", lambda: labels.move(prompt, actor=system, label="staging", number=1, reason="\x00")),
        ("reason", lambda: labels.remove(prompt, actor=system, label="production", reason="\x00")),
    ):
        with pytest.raises(InvalidInput) as refused:
            attempt()
        assert refused.value.problems[0].location == (field,)
    assert again(prompt).last_number == 2
    with pytest.raises(NotFound):
        documents.version_of(prompt, label="staging")


@pytest.mark.parametrize("text", ["a\x00b", LIGATURE * 50])
def test_a_tag_or_folder_that_no_database_holds_is_refused(scope, system, text):
    prompt = factories.prompt(scope)
    with pytest.raises(InvalidInput) as refused:
        shelf.put_away(prompt, actor=system, tags=text)
    assert refused.value.problems[0].location == ("tags",)
    if "\x00" in text:
        with pytest.raises(InvalidInput) as refused:
            shelf.put_away(prompt, actor=system, folder=text)
        assert refused.value.problems[0].location == ("folder",)


def test_a_text_that_is_live_no_more_is_not_found_by_the_search(scope, system):
    prompt = factories.prompt(scope, spec=factories.chat_spec("Onlyfirst {{topic}}"), versions=2)
    assert "onlyfirst" in PromptText.objects.get(prompt=prompt).text
    labels.remove(prompt, actor=system, label="production")
    assert "onlyfirst" not in PromptText.objects.get(prompt=prompt).text


def test_a_rename_keeps_the_short_name_and_description_that_somebody_else_gave_meanwhile(scope, system):
    prompt = factories.prompt(scope, name="Before")
    mine, theirs = again(prompt), again(prompt)
    prompts.change(theirs, actor=system, name="Before", description="Theirs")
    shelf.rename(theirs, actor=system, name="Before", slug="theirs")
    shelf.rename(mine, actor=system, name="After")
    now = again(prompt)
    assert (now.name, now.slug, now.description) == ("After", "theirs", "Theirs")


def test_the_order_in_which_a_prompt_is_filled_is_no_change():
    def spec(*names):
        filled = [{"name": name, "value": "x"} for name in names]
        steps = [{"type": "llm", "id": "answer", "prompt": "greeting", "inputs": filled}]
        return WorkflowSpec.model_validate({"inputs": [], "steps": steps})

    assert documents.same(spec("a", "b"), spec("b", "a"))
    assert not documents.same(spec("a", "b"), spec("a", "c"))
    assert step_diffs.changes(spec("a", "b"), spec("b", "a")) == []
