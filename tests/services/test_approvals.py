"""A run that waits for somebody: nothing held meanwhile, one decision, and then it goes on where it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from llm_admin import run_workflow
from llm_admin.channels.memory import CHANNEL
from llm_admin.choices import ApprovalStatus, Role, RunStatus, StepStatus, StoreTexts
from llm_admin.exceptions import Conflict, InvalidInput, PermissionRefused
from llm_admin.models import Approval, Deployment, DeploymentPrice, InteractionLog, Run, RunStep
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import actors, approval_mails, approvals, runs
from llm_admin.services.live import LIVE
from tests import factories
from tests.services.test_execution import ended, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

ASK = {"type": "llm", "id": "draft", "text": "Write about {{topic}}"}
APPROVE = {"type": "approval", "id": "approved", "question": "Is this fit for {{topic}}?"}
SEND = {"type": "template", "id": "letter", "text": "To all: {{approved}}"}


@pytest.fixture
def begin(scope):
    """begin(*steps) -> a run of these steps, when it waits."""

    def go(*steps, user=None, **inputs):
        spec = WorkflowSpec.model_validate({"inputs": [{"name": "topic"}], "steps": list(steps)})
        actor = actors.system(scope, user)
        run = runs.start_workflow(
            actor=actor, workflow=factories.workflow(scope, spec=spec), spec=spec, inputs={"topic": "rain"} | inputs
        )
        return waits(run)

    return go


def waits(run):
    wait_until(lambda: Run._base_manager.get(pk=run.pk).status == RunStatus.WAITING and LIVE.get(run.pk) is None)
    run.refresh_from_db()
    return run


def decide(approval, actor, **what):
    return approvals.decide(approval, actor=actor, **({"approve": True} | what))


def finished(run):
    run = ended(run)
    wait_until(lambda: LIVE.get(run.pk) is None)
    return run


def test_it_waits_without_anything_and_goes_on_with_the_edited_text(begin, system):
    run = begin(ASK, APPROVE, SEND)
    approval = Approval.objects.get()
    assert approval.question == "Is this fit for rain?"
    assert approval.proposed == RunStep.objects.get(path="1").output
    assert (run.executor, run.lease_expires_at, run.ended_at) == ("", None, None)
    assert RunStep.objects.get(path="2").status == StepStatus.WAITING
    decide(approval, system, text="Short.", word="Cut.")
    run = finished(run)
    assert (run.status, run.output) == (RunStatus.SUCCEEDED, "To all: Short.")
    assert InteractionLog.objects.count() == 1  # the model was not asked again
    assert run.calls == 1
    assert RunStep.objects.get(path="2").note == "Approved by the console itself: Cut."


def test_totals_count_what_came_before_and_after(begin, system):
    DeploymentPrice.objects.create(deployment=Deployment.objects.get(), input_per_million=1, output_per_million=2)
    run = begin(ASK, APPROVE, {"type": "llm", "id": "again", "text": "Translate {{approved}}"})
    before = run.cost_nano
    decide(Approval.objects.get(), system)
    run = finished(run)
    assert run.calls == 2
    assert run.cost_nano == sum(log.cost_nano for log in InteractionLog.objects.all()) > before


def test_declining_fails_the_step_with_who_and_why(begin, scope, member):
    run = begin(ASK, APPROVE, SEND)
    ada = member(username="ada")
    decide(Approval.objects.get(), actors.Actor(scope, ada, Role.AUTHOR), approve=False, word="Too cold.")
    run = finished(run)
    assert (run.status, run.error_kind, run.error_step) == (RunStatus.FAILED, "declined", "approved")
    assert "Declined by ada: Too cold" in run.error_message


def test_declined_may_go_to_another_step(begin, system):
    failure = {"action": "go_to", "go_to": "sorry"}
    run = begin(ASK, APPROVE | {"failure": failure}, SEND, {"type": "template", "id": "sorry", "text": "Not sent."})
    decide(Approval.objects.get(), system, approve=False, word="No.")
    assert finished(run).output == "Not sent."


def test_only_one_decision(begin, scope, member):
    run = begin(ASK, APPROVE, SEND)
    approval = Approval.objects.get()
    ada, bob = (actors.Actor(scope, member(username=name), Role.AUTHOR) for name in ("ada", "bob"))
    decide(approval, ada)
    with pytest.raises(Conflict, match="ada has decided this already: approved"):
        decide(approval, bob, approve=False, word="No!")
    assert finished(run).status == RunStatus.SUCCEEDED


def test_who_may_decide(begin, scope, member):
    begin(ASK, APPROVE | {"role": "", "people": ["cleo"]}, user=member(username="owner"))
    begin(ASK, APPROVE | {"role": "operator"})
    people = {name: actors.Actor(scope, member(role, username=name), role) for name, role in (
        ("cleo", Role.AUTHOR), ("ada", Role.AUTHOR), ("olga", Role.OPERATOR), ("vic", Role.VIEWER), ("amy", Role.ADMIN),
    )}  # fmt: skip
    named, operators = Approval.objects.order_by("id")
    named.people.add(people["cleo"].user)
    assert {name for name, actor in people.items() if approvals.may_decide(named, actor)} == {"cleo", "amy"}
    assert {name for name, actor in people.items() if approvals.may_decide(operators, actor)} == {"olga", "amy"}
    found = {name: set(approvals.waiting_for(actor=actor)) for name, actor in people.items()}
    assert found == {"cleo": {named}, "ada": set(), "olga": {operators}, "vic": set(), "amy": {named, operators}}
    for name in ("ada", "vic"):
        with pytest.raises(PermissionRefused):
            decide(named, people[name])


def test_people_are_those_of_the_workspace(begin, member):
    member(username="cleo")
    factories.member(factories.workspace(), username="stranger")
    begin(ASK, APPROVE | {"role": "", "people": ["cleo", "stranger", "nobody"]})
    assert [person.username for person in Approval.objects.get().people.all()] == ["cleo"]


@pytest.mark.parametrize(
    ("what", "place"),
    [({"approve": False}, "word"), ({"word": "x" * 501}, "word"), ({"text": "a\x00b"}, "text")],
)
def test_bad_decisions_are_refused_at_their_place(begin, system, what, place):
    run = begin(ASK, APPROVE)
    with pytest.raises(InvalidInput) as refused:
        decide(Approval.objects.get(), system, **what)
    assert refused.value.problems[0].location == (place,)
    assert Run.objects.get(pk=run.pk).status == RunStatus.WAITING


def test_a_loop_waits_in_all_its_places_and_asks_no_model_twice(begin, system):
    steps = [
        {"type": "llm", "id": "draft", "text": "About {{item}}"},
        {"type": "approval", "id": "ok", "text": "{{item}}: {{draft}}"},
        {"type": "template", "id": "done", "text": "{{ok}}!"},
    ]
    run = begin({"type": "for_each", "id": "all", "items": "topic", "steps": steps}, topic="red\ngreen\nblue")
    first, second, third = Approval.objects.order_by("path")
    assert [one.path for one in (first, second, third)] == ["1[1].2", "1[2].2", "1[3].2"]
    decide(second, system, text="two")
    wait_until(lambda: RunStep.objects.filter(path="1[2].3", status="succeeded").exists())
    waits(run)
    decide(first, system, text="one")
    decide(third, system, text="three")
    run = finished(run)
    assert run.output == ["one!", "two!", "three!"]
    assert InteractionLog.objects.count() == 3


def test_decided_while_it_is_on_its_way_to_waiting_again(begin, system):
    """Both at nearly the same moment: whichever way they interleave, the run ends."""
    steps = [{"type": "approval", "id": "ok", "text": "{{item}}"}]
    run = begin({"type": "for_each", "id": "all", "items": "topic", "steps": steps}, topic="a\nb\nc\nd")
    for approval in Approval.objects.all():
        decide(approval, system)
    assert finished(run).output == ["a", "b", "c", "d"]


@pytest.mark.parametrize(("at_deadline", "status"), [("approve", "succeeded"), ("decline", "failed")])
def test_the_deadline_decides_as_the_step_says(begin, at_deadline, status):
    run = begin(ASK, APPROVE | {"hours": 2, "at_deadline": at_deadline}, SEND)
    approvals.settle_overdue()
    assert Run.objects.get(pk=run.pk).status == RunStatus.WAITING
    Approval.objects.update(deadline_at=timezone.now() - timedelta(seconds=1))
    assert approvals.settle_overdue() == 1
    assert finished(run).status == status
    assert "the deadline" in RunStep.objects.get(path="2").note


def test_a_waiting_run_can_be_stopped(begin, system):
    run = begin(ASK, APPROVE, SEND)
    runs.stop(run, actor=system)
    run.refresh_from_db()
    assert (run.status, run.is_open) == (RunStatus.CANCELLED, False)
    assert Approval.objects.get().status == ApprovalStatus.WITHDRAWN
    assert RunStep.objects.get(path="2").status == StepStatus.CANCELLED
    with pytest.raises(Conflict, match="stopped meanwhile"):
        decide(Approval.objects.get(), system)


def test_where_no_texts_are_kept_it_goes_on_all_the_same_and_then_forgets(begin, scope, system):
    scope.store_texts = StoreTexts.NOTHING
    scope.save()
    run = begin(ASK, APPROVE, SEND)
    decide(Approval.objects.get(), system)
    run = finished(run)
    assert (run.status, run.output, run.inputs) == (RunStatus.SUCCEEDED, None, {})
    assert not RunStep.objects.exclude(output=None).exists()
    approval = Approval.objects.get()
    assert (approval.proposed, approval.text, approval.question) == ("", "", "")


def test_from_code_the_result_says_that_it_waits(scope):
    spec = WorkflowSpec.model_validate({"inputs": [{"name": "topic"}], "steps": [ASK, APPROVE]})
    result = run_workflow(factories.workflow(scope, spec=spec).slug, {"topic": "rain"})
    assert (result.status, result.ok, result.output) == ("waiting", False, None)


def test_those_who_follow_are_told_and_follow_again(begin, system):
    run = begin(ASK, APPROVE, SEND)
    statuses = [event["status"] for event in CHANNEL.events(str(run.pk)) if event["type"] == "status"]
    assert statuses == ["running", "waiting"]
    decide(Approval.objects.get(), system)
    finished(run)
    statuses = [event["status"] for event in CHANNEL.events(str(run.pk)) if event["type"] == "status"]
    assert statuses == ["running", "waiting", "running", "succeeded"]


def test_mails_go_to_those_who_may_decide_once(begin, scope, member, settings):
    settings.LLM_ADMIN = {
        **settings.LLM_ADMIN,
        "MAIL_FROM": "console@example.org",
        "PUBLIC_URL": "https://console.example.org/",
    }
    for name, role in (("ada", Role.AUTHOR), ("vic", Role.VIEWER), ("olga", Role.OPERATOR), ("mute", Role.AUTHOR)):
        person = member(role, username=name)
        person.email = "" if name == "mute" else f"{name}@example.org"
        person.save()
    begin(ASK, APPROVE)
    assert approval_mails.send_waiting() == 1
    assert approval_mails.send_waiting() == 0
    (sent,) = mail.outbox
    assert sorted(sent.bcc) == ["ada@example.org", "olga@example.org"]
    assert "Is this fit for rain?" in sent.body
    assert f"https://console.example.org/admin/llm_admin/approval/{Approval.objects.get().pk}/" in sent.body


def test_without_a_sender_no_mail_is_sent(begin, member):
    person = member(username="ada")
    person.email = "ada@example.org"
    person.save()
    begin(ASK, APPROVE)
    assert approval_mails.send_waiting() == 0
    assert mail.outbox == []


LOOP = {
    "type": "for_each", "id": "each", "items": "topics", "item": "one", "parallel": 2,
    "steps": [APPROVE | {"text": "{{one}}", "question": ""}],
}  # fmt: skip
LIST = {"type": "set", "id": "topics", "value": "a\nb", "kind": "list"}


def test_a_run_that_fails_leaves_no_other_question_open(begin, system):
    run = begin(LIST, LOOP)
    first, second = Approval.objects.order_by("id")
    decide(first, system, approve=False, word="No.")
    assert finished(run).status == RunStatus.FAILED
    second.refresh_from_db()
    assert second.status == ApprovalStatus.WITHDRAWN
    assert not RunStep.objects.filter(status=StepStatus.WAITING).exists()


def test_one_that_is_stopped_before_it_goes_on_leaves_none_open_either(begin, system):
    run = begin(LIST, LOOP)
    Run.objects.filter(pk=run.pk).update(status=RunStatus.PENDING)
    runs.stop(run, actor=system)
    assert set(Approval.objects.values_list("status", flat=True)) == {ApprovalStatus.WITHDRAWN}
