from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from decimal import Decimal

import pytest
from django.utils import timezone

from llm_admin.choices import CallStatus, ErrorKind, Role, RunStatus, StoreTexts
from llm_admin.exceptions import InvalidInput, PermissionRefused
from llm_admin.models import DeploymentPrice, InteractionLog, InteractionText, LanguageModel, Run, RunStep
from llm_admin.schemas.plans import RunPlan
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import sample_logs, workflows
from llm_admin.services.actors import Actor
from tests import factories

NOW = dt.datetime(2026, 6, 17, 15, 0, tzinfo=dt.UTC)


def make(system, count=300, days=30, seed=1, **details):
    return sample_logs.make_logs(actor=system, count=count, days=days, seed=seed, **details)


@pytest.fixture
def library(scope, system):
    """A prompt with three versions and a workflow that asks twice and reads JSON."""
    prompt = factories.prompt(scope, name="Reply", versions=3)
    keys = [{"name": "tone"}, {"name": "words", "type": "number"}]
    steps = [
        {"type": "llm", "id": "draft", "prompt": prompt.slug},
        {"type": "llm", "id": "facts", "text": "List the facts in {{draft}}"},
        {"type": "parser", "id": "data", "format": "json", "keys": keys},
    ]
    spec = WorkflowSpec.model_validate({"inputs": [{"name": "topic"}], "steps": steps})
    return prompt, workflows.create(actor=system, name="Triage", spec=spec)


def numbers():
    fields = ("created_at", "status", "error_kind", "source", "model__alias", "prompt_id", "workflow_id", "user_id")
    return list(InteractionLog.objects.order_by("id").values_list(*fields, "input_tokens", "cost_nano", "latency_ms"))


def test_makes_as_many_as_were_asked_for_all_of_the_past(library, system):
    before = timezone.now()
    counts = make(system, count=301, days=10)
    logs = InteractionLog.objects.all()
    assert (counts.logs, counts.runs) == (301, Run.objects.count()) == (logs.count(), counts.runs)
    assert counts.runs < 301, "the workflow asks twice"
    assert before - dt.timedelta(days=10) <= logs.earliest("created_at").created_at
    last = logs.latest("created_at")
    assert last.created_at + dt.timedelta(milliseconds=last.latency_ms) < before
    assert not Run.objects.filter(ended_at__gte=before).exists()


def test_the_same_seed_gives_the_same_calls_relative_to_now(library, system):
    def shifted(by):
        InteractionLog.objects.all().delete()
        Run.objects.all().delete()
        make(system, now=NOW + by)
        return [(row[0] - by, *row[1:]) for row in numbers()]

    first, texts = shifted(dt.timedelta(0)), list(InteractionText.objects.values_list("answer"))
    InteractionText.objects.all().delete()
    assert shifted(dt.timedelta(days=7)) == first
    assert list(InteractionText.objects.values_list("answer")) == texts
    InteractionLog.objects.all().delete()
    make(system, seed=2, now=NOW)
    assert numbers() != first


def test_each_known_cost_is_tokens_times_the_price_it_names(library, system):
    make(system)
    prices = {price.pk: price for price in DeploymentPrice.objects.all()}
    known = InteractionLog.objects.filter(cost_nano__isnull=False)
    for log in known:
        price, cached = prices[log.price_id], log.cached_input_tokens or 0
        assert price.deployment_id == log.deployment_id
        rate = price.input_per_million if price.cached_input_per_million is None else price.cached_input_per_million
        dollars = (log.input_tokens - cached) * price.input_per_million + cached * rate
        dollars = (dollars + log.output_tokens * price.output_per_million) / 1_000_000
        assert Decimal(log.cost_nano) == round(dollars * 10**9)
    assert known.filter(cached_input_tokens__gt=0).exists()
    assert set(known.values_list("status", flat=True)) == {CallStatus.SUCCEEDED}
    assert not InteractionLog.objects.filter(status=CallStatus.SUCCEEDED, cost_nano=None).exists()


def test_work_follows_the_day_and_the_week(library, system):
    make(system, count=3_000, days=28, now=NOW)
    moments = InteractionLog.objects.values_list("created_at", flat=True)
    weekend = sum(moment.weekday() >= 5 for moment in moments) / 8
    weekday = sum(moment.weekday() < 5 for moment in moments) / 20
    assert weekday > 3 * weekend > 0
    hours = Counter(moment.hour for moment in moments)
    assert sum(hours[h] for h in range(9, 17)) > 5 * sum(hours[h] for h in range(8))


def test_failures_are_of_several_kinds_and_look_like_real_ones(library, system):
    make(system, count=3_000)
    failed = InteractionLog.objects.filter(status=CallStatus.FAILED)
    assert len(set(failed.values_list("error_kind", flat=True))) >= 5
    assert 0.01 < failed.count() / 3_000 < 0.12
    assert not failed.exclude(cost_nano=None).exists()
    assert failed.filter(error_kind=ErrorKind.TIMEOUT).earliest("latency_ms").latency_ms >= 60_000
    run = Run.objects.filter(status=RunStatus.FAILED, error_kind=ErrorKind.RATE_LIMIT).first()
    assert "Wait" in run.error_message
    assert InteractionLog.objects.filter(status=CallStatus.CANCELLED, first_token_ms__isnull=False).exists()


def test_runs_agree_with_their_calls_and_can_be_read_back(library, system):
    make(system)
    for run in Run.objects.all():
        calls = list(InteractionLog.objects.filter(run=run).order_by("created_at"))
        plan = RunPlan.model_validate(run.spec)
        assert run.calls == len(calls) > 0
        assert {call.model.alias for call in calls} == {plan.model}
        assert {call.user_id for call in calls} == {run.owner_id}
        known = [call.cost_nano for call in calls]
        assert run.cost_nano == (None if None in known else sum(known))
        assert run.created_at <= calls[0].created_at
        assert calls[-1].created_at <= run.ended_at
        if run.status == RunStatus.SUCCEEDED:
            assert {call.status for call in calls} == {CallStatus.SUCCEEDED}
    by_time = list(Run.objects.order_by("created_at").values_list("pk", flat=True))
    assert list(Run.objects.order_by("id").values_list("pk", flat=True)) == by_time


def test_runs_of_a_workflow_have_its_steps(library, system):
    make(system)
    done = Run.objects.filter(kind="workflow", status=RunStatus.SUCCEEDED).first()
    assert [(step.path, step.step_id, step.status) for step in done.steps.all()] == [
        ("1", "draft", "succeeded"),
        ("2", "facts", "succeeded"),
        ("3", "data", "succeeded"),
    ]
    assert [log.step_path for log in InteractionLog.objects.filter(run=done).order_by("id")] == ["1", "2"]
    facts = json.loads(done.steps.get(step_id="facts").output)
    assert {*facts} == {"tone", "words"}
    assert done.output == facts == done.steps.get(step_id="data").output
    for run in Run.objects.filter(kind="workflow", status=RunStatus.FAILED):
        last = run.steps.last()
        assert (last.status, last.step_id) == ("failed", run.error_step)


def test_a_prompt_step_gave_messages(scope, system):
    factories.workflow(scope)
    make(system, count=30)
    run = Run.objects.filter(kind="workflow", status=RunStatus.SUCCEEDED).first()
    log = InteractionLog.objects.get(run=run)
    messages = InteractionText.objects.get(log_id=log.pk).messages
    assert run.steps.get(step_id="question").output == {"messages": messages}


def test_a_workflow_fails_now_and_then_because_an_answer_is_no_json(library, system):
    make(system, count=2_000)
    run = Run.objects.filter(error_kind=ErrorKind.PARSE_ERROR).first()
    assert (run.error_step, run.cost_nano is not None) == ("data", True)
    assert {log.status for log in InteractionLog.objects.filter(run=run)} == {CallStatus.SUCCEEDED}


def test_versions_follow_one_another(library, system):
    prompt, _ = library
    make(system, days=9, now=NOW)
    rows = InteractionLog.objects.filter(prompt=prompt, workflow=None).order_by("created_at")
    numbers_used = [row.prompt_version.number for row in rows]
    assert numbers_used == sorted(numbers_used)
    assert {*numbers_used} == {1, 2, 3}


def test_texts_are_those_of_the_prompt(library, system):
    counts = make(system, count=50)
    assert counts.texts == InteractionText.objects.count() == 50
    log = InteractionLog.objects.filter(prompt_version__number=1, status=CallStatus.SUCCEEDED, workflow=None).first()
    text = InteractionText.objects.get(log_id=log.pk)
    run = Run.objects.get(pk=log.run_id)
    assert text.messages[0] == {"role": "system", "content": "You are terse."}
    assert text.messages[1]["content"] == f"Tell me about {run.inputs['topic']}."
    assert text.answer == run.output


def test_only_the_newest_have_texts(library, system, monkeypatch):
    monkeypatch.setattr(sample_logs, "WITH_TEXTS", 20)
    make(system, count=100)
    kept = set(InteractionText.objects.values_list("log_id", flat=True))
    newest = set(Run.objects.order_by("-created_at").values_list("pk", flat=True)[:20])
    assert kept == set(InteractionLog.objects.filter(run__in=newest).values_list("pk", flat=True))


def test_a_workspace_that_keeps_no_texts_gets_none(library, scope, system):
    scope.store_texts = StoreTexts.NOTHING
    assert make(system, count=30).texts == 0
    assert not InteractionText.objects.exists()
    assert not RunStep.objects.exclude(output=None).exists()


def test_models_with_prices_are_made_once_where_there_is_only_the_demo_one(library, system):
    make(system, count=50)
    make(system, count=50, seed=2)
    assert [*LanguageModel.objects.order_by("id").values_list("alias", flat=True)] == ["demo", "fast", "careful"]
    assert all("no AI" in model.description for model in LanguageModel.objects.filter(alias__in=("fast", "careful")))
    assert {log.model.alias for log in InteractionLog.objects.all()} == {"fast", "careful"}


def test_a_workspaces_own_models_are_used(scope, system):
    own = LanguageModel.objects.create(workspace=scope, alias="ours", name="Ours")
    make(system, count=30)
    assert {log.model_id for log in InteractionLog.objects.all()} == {own.pk}
    assert not InteractionLog.objects.exclude(cost_nano=None).exists(), "it has no price"
    assert LanguageModel.objects.count() == 2


def test_calls_are_spread_over_the_members(library, scope, system, member):
    people = [member(Role.AUTHOR), member(Role.VIEWER)]
    make(system)
    users = Counter(InteractionLog.objects.values_list("user_id", flat=True))
    assert users[people[0].pk] > users[people[1].pk] > 0
    assert not InteractionLog.objects.filter(source="studio", user=None).exists()


def test_without_prompts_the_calls_are_of_unsaved_texts(scope, system):
    make(system, count=20)
    assert InteractionLog.objects.filter(prompt=None).count() == 20
    assert {run.title for run in Run.objects.all()} == {"New prompt (not saved)"}


def test_other_workspaces_are_left_alone(library, system):
    other = factories.workspace()
    make(system, count=30)
    assert not InteractionLog.objects.with_scopes_disabled().filter(workspace=other).exists()
    assert LanguageModel.objects.with_scopes_disabled().filter(workspace=other).count() == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUTHOR, Role.OPERATOR])
def test_only_admins_may(library, scope, member, role):
    with pytest.raises(PermissionRefused):
        make(Actor(scope, member(role), role), count=1)
    assert not InteractionLog.objects.exists()


@pytest.mark.parametrize("wrong", [{"count": 0}, {"count": 10**9}, {"days": 0}, {"days": -3}])
def test_refuses_nonsense(library, system, wrong):
    with pytest.raises(InvalidInput):
        make(system, **wrong)


def test_runs_of_nested_workflows_have_their_steps_one_inside_the_other(scope, system):
    from llm_admin.selectors.trace_parts import below
    from llm_admin.selectors.traces import trace
    from llm_admin.services import gallery

    for template in gallery.templates():
        gallery.use(template.slug, actor=system)
    sample_logs.make_logs(actor=system, count=300, days=5, seed=2)
    found = {}
    for run in Run.objects.filter(kind="workflow"):
        shown = list(below(trace(run).steps))
        assert {row.path for row in run.steps.all()} <= {step.path for step in shown}
        found.setdefault((run.title, run.status), {step.path for step in shown if step.row})
    assert found["Route a support ticket v1", "succeeded"] == {"1", "2", "2.yes.1"}
    assert found["Rewrite in our voice, with approval v1", "succeeded"] == {"1", "2"}
    leads = found["Score leads in bulk v1", "succeeded"]
    assert leads == {"1", *(f"1[{entry}].{step}" for entry in (1, 2) for step in (1, 2, 3))}
    run = Run.objects.filter(title="Route a support ticket v1", status="succeeded", output__isnull=False).first()
    assert run.output["category"] == "refund"
