"""The card before publishing: what it replaces, how the test inputs went, who uses it; and undoing it."""

from __future__ import annotations

import re

from django.utils import timezone

from llm_admin.choices import Role
from llm_admin.models import InteractionLog, Run
from llm_admin.services import documents, labels, planning, prompt_tests, workflows
from llm_admin.services.actors import Actor
from tests import factories
from tests.admin.prompts.history import address, at, html, said


def publish(client, prompt, number=2, **fields):
    data = {"number": number, "label": "production", "replaces": "1", "reason": ""} | fields
    return client.post(address(prompt, "publish"), data)


def with_result(prompt, ada, scope, name, output, number=2):
    """A test input that wants “sun”, and its run on a version."""
    actor = Actor(scope, ada, Role.AUTHOR)
    checks = [{"kind": "contains", "text": "sun"}]
    test = prompt_tests.save(prompt, actor=actor, data={"name": name, "inputs": {"topic": "May"}, "checks": checks})
    version = documents.version_of(prompt, number=number)
    run = planning.plan_prompt(
        actor=actor, prompt=prompt, spec=documents.spec_of(version), version=version, inputs={"topic": "May"},
        source="studio",
    )  # fmt: skip
    now = timezone.now()
    run.test, run.status, run.output, run.started_at, run.ended_at = test, "succeeded", output, now, now
    run.save(force_insert=True)
    return test


def test_it_shows_what_is_replaced_since_when_and_the_difference(author, prompt):
    page = html(author.get(address(prompt, "publish", number=2)))
    assert "v2 replaces v1 as Live" in page
    assert "v1 became Live <time" in page
    assert "First version" in page
    assert re.search(r"<ins>.*Version 2", page, re.DOTALL)
    assert "Publish v2" in page
    assert at(prompt) == 1


def test_publishing_moves_live_with_its_reason_and_is_undone_in_one_click(author, prompt):
    answer = publish(author, prompt, reason="Clearer")
    assert (answer.status_code, at(prompt)) == (302, 2)
    event = prompt.label_events.first()
    assert (event.from_number, event.to_number, event.reason, event.actor.username) == (1, 2, "Clearer", "ada")
    message = said(answer)
    assert "v2 is Live now." in message
    assert f'value="{event.pk}"' in message
    action = re.search(r'action="([^"]+)"', message).group(1)
    assert author.post(action, {"event": event.pk}).status_code == 302
    assert at(prompt) == 1


def test_the_message_with_undo_is_shown_as_a_button(author, prompt):
    answer = author.post(address(prompt, "publish"), {"number": 2, "replaces": "1"}, follow=True)
    page = html(answer)
    assert '<button class="llm-undo">Undo' in page


def test_failed_test_inputs_stand_before_the_button_which_stays(author, prompt, ada, scope):
    with_result(prompt, ada, scope, "Spring", "rain all day")
    with_result(prompt, ada, scope, "Summer", "sun all day")
    page = html(author.get(address(prompt, "publish", number=2)))
    assert "1 of 2 test inputs failed on v2." in page
    assert "The answer does not contain" in page
    assert page.index("The answer does not contain") < page.index("Publish anyway")
    assert publish(author, prompt).status_code == 302
    assert at(prompt) == 2


def test_test_inputs_that_passed_or_were_not_run(author, prompt, ada, scope):
    with_result(prompt, ada, scope, "Summer", "sun all day")
    assert "All 1 passed on v2." in html(author.get(address(prompt, "publish", number=2)))
    page = html(author.get(address(prompt, "publish", number=1)))
    assert "1 not run on v1 yet" in page
    part = html(author.get(address(prompt, "publish", number=2, part="tests")))
    assert "All 1 passed" in part
    assert "<html" not in part
    run = re.search(r'hx-post="([^"]+/tests/run/)"', html(author.get(address(prompt, "publish", number=2)))).group(1)
    assert author.get(run).status_code == 405


def test_costs_and_times_of_both_or_unknown(author, prompt, scope):
    first = documents.version_of(prompt, number=1)
    for cost, latency, status in ((2_000_000, 500, "succeeded"), (None, 700, "succeeded"), (9, 9, "failed")):
        InteractionLog.objects.create(
            workspace=scope, created_at=timezone.now(), status=status, source="studio", prompt=prompt,
            prompt_version=first, cost_nano=cost, latency_ms=latency,
        )  # fmt: skip
    page = html(author.get(address(prompt, "publish", number=2)))
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r'<tr><th scope="row">(.*?)</tr>', page)]
    assert rows == [["2", "$0.002", "500 ms", "700 ms"], ["none yet", "unknown", "unknown", "unknown"]]


def test_workflows_that_use_it_and_by_which_label(author, prompt, system):
    for name, label in (("By live", ""), ("By staging", "staging")):
        spec = factories.workflow_spec(prompt.slug).model_dump(mode="json")
        spec["steps"][0]["prompt_label"] = label
        if label:
            labels.move(prompt, actor=system, label=label, number=1)
        workflows.create(actor=system, name=name, spec=type(factories.workflow_spec("x")).model_validate(spec))
    page = html(author.get(address(prompt, "publish", number=2)))
    found = dict(re.findall(r"(By \w+)</a>, in its own .*?<span class=\"llm-subtle\">(.*?)</span>", page))
    assert found == {
        "By live": "It asks for Live, so it will get v2.",
        "By staging": "It asks for another label; nothing changes for it.",
    }


def test_who_moved_it_meanwhile_is_not_overwritten(author, prompt, system, scope):
    documents.save_version(prompt, actor=system, spec=factories.chat_spec("Third"))
    labels.move(prompt, actor=system, label="production", number=3)
    page = html(publish(author, prompt, reason="Kept"), 409)
    assert "Live was moved since you opened this page" in page
    assert "v2 replaces v3 as Live" in page
    assert 'value="Kept"' in page
    assert at(prompt) == 3


def test_an_author_may_not_move_a_protected_label_and_is_told(author, prompt, scope, member, login):
    scope.protected_labels = "production"
    scope.save()
    page = html(author.get(address(prompt, "publish", number=2)))
    assert "Live is protected here" in page
    assert "llm-publish-button" not in page
    html(publish(author, prompt), 403)
    assert at(prompt) == 1
    assert publish(author, prompt, label="staging", replaces="").status_code == 302
    assert publish(login(member(Role.OPERATOR)), prompt).status_code == 302
    assert at(prompt) == 2


def test_viewers_and_others_may_not(member, login, prompt):
    html(publish(login(member(Role.VIEWER)), prompt), 403)
    html(publish(login(factories.member(factories.workspace(), role=Role.ADMIN)), prompt), 404)
    assert at(prompt) == 1


def test_what_is_not_there_or_no_label_is_refused(author, prompt):
    html(author.get(address(prompt, "publish", number=9)), 404)
    html(author.get(address(prompt, "publish", label="no label")), 422)
    html(publish(author, prompt, number=9), 404)
    assert at(prompt) == 1


def test_a_workflow_is_published_the_same_way(author, scope, system):
    workflow = factories.workflow(scope)
    documents.save_version(workflow, actor=system, spec=documents.spec_of(documents.newest(workflow)))
    now = timezone.now()
    Run.objects.create(
        workspace=scope, kind="workflow", workflow=workflow, workflow_version=documents.newest(workflow), title="r",
        spec={}, status="succeeded", source="studio", created_at=now, started_at=now,
        ended_at=now + timezone.timedelta(seconds=2), cost_nano=5_000_000,
    )  # fmt: skip
    page = html(author.get(address(workflow, "publish")))
    assert "v2 replaces v1 as Live" in page
    assert "$0.005" in page
    assert "2.0 s" in page
    assert "Test inputs" not in page
    assert publish(author, workflow).status_code == 302
    assert at(workflow) == 2
