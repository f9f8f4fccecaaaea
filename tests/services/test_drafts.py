"""What is kept of unsaved work, what is refused, and who sees what of it (nobody else: anything)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from llm_admin.choices import Role
from llm_admin.exceptions import Conflict, InvalidInput, PermissionRefused
from llm_admin.models import PromptDraft
from llm_admin.services import drafts
from llm_admin.services.actors import Actor
from tests import factories

KEY = "sk-proj-Drafts0123456789abcdefghijklmnopqrstuv"


@pytest.fixture
def prompt(scope):
    return factories.prompt(scope)


@pytest.fixture
def actor(scope, member):
    def make(role=Role.AUTHOR, name=""):
        return Actor(scope, member(role, name), role)

    return make


def content(text="Hello", **more):
    return {"spec": {"messages": [{"role": "user", "text": text}]}, "name": "N", "description": ""} | more


def kept(prompt, actor):
    row = drafts.mine(prompt, actor=actor)
    return row and row.content["spec"]["messages"][0]["text"]


def test_a_draft_is_kept_replaced_and_discarded(prompt, actor):
    ada = actor()
    drafts.keep(prompt, actor=ada, content=content("one"), based_on=1, tab="a")
    at = drafts.keep(prompt, actor=ada, content=content("two"), based_on=1, tab="a")
    row = drafts.mine(prompt, actor=ada)
    assert (kept(prompt, ada), row.based_on, row.changed_at) == ("two", 1, at)
    drafts.discard(prompt, actor=ada, tab="a")
    assert drafts.mine(prompt, actor=ada) is None
    assert PromptDraft.objects.get().content is None


def test_a_new_prompts_draft_is_apart_from_those_of_prompts(prompt, actor):
    ada = actor()
    drafts.keep(None, actor=ada, content=content("new"), based_on=0, tab="a")
    drafts.keep(prompt, actor=ada, content=content("old"), based_on=1, tab="b")
    assert (kept(None, ada), kept(prompt, ada)) == ("new", "old")
    drafts.discard(None, actor=ada)
    assert (kept(None, ada), kept(prompt, ada)) == (None, "old")


def test_two_tabs_never_overwrite_one_another(prompt, actor):
    ada = actor()
    drafts.keep(prompt, actor=ada, content=content("first"), based_on=1, tab="a")
    with pytest.raises(Conflict):
        drafts.keep(prompt, actor=ada, content=content("second"), based_on=1, tab="b")
    drafts.discard(prompt, actor=ada, tab="b")
    assert kept(prompt, ada) == "first"
    drafts.keep(prompt, actor=ada, content=content("second"), based_on=1, tab="b", over=True)
    assert kept(prompt, ada) == "second"


def test_what_is_forgotten_after_thirty_days_is_in_nobodys_way(prompt, actor):
    ada = actor()
    drafts.keep(prompt, actor=ada, content=content("old"), based_on=1, tab="a")
    PromptDraft.objects.update(changed_at=timezone.now() - timedelta(days=31))
    assert drafts.mine(prompt, actor=ada) is None
    drafts.keep(prompt, actor=ada, content=content("new"), based_on=1, tab="b")
    assert kept(prompt, ada) == "new"


def test_a_key_is_refused_at_its_place_and_never_stored(prompt, actor):
    ada = actor()
    drafts.keep(prompt, actor=ada, content=content("without"), based_on=1, tab="a")
    with pytest.raises(InvalidInput) as caught:
        drafts.keep(prompt, actor=ada, content=content(f"The key is {KEY}."), based_on=1, tab="a")
    assert caught.value.problems[0].location == ("spec", "messages", 0, "text")
    assert kept(prompt, ada) == "without"
    with pytest.raises(InvalidInput):
        drafts.keep(prompt, actor=ada, content=content(description=KEY), based_on=1, tab="a")
    assert KEY not in json.dumps(list(PromptDraft.objects.values_list("content", flat=True)))


def deep():
    value = []
    for _ in range(500):
        value = [value]
    return value


@pytest.mark.parametrize(
    "bad", [content("x" * drafts.LARGEST), content("\x00"), content("\ud83d"), content(more=deep())],
    ids=["large", "nul", "half a character", "deep"],
)  # fmt: skip
def test_what_cannot_be_stored_is_refused_with_a_sentence(prompt, actor, bad):
    with pytest.raises(InvalidInput):
        drafts.keep(prompt, actor=actor(), content=bad, based_on=1, tab="a")
    assert PromptDraft.objects.count() == 0


def test_a_viewer_keeps_nothing_and_is_not_here(prompt, actor):
    viewer = actor(Role.VIEWER)
    for refused in (
        lambda: drafts.keep(prompt, actor=viewer, content=content(), based_on=1),
        lambda: drafts.keep(None, actor=viewer, content=content(), based_on=0),
        lambda: drafts.seen(prompt, actor=viewer),
    ):
        with pytest.raises(PermissionRefused):
            refused()
    assert PromptDraft.objects.count() == 0


def test_others_are_seen_while_they_are_here_but_not_what_they_wrote(prompt, actor):
    ada, ben = actor(name="ada"), actor(Role.ADMIN, "ben")
    drafts.seen(prompt, actor=ada)
    drafts.seen(prompt, actor=ada)
    assert [(e.name, e.changed) for e in drafts.others(prompt, actor=ben)] == [("ada", False)]
    drafts.keep(prompt, actor=ada, content=content("Secret plan"), based_on=1, tab="a")
    (seen,) = drafts.others(prompt, actor=ben)
    assert (seen.name, seen.changed) == ("ada", True)
    assert "Secret plan" not in repr(seen)
    assert drafts.mine(prompt, actor=ben) is None
    assert drafts.others(prompt, actor=ada) == []
    drafts.leave(prompt, actor=ada)
    assert drafts.others(prompt, actor=ben) == []
    assert kept(prompt, ada) == "Secret plan"


def test_who_does_not_report_is_gone_after_a_while(prompt, actor):
    ada, ben = actor(), actor()
    drafts.seen(prompt, actor=ada)
    PromptDraft.objects.update(seen_at=timezone.now() - timedelta(seconds=drafts.SEEN_SECONDS + 1))
    assert drafts.others(prompt, actor=ben) == []


def test_a_draft_of_one_workspace_is_not_that_of_another(scope, actor):
    ada = actor()
    elsewhere = Actor(factories.workspace(), ada.user, Role.AUTHOR)
    drafts.keep(None, actor=ada, content=content("here"), based_on=0, tab="a")
    assert kept(None, elsewhere) is None


def test_the_ticker_forgets_what_nobody_came_back_to(prompt, actor):
    ada, ben = actor(name="ada"), actor(name="ben")
    drafts.keep(prompt, actor=ada, content=content("old"), based_on=1, tab="a")
    drafts.keep(prompt, actor=ben, content=content("new"), based_on=1, tab="b")
    PromptDraft.objects.filter(user=ada.user).update(seen_at=timezone.now() - timedelta(days=31))
    drafts.forget_old()
    assert [row.user for row in PromptDraft.objects.all()] == [ben.user]
