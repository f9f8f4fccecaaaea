"""The look at the changes before saving, the timeline, and the difference of any two versions."""

from __future__ import annotations

import json
import re

import pytest
from django.utils import timezone

from llm_admin.choices import Role
from llm_admin.models import InteractionLog
from llm_admin.services import documents, prompts
from tests import factories
from tests.admin.prompts.history import address, at, html, newest, queries, said


@pytest.fixture
def prompt(workspace):
    """v1 is Live, v2 a draft."""
    return factories.prompt(workspace, name="Weather", versions=2)


def posted(text="Version 2 about {{topic}}.", **fields):
    spec = factories.chat_spec(text).model_dump()
    return {"name": "Weather", "description": "", "note": "", "based_on": "2", "spec": json.dumps(spec)} | fields


def shown(page):
    """(added, removed) words of the differences."""
    words = {
        tag: [
            re.sub(r"<[^>]+>|\[\w+:?\]", "", found).strip()
            for found in re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        ]
        for tag in ("ins", "del")
    }
    return words["ins"], words["del"]


# ---- the look before saving


def test_the_review_shows_what_changes_and_saves_nothing(author, prompt, scope):
    page = html(author.post(address(prompt, "review"), posted("Version 2 about all of {{topic}}.", note="Wider")))
    assert shown(page) == (["all of"], [])
    assert "What changes against v2" in page
    assert 'value="Wider"' in page
    assert "Message 2: User" in page
    assert "Message 1" not in page
    assert newest(prompt).number == 2


def test_the_review_tells_a_new_name_too(author, prompt):
    page = html(author.post(address(prompt, "review"), posted(name="Climate")))
    assert shown(page) == (["Climate"], ["Weather"])


def test_the_review_of_nothing_says_so_and_offers_to_publish_the_draft(author, prompt, system):
    page = html(author.post(address(prompt, "review"), posted()))
    assert "Nothing has changed since v2" in page
    assert "Save draft" not in page
    assert "Publish now" in page
    documents.move_label(prompt, actor=system, label="production", number=2)
    page = html(author.post(address(prompt, "review"), posted()))
    assert "Publish now" not in page


def test_the_review_tells_that_somebody_saved_meanwhile(author, prompt, system):
    prompts.save_version(prompt, actor=system, spec=factories.chat_spec("Theirs"))
    page = html(author.post(address(prompt, "review"), posted("Mine")))
    assert "v3 was saved by somebody else" in page
    assert "What changes against v2" in page


@pytest.mark.parametrize(
    "fields", [{"spec": "[[[no"}, {"name": " "}, {"spec": '{"messages": []}'}, {"name": "x" * 201}]
)
def test_the_review_of_what_cannot_be_saved_is_refused(author, prompt, fields):
    html(author.post(address(prompt, "review"), posted(**fields)), 422)


def test_one_who_may_not_move_live_is_not_offered_to_publish(author, prompt, scope):
    scope.protected_labels = "production"
    scope.save()
    page = html(author.post(address(prompt, "review"), posted("Other")))
    assert "Save draft" in page
    assert "ublish now" not in page
    assert 'name="_publish"' not in html(author.get(address(prompt, "change")))


def test_save_and_check_makes_a_draft_and_leads_to_the_card(author, prompt, scope):
    answer = author.post(address(prompt, "change"), posted("Other", _draft="", _check="1", note="Why"))
    assert answer.url == address(prompt, "publish", number=3, label="production")
    assert (newest(prompt).number, newest(prompt).note, at(prompt)) == (3, "Why", 1)


def test_publishing_at_once_can_be_undone_from_the_message(author, prompt, scope):
    answer = author.post(address(prompt, "change"), posted("Other", _publish=""))
    event = re.search(r'name="event" value="(\d+)"', said(answer)).group(1)
    assert at(prompt) == 3
    assert author.post(address(prompt, "label_undo"), {"event": event}).status_code == 302
    assert at(prompt) == 1


def test_a_first_version_that_may_not_be_live_is_not_said_to_be(author, scope):
    scope.protected_labels = "production"
    scope.save()
    answer = author.post("/admin/llm_admin/prompt/add/", posted(name="Fresh", based_on="0"))
    assert "It is not Live yet" in said(answer)


# ---- the timeline


def test_the_timeline_shows_who_wrote_what_with_labels_and_numbers(author, prompt, scope, system):
    author.post(address(prompt, "change"), posted("Third", _draft="", note="Third time lucky"))
    first = documents.version_of(prompt, number=1)
    for cost, latency in ((1_000_000, 400), (3_000_000, 900)):
        InteractionLog.objects.create(
            workspace=scope, created_at=timezone.now(), status="succeeded", source="studio", prompt=prompt,
            prompt_version=first, cost_nano=cost, latency_ms=latency,
        )  # fmt: skip
    page = html(author.get(address(prompt, "versions")))
    assert "3 versions" in page
    assert "Third time lucky" in page
    assert ">ada <time" in page
    assert "2 calls, $0.002 on average, p95 900 ms" in page
    assert page.index(">v3<") < page.index(">v2<") < page.index(">v1<")
    assert re.search(r"v1</span>\s*<div[^>]*>\s*<a class=\"llm-chip llm-chip-live\"", page)


def test_the_timeline_has_pages(author, prompt, system):
    for number in range(3, 36):
        prompts.save_version(prompt, actor=system, spec=factories.chat_spec(f"Number {number}"))
    first = html(author.get(address(prompt, "versions")))
    last = html(author.get(address(prompt, "versions", page=2)))
    assert ">v35<" in first
    assert ">v5<" not in first
    assert ">v5<" in last
    assert ">v1<" in last
    assert html(author.get(address(prompt, "versions", page="x")))
    assert "All 35" in html(author.get(address(prompt, "change")))


@pytest.mark.parametrize("name", ["versions", "diff", "labels", "publish", "at"])
@pytest.mark.slow  # rows by the hundred
def test_equally_many_queries_with_3_and_300_versions(author, scope, system, name):
    prompt = factories.prompt(scope, versions=3)
    few = queries(author, address(prompt, name))
    for number in range(4, 301):
        prompts.save_version(prompt, actor=system, spec=factories.chat_spec(f"Number {number}"))
    assert queries(author, address(prompt, name)) == few


# ---- the difference of two


def test_the_difference_of_any_two(author, prompt, system):
    prompts.save_version(prompt, actor=system, spec=factories.chat_spec("Version 3 about {{topic}}.", model="fast"))
    page = html(author.get(address(prompt, "diff", **{"from": 1, "to": 3})))
    assert shown(page) == (["Version 3", "fast"], ["Tell me"])
    assert "Model" in page
    backwards = html(author.get(address(prompt, "diff", **{"from": 3, "to": 2})))
    assert shown(backwards) == (["2"], ["3", "fast"])
    assert shown(html(author.get(address(prompt, "diff")))) == (["3", "fast"], ["2"])


def test_the_difference_from_nothing_is_everything(author, prompt):
    page = html(author.get(address(prompt, "diff", **{"from": 0, "to": 1})))
    assert "All of v1" in page
    assert shown(page)[0][:2] == ["You are terse.", "Tell me about {{topic}}."]
    assert shown(page)[1] == []


def test_long_stretches_that_are_the_same_are_folded_and_not_lost(author, prompt, system):
    words = [f"w{n}" for n in range(200)]
    for middle in ("old", "new"):
        text = " ".join([*words[:100], middle, *words[100:]])
        prompts.save_version(prompt, actor=system, spec=factories.chat_spec(text))
    page = html(author.get(address(prompt, "diff", **{"from": 3, "to": 4})))
    assert shown(page) == (["new"], ["old"])
    assert page.count("88 words the same") == 2
    for word in words:
        assert re.search(rf"\b{word}\b", page)
    assert re.search(r"hidden>w0 w1 ", page)


def test_a_script_in_a_difference_stays_text(author, prompt, system):
    prompts.save_version(prompt, actor=system, spec=factories.chat_spec("<script>alert(1)</script>"))
    assert "<script>alert(1)" not in html(author.get(address(prompt, "diff")))


@pytest.mark.parametrize("query", [{"to": 9}, {"from": 9}, {"from": 9, "to": 1}])
def test_there_is_no_difference_to_a_version_that_is_not(author, prompt, query):
    html(author.get(address(prompt, "diff", **query)), 404)


@pytest.mark.timeout(60)
def test_many_large_messages_are_answered_at_all(author, prompt, system):
    import random

    chance = random.Random(3)
    for _ in range(2):
        messages = [
            {"role": "user", "text": " ".join(f"w{chance.randrange(9000)}" for _ in range(12_000))} for _ in range(8)
        ]
        spec = type(factories.chat_spec()).model_validate({"messages": messages})
        prompts.save_version(prompt, actor=system, spec=spec)
    html(author.get(address(prompt, "diff")))


# ---- workflows have the same, and who may


def test_a_workflow_has_a_timeline_a_difference_and_a_review(author, scope, system):
    workflow = factories.workflow(scope, name="Flow")
    spec = documents.spec_of(documents.newest(workflow))
    steps = [spec.steps[0].model_copy(update={"title": "Ask"}), *spec.steps[1:]]
    documents.save_version(workflow, actor=system, spec=spec.model_copy(update={"steps": steps}), note="With a title")
    assert "With a title" in html(author.get(address(workflow, "versions")))
    assert shown(html(author.get(address(workflow, "diff")))) == (["Ask"], [])
    page = html(author.get(address(workflow, "change")))
    assert "What changed" in page
    data = {"name": "Flow 2", "description": "", "based_on": "2"}
    data["spec"] = json.dumps(documents.newest(workflow).spec)
    assert shown(html(author.post(address(workflow, "review"), data)))[0][0] == "2"


def test_a_viewer_reads_and_may_not_review(member, login, prompt):
    viewer = login(member(Role.VIEWER))
    for name in ("versions", "diff", "labels", "at"):
        page = html(viewer.get(address(prompt, name)))
        assert "Restore" not in page
        assert "Publish…" not in page
    html(viewer.post(address(prompt, "review"), posted("Other")), 403)
    html(viewer.get(address(prompt, "publish")), 403)
    assert "llm-review" not in html(viewer.get(address(prompt, "change")))


def test_somebody_of_another_workspace_finds_nothing(login, prompt):
    client = login(factories.member(factories.workspace(), role=Role.ADMIN))
    for name in ("versions", "diff", "labels", "at", "publish"):
        html(client.get(address(prompt, name)), 404)
    html(client.post(address(prompt, "review"), posted("Other")), 404)
