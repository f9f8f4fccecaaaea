"""The list of prompts: what it shows of each, its folders, filters and search, and what is done with several."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from llm_admin.choices import Role
from llm_admin.models import InteractionLog, Prompt
from llm_admin.services import catalogue, documents, labels, prompts, shelf
from tests import factories

LIST = reverse("admin:llm_admin_prompt_changelist")


def found(client, **query):
    return [prompt.name for prompt in client.get(LIST, query).context["cl"].result_list]


def row(html: str, name: str) -> str:
    return next(part for part in html.split("<tr")[1:] if name in part)


def called(prompt, *, days=0, latency=100, cost=1_000_000):
    InteractionLog.objects.create(
        workspace=prompt.workspace, created_at=timezone.now() - dt.timedelta(days=days, minutes=1), status="succeeded",
        source="code", prompt=prompt, latency_ms=latency, cost_nano=cost,
    )  # fmt: skip


def test_a_row_says_where_it_is_what_is_live_and_who_edited_it(author, member, system, scope):
    from llm_admin.services.actors import Actor

    bea = member(Role.AUTHOR, "bea")
    weather = factories.prompt(scope, name="Weather", versions=2)
    prompts.save_version(weather, actor=Actor(scope, bea, Role.AUTHOR), spec=factories.chat_spec("By bea."))
    labels.move(weather, actor=system, label="staging", number=2)
    shelf.put_away(weather, actor=system, folder="News/Daily", tags="draft, Ünïcode")
    shown = row(author.get(LIST).content.decode(), "Weather")
    for words in ("News/Daily", "draft", "Ünïcode", "Live: v1", "staging: v2", "newest: v3", "bea", "<time"):
        assert words in shown, words


def test_a_row_has_the_numbers_of_seven_days_and_a_sparkline_in_words(author, scope):
    busy = factories.prompt(scope, name="Busy")
    factories.prompt(scope, name="Idle")
    for latency in range(1, 21):
        called(busy, latency=latency * 100)
    called(busy, days=2, cost=None)
    called(busy, days=8, latency=99_000)
    html = author.get(LIST).content.decode()
    shown = row(html, "Busy")
    assert ">21<" in shown
    assert "0, 0, 0, 0, 1, 0, 20" in shown
    assert len(re.findall("<rect", shown)) == 2
    assert "$0.02" in shown
    assert "1 unknown" in shown
    assert "1.9 s" in shown  # the 20th of 21
    assert "<svg" not in row(html, "Idle")
    assert "$0" not in row(html, "Idle")


def test_a_cost_that_is_not_known_is_unknown(author, scope):
    called(factories.prompt(scope, name="Dear"), cost=None)
    assert "unknown" in row(author.get(LIST).content.decode(), "Dear")


@pytest.mark.slow  # rows by the hundred
def test_the_page_takes_equally_many_queries_at_3_and_300_with_everything_in_it(author, system, scope):
    def queries():
        catalogue.forget()
        with CaptureQueriesContext(connection) as captured:
            assert author.get(LIST, {"q": "topic", "folder": "A"}).status_code == 200
        return len(captured)

    def make(count):
        for n in range(count):
            prompt = factories.prompt(scope)
            shelf.put_away(prompt, actor=system, folder=f"A/{n % 7}", tags=f"tag{n % 5}, other")
            called(prompt)

    make(3)
    few = queries()
    make(297)
    assert queries() == few


# ---- folders, tags, archive, search


@pytest.fixture
def shelves(scope, system):
    for name, folder, tags in (
        ("Mail", "Marketing/Emails", "draft"),
        ("Slogan", "Marketing", "draft, short"),
        ("Reply", "Support", ""),
        ("Loose", "", "short"),
        ("Old", "Marketing", "draft"),
    ):
        prompt = factories.prompt(scope, name=name, spec=factories.chat_spec(f"Words of {name}: {{{{topic}}}}"))
        shelf.put_away(prompt, actor=system, folder=folder, tags=tags)
    shelf.archive(Prompt.objects.get(name="Old"), actor=system)


def test_folders_hold_what_is_below_them_and_are_counted_above_the_list(author, shelves):
    assert found(author, folder="Marketing") == ["Mail", "Slogan"]
    assert found(author, folder="Marketing/Emails") == ["Mail"]
    assert found(author, folder="/") == ["Loose"]
    assert found(author, folder="Market") == []
    folders = author.get(LIST).context["folder_links"]
    assert [(one["name"], one["count"]) for one in folders] == [("Marketing", 2), ("Support", 1)]
    inside = author.get(LIST, {"folder": "Marketing", "q": "words"}).context["folder_links"]
    assert [one["name"] for one in inside] == ["Marketing", "Emails", "Support"]
    assert all("q=words" in one["query"] for one in inside)


def test_filters_go_together_with_each_other_and_with_the_search(author, shelves):
    assert found(author, tag="draft") == ["Mail", "Slogan"]
    assert found(author, tag="DRAFT", folder="Marketing/Emails") == ["Mail"]
    assert found(author, tag="short", q="slogan") == ["Slogan"]
    assert found(author, q="short") == ["Loose", "Slogan"]


def test_what_is_archived_is_out_of_the_list_until_asked_for(author, shelves):
    assert "Old" not in found(author)
    assert found(author, archived="yes") == ["Old"]
    assert len(found(author, archived="all")) == 5
    html = author.get(LIST, {"archived": "yes"}).content.decode()
    assert "Archived" in row(html, "Old")
    assert "data-llm-run" not in row(html, "Old")


@pytest.mark.parametrize("term", ["100%", "a_b", "c\\d", "GRÖSSE", '"two words"', "straße", "日本", "'", '"', "%", "_"])
def test_search_takes_every_sign_as_it_is(author, scope, term):
    text = 'It is 100% a_b c\\d Größe, two words; STRASSE 日本 it\'s "so" %_'
    factories.prompt(scope, name="Hit", spec=factories.chat_spec(text, system_text=""))
    factories.prompt(scope, name="Miss", spec=factories.chat_spec("Nothing: 100 axb, words two.", system_text=""))
    assert found(author, q=term) == ["Hit"]


def test_search_follows_a_new_name_new_tags_and_live(author, scope, system):
    prompt = factories.prompt(scope, name="Before")
    shelf.rename(prompt, actor=system, name="Afterwards", slug="later")
    shelf.add_tags(prompt, actor=system, tags="sticker")
    prompts.save_version(prompt, actor=system, spec=factories.chat_spec("Fresh."))
    assert found(author, q="afterwards") == found(author, q="sticker") == found(author, q="fresh") == ["Afterwards"]
    assert found(author, q="before") == []
    assert found(author, q="tell me") == ["Afterwards"]  # still Live
    documents.move_label(prompt, actor=system, label="production", number=2)
    assert found(author, q="tell me") == []


@pytest.mark.parametrize(
    "query", [{"folder": "x\x00"}, {"archived": "nonsense"}, {"tag": "'"}, {"o": "99"}, {"p": "x"}]
)
def test_a_bent_address_is_no_failure(author, shelves, query):
    assert author.get(LIST, query).status_code in (200, 302, 400)


# ---- several at once


def post(client, action, prompts, **more):
    ids = [prompt.pk for prompt in prompts]
    return client.post(LIST, {"action": action, "_selected_action": ids, **more})


def test_actions_ask_first_and_change_nothing_until_they_are_confirmed(author, shelves):
    chosen = list(Prompt.objects.filter(name__in=["Mail", "Loose"]))
    for action in ("move_to_folder", "add_tags", "archive_selected", "restore_selected"):
        answer = post(author, action, chosen)
        assert answer.status_code == 200
        assert "Mail" in answer.content.decode()
        assert "2 prompts" in answer.content.decode()
    assert Prompt.objects.get(name="Loose").folder == ""
    assert Prompt.objects.filter(archived_at=None).count() == 4


def test_several_move_get_tags_are_archived_and_restored(author, shelves):
    chosen = list(Prompt.objects.filter(name__in=["Mail", "Loose"]))
    assert post(author, "move_to_folder", chosen, confirmed="yes", folder=" New / Place ").status_code == 302
    assert found(author, folder="New/Place") == ["Loose", "Mail"]
    post(author, "add_tags", chosen, confirmed="yes", tags="short, unheard")
    assert found(author, tag="unheard") == found(author, q="unheard") == ["Loose", "Mail"]
    assert [tag.name for tag in Prompt.objects.get(name="Loose").tags.all()] == ["short", "unheard"]
    post(author, "archive_selected", chosen, confirmed="yes")
    assert found(author) == ["Reply", "Slogan"]
    assert {one.archived_by.username for one in Prompt.objects.filter(name__in=["Mail", "Loose"])} == {"ada"}
    author.post(f"{LIST}?archived=yes", {"action": "restore_selected", "confirmed": "yes",
                                         "_selected_action": [one.pk for one in chosen]})  # fmt: skip
    assert found(author) == ["Loose", "Mail", "Reply", "Slogan"]


def test_everything_that_a_filter_finds_can_be_moved_at_once(author, shelves):
    one = Prompt.objects.get(name="Mail")
    data = {"action": "move_to_folder", "_selected_action": [one.pk], "select_across": "1", "confirmed": "yes"}
    author.post(f"{LIST}?tag=draft", data | {"folder": "All"})
    assert found(author, folder="All") == ["Mail", "Slogan"]


def test_what_cannot_be_is_said_at_the_field(author, shelves):
    chosen = list(Prompt.objects.filter(name="Mail"))
    too_long = post(author, "move_to_folder", chosen, confirmed="yes", folder="x" * 201)
    assert too_long.status_code == 422
    assert "at most 200 characters" in too_long.content.decode()
    nothing = post(author, "add_tags", chosen, confirmed="yes", tags=" , ")
    assert nothing.status_code == 422
    assert Prompt.objects.get(name="Mail").folder == "Marketing/Emails"


def test_viewers_may_not_change_several(member, login, shelves):
    viewer = login(member(Role.VIEWER))
    post(viewer, "archive_selected", list(Prompt.objects.filter(name="Mail")), confirmed="yes")
    assert Prompt.objects.get(name="Mail").archived_at is None
    assert "archive_selected" not in viewer.get(LIST).content.decode()
