"""Keeping order from the studio: rename, folder and tags, duplicate, archive and restore."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from llm_admin.choices import Role
from llm_admin.exceptions import InvalidInput
from llm_admin.models import Prompt, Run
from llm_admin.services import documents, planning, shelf
from llm_admin.services.code import get_prompt, run_prompt
from tests import factories

PAGES = ("rename", "shelf", "archive", "rename_variable")
POSTS = ("rename", "shelf", "duplicate", "archive", "unarchive", "rename_variable")


def page(prompt, name="change"):
    return reverse(f"admin:llm_admin_prompt_{name}", args=[prompt.pk])


def now(prompt):
    return Prompt.objects.get(pk=prompt.pk)


def test_the_studio_offers_what_the_role_may_do(author, prompt, member, login):
    html = author.get(page(prompt)).content.decode()
    for name in (*POSTS[:4], "rename_variable", "delete"):
        assert page(prompt, name) in html, name
    seen = login(member(Role.VIEWER)).get(page(prompt)).content.decode()
    for name in POSTS:
        assert page(prompt, name) not in seen, name


@pytest.mark.parametrize("name", POSTS)
def test_viewers_are_refused_and_other_workspaces_find_nothing(prompt, member, login, name):
    assert login(member(Role.VIEWER)).post(page(prompt, name)).status_code == 403
    elsewhere = member(Role.ADMIN, where=factories.workspace())
    assert login(elsewhere).post(page(prompt, name)).status_code == 404
    assert now(prompt).archived_at is None
    assert Prompt.objects.count() == 1


@pytest.mark.parametrize("name", ["duplicate", "unarchive"])
def test_a_link_changes_nothing(author, prompt, name):
    assert author.get(page(prompt, name)).status_code == 405


# ---- rename


def test_a_new_name_and_short_name_and_the_old_ones_keep_working(author, prompt, system):
    asked = author.get(page(prompt, "rename")).content.decode()
    assert "keep working" in asked
    assert author.post(page(prompt, "rename"), {"name": "Forecast", "slug": "forecast"}).status_code == 302
    renamed = now(prompt)
    assert (renamed.name, renamed.slug) == ("Forecast", "forecast")
    assert get_prompt("forecast").document == get_prompt("weather").document == prompt
    other = factories.prompt(prompt.workspace, name="Weather")
    assert other.slug != "weather"  # it still means the first one


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "", "slug": "x"}, "Give the prompt a name"),
        ({"name": "TAKEN ", "slug": "weather"}, "already"),
        ({"name": "W", "slug": "Not A Slug"}, "small letters"),
        ({"name": "W", "slug": "taken"}, "is taken"),
        ({"name": "n" * 201, "slug": "x"}, "at most 200"),
    ],
)
def test_a_name_that_cannot_be_is_refused_at_its_field(author, prompt, given, said):
    factories.prompt(prompt.workspace, name="Taken")
    answer = author.post(page(prompt, "rename"), given)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert said in html
    assert 'aria-invalid="true"' in html
    assert "Back to “Weather”" in html
    assert (now(prompt).name, now(prompt).slug) == ("Weather", "weather")


# ---- folder and tags, duplicate


def test_folder_and_tags_are_put_and_taken_away(author, prompt, system):
    shelf.put_away(factories.prompt(prompt.workspace), actor=system, folder="Known", tags="known")
    html = author.get(page(prompt, "shelf")).content.decode()
    assert '<option value="Known">' in html
    assert 'data-tag="known"' in html
    author.post(page(prompt, "shelf"), {"folder": " A // B ", "tags": "x, X ,y"})
    assert now(prompt).folder == "A/B"
    assert [tag.name for tag in now(prompt).tags.all()] == ["X", "y"]
    assert "A/B" in author.get(page(prompt)).content.decode()
    author.post(page(prompt, "shelf"), {"folder": "", "tags": ""})
    assert now(prompt).folder == ""
    assert not now(prompt).tags.exists()


def test_a_folder_that_cannot_be_is_refused_and_nothing_typed_is_lost(author, prompt):
    answer = author.post(page(prompt, "shelf"), {"folder": "f" * 201, "tags": "kept, words"})
    assert answer.status_code == 422
    assert "kept, words" in answer.content.decode()
    assert not now(prompt).tags.exists()


def test_a_copy_has_the_newest_text_the_shelf_and_the_test_inputs(author, prompt, system):
    shelf.put_away(prompt, actor=system, folder="F", tags="t")
    prompt.tests.create(name="Rain", inputs={"topic": "rain"})
    answer = author.post(page(prompt, "duplicate"))
    copy = Prompt.objects.exclude(pk=prompt.pk).get()
    assert answer.url == page(copy)
    assert copy.name == "Weather (2)"
    assert documents.newest(copy).spec == documents.newest(prompt).spec
    assert (copy.folder, [tag.name for tag in copy.tags.all()]) == ("F", ["t"])
    assert [test.inputs for test in copy.tests.all()] == [{"topic": "rain"}]
    author.post(page(prompt, "duplicate"))
    assert Prompt.objects.filter(name="Weather (3)").exists()


# ---- archive


def test_archiving_first_says_who_uses_it(author, prompt, scope):
    factories.workflow(scope, name="Morning mail", spec=factories.workflow_spec(prompt.slug))
    html = author.get(page(prompt, "archive")).content.decode()
    assert "Morning mail" in html
    assert "Live (v1)" in html
    assert now(prompt).archived_at is None
    unused = factories.prompt(scope)
    assert "No workflow uses it" in author.get(page(unused, "archive")).content.decode()


def test_an_archived_prompt_says_so_and_is_restored(author, prompt):
    author.post(page(prompt, "archive"))
    assert now(prompt).archived_at
    assert now(prompt).archived_by.username == "ada"
    html = author.get(page(prompt)).content.decode()
    assert "This prompt is archived" in html
    assert page(prompt, "unarchive") in html
    author.post(page(prompt, "unarchive"))
    assert now(prompt).archived_at is None
    assert "This prompt is archived" not in author.get(page(prompt)).content.decode()


REFUSAL = "The prompt “Weather” is archived"


@pytest.fixture
def archived(prompt, system):
    get_prompt("weather")  # known to this process before
    shelf.archive(Prompt.objects.get(pk=prompt.pk), actor=system)
    return now(prompt)


def test_the_studio_refuses_to_run_it(author, archived):
    spec = json.dumps(factories.chat_spec().model_dump(mode="json"))
    data = {"prompt": archived.pk, "spec": spec, "input-topic": "rain", "client_key": "k"}
    answer = author.post(reverse("admin:llm_admin_prompt_try"), data)
    assert answer.status_code == 422
    assert REFUSAL in answer.content.decode()
    assert not Run.objects.exists()


def test_the_run_dialog_refuses_it_before_anything_is_filled_in(author, archived):
    address = reverse("admin:llm_admin_prompt_run_dialog")
    for answer in (author.get(address, {"pk": archived.pk}), author.post(address, {"pk": archived.pk})):
        assert answer.status_code == 422
        assert REFUSAL in answer.content.decode()
    assert not Run.objects.exists()


def test_code_and_the_command_refuse_it(archived):
    with pytest.raises(InvalidInput, match=REFUSAL):
        run_prompt("weather", {"topic": "rain"})
    with pytest.raises(CommandError, match=REFUSAL):
        call_command("run_prompt", "weather", "--var", "topic=rain")


def test_a_workflow_with_it_is_refused_at_its_step(archived, system, scope):
    spec = factories.workflow_spec("weather")
    with pytest.raises(InvalidInput, match=REFUSAL) as caught:
        planning.plan_workflow(actor=system, workflow=None, spec=spec, inputs={"topic": "x"}, source="studio")
    assert caught.value.problems[0].location == ("steps", 0, "prompt")
    shelf.unarchive(archived, actor=system)
    planning.plan_workflow(actor=system, workflow=None, spec=spec, inputs={"topic": "x"}, source="studio")


def test_what_was_archived_in_bulk_is_refused_at_once(prompt, system, django_capture_on_commit_callbacks):
    get_prompt("weather")  # known to this process, and forgotten when it is archived
    with django_capture_on_commit_callbacks(execute=True):
        assert shelf.archive_many(Prompt.objects.filter(pk=prompt.pk), actor=system, archived=True) == 1
    with pytest.raises(InvalidInput, match=REFUSAL):
        run_prompt("weather", {"topic": "rain"})
