"""Folders, tags, names, copies, the archive; and the search text that follows all of them."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from llm_admin.choices import Role
from llm_admin.exceptions import InvalidInput, PermissionRefused
from llm_admin.models import Prompt, PromptText, Tag
from llm_admin.services import documents, library, prompts, search_texts, shelf
from llm_admin.services.actors import Actor
from llm_admin.services.families import PROMPTS
from tests import factories


@pytest.mark.parametrize(
    ("given", "kept"), [("", ""), (" / ", ""), (" a / b/", "a/b"), ("a  b", "a b"), ("//a///b", "a/b"), ("/", "")]
)
def test_a_folder_is_cleaned(given, kept):
    assert shelf.clean_folder(given) == kept


def test_tags_are_each_kept_once_and_not_too_long_nor_too_many():
    assert shelf.clean_tags(" a , A,  b  c ,, ") == ["A", "b c"]
    with pytest.raises(InvalidInput, match="at most 50 characters"):
        shelf.clean_tags("x" * 51)
    with pytest.raises(InvalidInput, match="At most 20"):
        shelf.clean_tags(map(str, range(21)))


def test_tags_of_many_are_added_once_each_in_few_queries(scope, system):
    made = [factories.prompt(scope) for _ in range(30)]
    shelf.put_away(made[0], actor=system, tags="Old")
    with CaptureQueriesContext(connection) as captured:
        assert shelf.add_tags_many(Prompt.objects.all(), actor=system, tags="old, new") == 30
    assert len(captured) <= 20
    assert Tag.objects.count() == 2
    assert {prompt.tags.count() for prompt in made} == {2}
    for row in PromptText.objects.all():
        assert {"old", "new"} <= set(row.text.split("\n"))
    shelf.add_tags_many(Prompt.objects.all(), actor=system, tags="old")
    assert {prompt.tags.count() for prompt in made} == {2}


def test_viewers_may_do_nothing(scope, member):
    prompt, viewer = factories.prompt(scope), Actor(scope, member(Role.VIEWER), Role.VIEWER)
    rows = Prompt.objects.all()
    for attempt in (
        lambda: shelf.put_away(prompt, actor=viewer, folder="x"),
        lambda: shelf.archive(prompt, actor=viewer),
        lambda: shelf.rename(prompt, actor=viewer, name="x"),
        lambda: shelf.duplicate(prompt, actor=viewer),
        lambda: shelf.move_many(rows, actor=viewer, folder="x"),
        lambda: shelf.archive_many(rows, actor=viewer, archived=True),
        lambda: shelf.add_tags_many(rows, actor=viewer, tags="x"),
    ):
        with pytest.raises(PermissionRefused):
            attempt()


def test_moving_and_archiving_is_no_edit(scope, system):
    prompt = factories.prompt(scope)
    before = Prompt.objects.get().updated_at
    shelf.put_away(prompt, actor=system, folder="x", tags="y")
    shelf.archive(prompt, actor=system)
    shelf.archive(prompt, actor=system)
    assert Prompt.objects.get().updated_at == before


def test_a_workflow_is_put_away_and_copied_too(scope, system):
    workflow = factories.workflow(scope, name="Flow")
    shelf.put_away(workflow, actor=system, folder="x", tags="y")
    copy = shelf.duplicate(workflow, actor=system)
    assert (copy.name, copy.folder, [tag.name for tag in copy.tags.all()]) == ("Flow (2)", "x", ["y"])


# ---- what the search looks through


def test_the_search_text_is_always_what_it_would_be_made_anew(scope, system):
    prompt = factories.prompt(scope, name="Größe", versions=2)
    shelf.put_away(prompt, actor=system, tags="Tag")
    documents.move_label(prompt, actor=system, label="production", number=2)
    prompts.save_version(prompt, actor=system, spec=factories.chat_spec("THIRD"))
    stale = Prompt.objects.get(pk=prompt.pk)
    shelf.rename(prompt, actor=system, name="Neu", slug="neu")
    text = PromptText.objects.get(prompt=prompt).text
    assert text == search_texts.text_of(Prompt.objects.get(pk=prompt.pk))
    assert {"neu", "tag", "third", "version 2 about {{topic}}."} <= set(text.split("\n"))
    assert stale.name == "Größe"


def test_imports_keep_it_too(scope, system):
    library.import_demo(system)
    assert PromptText.objects.count() == Prompt.objects.count() > 0
    for row in PromptText.objects.all():
        assert sorted(row.text.split("\n")) == sorted(search_texts.text_of(row.prompt).split("\n"))


def test_making_a_prompt_takes_few_queries(scope, system):
    factories.prompt(scope)
    with CaptureQueriesContext(connection) as captured:
        documents.create(PROMPTS, actor=system, name="One more", spec=factories.chat_spec())
    statements = [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
    assert len(statements) <= 18, "\n".join(statements)
