"""Keeping unsaved work from the studio's page, finding it again, and who else is there."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from llm_admin.choices import Role
from llm_admin.models import Prompt, PromptDraft
from llm_admin.services import catalogue, drafts, prompts
from llm_admin.services.actors import Actor
from tests import factories

ADD = reverse("admin:llm_admin_prompt_add")
NEW_DRAFT = reverse("admin:llm_admin_prompt_new_draft")
KEY = "sk-proj-Admin0123456789abcdefghijklmnopqrstuvw"


@pytest.fixture
def people(member):
    return {name: member(role, name) for name, role in (("ada", Role.AUTHOR), ("ben", Role.ADMIN))}


@pytest.fixture
def ada(people, login):
    return login(people["ada"])


def at(prompt, page="draft", **query):
    return reverse(f"admin:llm_admin_prompt_{page}", args=[prompt.pk], query=query or None)


def typed(text="Typed {{topic}}", **fields):
    spec = {"kind": "chat", "messages": [{"role": "user", "text": text}], "variables": []}
    named = {"name": "Weather", "description": "", "based_on": "2", "dirty": "1", "draft_tab": "tab-a"}
    return named | {"spec": json.dumps(spec)} | fields


def found(client, address):
    """What the page offers to go on with: (text, based on), or None."""
    state = client.get(address).context["drafts"]["state"]["found"]
    return state and (state["spec"]["messages"][-1]["text"], state["basedOn"])


def test_what_was_typed_is_offered_when_the_page_is_opened_again(ada, prompt):
    answer = ada.post(at(prompt), typed())
    assert answer.status_code == 200
    assert answer.json()["at"]
    html = ada.get(at(prompt, "change")).content.decode()
    assert "You have unsaved changes from" in html
    assert "(based on v2)" in html
    assert found(ada, at(prompt, "change")) == ("Typed {{topic}}", 2)
    assert PromptDraft.objects.get().prompt == prompt
    assert prompt.versions.count() == 2


def test_nothing_unsaved_is_offered_after_undoing_everything(ada, prompt):
    ada.post(at(prompt), typed())
    assert ada.post(at(prompt), {"draft_tab": "tab-a"}).json() == {"at": None}
    assert found(ada, at(prompt, "change")) is None
    assert "unsaved changes" not in ada.get(at(prompt, "change")).content.decode()


def test_saving_forgets_what_this_page_kept_and_not_what_another_did(ada, prompt):
    ada.post(at(prompt), typed())
    ada.post(at(prompt, "change"), typed("Another tab's {{topic}}", draft_tab="tab-b", _draft="1"))
    assert prompt.versions.count() == 3
    assert found(ada, at(prompt, "change")) == ("Typed {{topic}}", 2)
    assert "v3 has been saved since" in ada.get(at(prompt, "change")).content.decode()
    ada.post(at(prompt, "change"), typed(based_on="3", _draft="1"))
    assert found(ada, at(prompt, "change")) is None


def test_a_refused_save_keeps_the_draft_and_goes_on_as_the_same_tab(ada, prompt):
    ada.post(at(prompt), typed())
    answer = ada.post(at(prompt, "change"), typed(" ", _draft="1"))
    assert answer.status_code == 422
    assert answer.context["drafts"]["state"]["tab"] == "tab-a"
    assert answer.context["drafts"]["state"]["found"] is None
    assert found(ada, at(prompt, "change")) == ("Typed {{topic}}", 2)


def test_a_draft_that_says_what_is_saved_asks_nothing(ada, prompt, system):
    prompts.save_version(prompt, actor=system, spec=factories.chat_spec("Same {{topic}}", system_text=""))
    ada.post(at(prompt), typed("Same {{topic}}"))
    shown = ada.get(at(prompt, "change")).context["drafts"]["state"]
    assert (shown["found"], shown["takeOver"]) == (None, True)


def test_a_new_prompt_has_its_draft_until_it_is_saved(ada, scope):
    fields = typed("New {{topic}}", name="Fresh", based_on="0")
    assert ada.post(NEW_DRAFT, fields).status_code == 200
    assert found(ada, ADD) == ("New {{topic}}", 0)
    assert "“Fresh”" in ada.get(ADD).content.decode()
    ada.post(ADD, fields | {"draft_tab": "tab-a"})
    assert Prompt.objects.get().name == "Fresh"
    assert found(ada, ADD) is None


def test_another_tab_is_told_instead_of_overwriting(ada, prompt):
    ada.post(at(prompt), typed())
    answer = ada.post(at(prompt), typed("Other tab", draft_tab="tab-b"))
    assert answer.status_code == 409
    assert "Another tab of yours" in answer.json()["problem"]
    assert found(ada, at(prompt, "change")) == ("Typed {{topic}}", 2)
    assert ada.post(at(prompt), typed("Other tab", draft_tab="tab-b", over="1")).status_code == 200
    assert found(ada, at(prompt, "change")) == ("Other tab", 2)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"spec": json.dumps({"messages": [{"role": "user", "text": f"Use {KEY}"}]})}, "Message 1: This text holds"),
        ({"description": KEY}, "This text holds"),
        ({"spec": json.dumps({"messages": [{"text": "x" * drafts.LARGEST}]})}, "longer than 3,000,000"),
        ({"spec": "[[["}, "did not arrive whole"),
        ({"spec": "[" * 100_000}, "did not arrive whole"),
        ({"spec": "[" * 900 + "]" * 900}, "nested too deeply"),
        ({"spec": "[]"}, "no prompt"),
        ({"spec": '{"a": "\\ud800"}'}, "half a character"),
        ({"spec": '{"a": "\\u0000"}'}, "NUL"),
    ],
)
def test_what_is_refused_says_why_and_is_never_stored(ada, prompt, fields, said):
    ada.post(at(prompt), typed())
    answer = ada.post(at(prompt), typed(**fields))
    assert answer.status_code == 422
    assert said in answer.json()["problem"]
    assert KEY not in json.dumps(list(PromptDraft.objects.values_list("content", flat=True)))
    assert found(ada, at(prompt, "change")) == ("Typed {{topic}}", 2)


def test_the_difference_is_that_to_the_newest_version(ada, prompt):
    ada.post(at(prompt), typed("Version 2 about {{topic}}, unsaved."))
    html = ada.get(at(prompt, "draft_difference")).content.decode()
    assert "Your unsaved changes, against v2" in html
    assert "unsaved" in html.partition("<ins>")[2]
    ada.post(at(prompt), typed(" "))
    assert "All messages" in ada.get(at(prompt, "draft_difference")).content.decode()
    assert "<ins>Version 2</ins> about" in ada.get(at(prompt, "draft_difference", since=1)).content.decode()
    assert ada.get(at(prompt, "draft_difference", since=9)).status_code == 404
    ada.post(at(prompt), {"draft_tab": "tab-a"})
    assert ada.get(at(prompt, "draft_difference")).status_code == 404


def test_a_script_in_a_draft_stays_text(ada, prompt):
    ada.post(at(prompt), typed("</script><script>alert(1)</script>", name="<img src=x>"))
    for address in (at(prompt, "change"), at(prompt, "draft_difference")):
        html = ada.get(address).content.decode()
        assert "<script>alert(1)" not in html
        assert "<img src=x>" not in html


def test_a_draft_is_shown_to_nobody_else_not_even_to_admins(ada, prompt, people, login):
    ada.post(at(prompt), typed("Secret plan {{topic}}"))
    ben = login(people["ben"])
    assert found(ben, at(prompt, "change")) is None
    pages = [ben.get(at(prompt, "change")), ben.get(at(prompt, "draft_difference")), ben.post(at(prompt, "here"))]
    assert all("Secret plan" not in page.content.decode() for page in pages)
    assert "<strong>ada</strong> is editing this too (has unsaved changes)" in pages[2].content.decode()
    assert "<strong>ada</strong>" in pages[0].content.decode()


def test_others_leave_and_nobody_sees_themselves(ada, prompt, people, login):
    drafts.seen(prompt, actor=Actor(prompt.workspace, people["ben"], Role.ADMIN))
    assert "<strong>ben</strong> is editing this too." in ada.post(at(prompt, "here")).content.decode()
    assert "ada" not in ada.post(at(prompt, "here")).content.decode()
    ben = login(people["ben"])
    assert ben.post(at(prompt, "here"), {"leave": "1"}).status_code == 204
    assert "<strong>ada</strong>" in ben.post(at(prompt, "here")).content.decode()
    assert ben.post(at(prompt, "here"), {"leave": "1"}).content == b""
    assert "ben" not in login(people["ada"]).post(at(prompt, "here")).content.decode()


def test_a_version_that_was_saved_meanwhile_is_news(ada, prompt, people):
    assert "saved" not in ada.post(at(prompt, "here"), {"based_on": "2"}).content.decode()
    ben = Actor(prompt.workspace, people["ben"], Role.ADMIN)
    prompts.save_version(prompt, actor=ben, spec=factories.chat_spec("Ben's {{topic}}"), note="Shorter")
    html = ada.post(at(prompt, "here"), {"based_on": "2"}).content.decode()
    assert "<strong>ben</strong> saved v3" in html
    assert "just now" in html
    assert "“Shorter”" in html
    assert 'data-llm-difference="2"' in html
    assert "saved" not in ada.post(at(prompt, "here"), {"based_on": "3"}).content.decode()


def test_what_another_page_kept_since_is_what_one_goes_on_with(ada, prompt):
    assert ada.get(at(prompt)).json() == {"found": None}
    ada.post(at(prompt), typed())
    ada.get(at(prompt, "change"))
    ada.post(at(prompt), typed("Typed {{topic}} to the end", description="More"))
    now = ada.get(at(prompt)).json()["found"]
    assert (now["spec"]["messages"][0]["text"], now["description"], now["basedOn"]) == (
        "Typed {{topic}} to the end",
        "More",
        2,
    )
    assert ada.get(NEW_DRAFT).json() == {"found": None}


@pytest.mark.parametrize("page", ["draft", "here", "merge"])
def test_only_who_may_change_prompts_and_changes_only_by_post(page, prompt, login, member, people):
    viewer = login(member(Role.VIEWER))
    assert viewer.post(at(prompt, page), typed()).status_code == 403
    assert viewer.get(at(prompt, "draft_difference", since=1)).status_code == 403
    assert viewer.post(NEW_DRAFT, typed()).status_code == 403
    assert viewer.get(NEW_DRAFT).status_code == viewer.get(at(prompt)).status_code == 403
    assert viewer.get(at(prompt, "change")).context["drafts"] is None
    assert login(people["ada"]).get(at(prompt, page)).status_code == (200 if page == "draft" else 405)
    assert PromptDraft.objects.count() == 0


@pytest.mark.parametrize("page", ["draft", "here", "merge"])
def test_a_prompt_of_another_workspace_is_not_found(page, ada):
    other = factories.prompt(factories.workspace())
    assert ada.post(at(other, page), typed()).status_code == 404
    assert ada.get(at(other)).status_code == ada.get(at(other, "draft_difference")).status_code == 404


def queries(client, address, **fields):
    catalogue.forget()
    with CaptureQueriesContext(connection) as captured:
        answer = client.post(address, fields) if fields else client.get(address)
        assert answer.status_code == 200
    return len(captured)


@pytest.mark.slow  # rows by the hundred
def test_as_many_queries_with_300_people_as_with_3(ada, prompt, scope):
    def come(count):
        for _ in range(count):
            drafts.seen(prompt, actor=Actor(scope, factories.user(), Role.AUTHOR))

    come(3)
    ada.post(at(prompt, "here"))
    few = queries(ada, at(prompt, "change")), queries(ada, at(prompt, "here"), based_on="1")
    come(297)
    many = queries(ada, at(prompt, "change")), queries(ada, at(prompt, "here"), based_on="1")
    assert many == few
