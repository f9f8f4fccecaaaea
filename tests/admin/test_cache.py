"""Answers from the cache, as people see them: marked, counted, found, left out and emptied."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from llm_admin.choices import CacheAnswers, Role, StoreTexts
from llm_admin.models import InteractionLog, Run, Workspace
from llm_admin.schemas.prompts import Parameters
from llm_admin.services import prompts, workspace_settings
from tests import factories
from tests.admin.dashboard.pages import about, milliseconds
from tests.admin.workflows.pages import RUN as RUN_WORKFLOW
from tests.admin.workflows.pages import data
from tests.log_rows import log, minutes_ago, run, text

LIST = reverse("admin:llm_admin_interactionlog_changelist")
NUMBERS = reverse("admin:llm_admin_numbers")
TRY = reverse("admin:llm_admin_prompt_try")
MARK = "From the cache"
BOX = 'name="no_cache"'


@pytest.fixture
def operator(member, login):
    return login(member(Role.OPERATOR))


@pytest.fixture
def change(workspace, system):
    def to(**values):
        workspace_settings.change(Workspace.objects.get(pk=workspace.pk), actor=system, **values)

    return to


def hit(scope, **values):
    return log(scope, **({"cached": True, "cost_nano": 0, "latency_ms": 1} | values))


class TestLogs:
    def test_a_hit_is_marked_in_the_list_and_can_be_filtered(self, operator, scope):
        asked, given = log(scope), hit(scope)
        assert "from the cache" in operator.get(LIST).content.decode()
        for value, expected in (("yes", [given]), ("no", [asked]), ("", [given, asked])):
            assert list(operator.get(LIST, {"cached": value}).context["cl"].result_list) == expected

    def test_its_page_says_so_and_speaks_of_no_missing_price(self, operator, scope):
        row = hit(scope)
        text(row)
        page = operator.get(reverse("admin:llm_admin_interactionlog_change", args=[row.pk])).content.decode()
        assert MARK in page
        assert "no model was asked, so it cost nothing" in page
        assert "The cost is unknown" not in page
        asked = log(scope)
        page = operator.get(reverse("admin:llm_admin_interactionlog_change", args=[asked.pk])).content.decode()
        assert MARK not in page


class TestRunPages:
    def page(self, client, made):
        return client.get(reverse("admin:llm_admin_run_panel", args=[made.pk])).content.decode()

    def test_a_prompts_run(self, operator, scope):
        made, other = run(scope), run(scope)
        hit(scope, run=made)
        log(scope, run=other)
        assert MARK in self.page(operator, made)
        assert MARK not in self.page(operator, other)

    def test_steps_of_a_workflow(self, operator, scope):
        made = run(scope, kind="workflow")
        for path, cached in (("1", True), ("2", False)):
            made.steps.create(path=path, step_id=f"s{path}", type="llm", status="succeeded", started_at=minutes_ago(1))
            log(scope, run=made, step_path=path, cached=cached)
        page = self.page(operator, made)
        assert page.count(MARK) == 1
        assert page.index(MARK) < page.index('data-step="2"')


class TestHome:
    def card(self, client):
        found = [one for one in client.get(NUMBERS).context["panel"]["cards"] if one.title == "Answered from the cache"]
        return found[0] if found else None

    def test_the_share_of_hits_and_what_they_saved(self, operator, scope):
        for _ in range(3):
            log(scope, model_id=1, cost_nano=300_000_000, input_tokens=200, output_tokens=100)
        hit(scope, model_id=1, input_tokens=100, output_tokens=100)
        card = self.card(operator)
        assert card.value == "25%"
        assert [text for text, _ in card.notes] == ["1 of 4 calls cost nothing", "Saved about $0.20"]
        assert operator.get(card.url).context["cl"].result_count == 1

    def test_what_nobody_knows_is_not_said(self, operator, scope):
        log(scope, model_id=1, cost_nano=None)
        hit(scope, model_id=1)
        hit(scope, model_id=2)
        assert [text for text, _ in self.card(operator).notes] == ["2 of 3 calls cost nothing"]

    def test_without_hits_it_is_not_spoken_of(self, operator, scope):
        log(scope)
        assert self.card(operator) is None

    def test_times_are_those_of_the_calls_that_were_made(self, operator, scope):
        log(scope, latency_ms=4_000)
        for _ in range(9):
            hit(scope)
        cards = {one.title: one for one in operator.get(NUMBERS).context["panel"]["cards"]}
        assert milliseconds(cards["Typical time of a call"].value) == about(4_000)
        assert cards["Calls"].value == "10"


class TestStudio:
    def fields(self, **more):
        spec = factories.chat_spec(parameters=Parameters(temperature=0)).model_dump_json()
        return {"spec": spec, "input-topic": "rain", "client_key": "k"} | more

    @pytest.mark.parametrize(("more", "cache"), [({}, True), ({"no_cache": "1"}, False)])
    def test_a_prompt_can_be_tried_without_it(self, author, scope, more, cache):
        assert author.post(TRY, self.fields(**more)).status_code == 200
        assert Run.objects.get().spec["cache"] is cache

    def test_the_page_knows_what_the_workspace_says(self, author, scope, change):
        address = reverse("admin:llm_admin_prompt_add")
        for values, mode, offered in (
            ({}, "deterministic", True),
            ({"cache_answers": CacheAnswers.NEVER}, "never", True),
            ({"store_texts": StoreTexts.NOTHING}, "", False),
        ):
            change(**values)
            answer = author.get(address)
            assert answer.context["state"]["cacheMode"] == mode
            assert ("Answers from the cache" in answer.content.decode()) is offered

    def test_the_setting_is_saved_with_a_version(self, author, scope):
        spec = json.loads(factories.chat_spec().model_dump_json()) | {"cache": "always"}
        fields = {"name": "Kept", "description": "", "note": "", "based_on": "", "spec": json.dumps(spec)}
        assert author.post(reverse("admin:llm_admin_prompt_add"), fields).status_code == 302
        saved = prompts.get(actor=factories.actors.system(scope), slug="kept").versions.get()
        assert saved.spec["cache"] == "always"

    def test_a_wrong_setting_is_told(self, author, scope):
        spec = json.loads(factories.chat_spec().model_dump_json()) | {"cache": "sometimes"}
        assert author.post(TRY, self.fields(spec=json.dumps(spec))).status_code == 422

    @pytest.mark.parametrize(("more", "cache"), [({}, True), ({"no_cache": "1"}, False)])
    def test_a_workflow_can_be_run_without_it(self, author, scope, more, cache):
        raw = data() | {"steps": [{"type": "llm", "id": "a", "text": "Hi"}], "inputs": []}
        assert author.post(RUN_WORKFLOW, {"spec": json.dumps(raw), "client_key": "k", **more}).status_code == 200
        assert Run.objects.get().spec["cache"] is cache


class TestDialogs:
    dialog = reverse("admin:llm_admin_prompt_run_dialog")

    @pytest.fixture
    def prompt(self, scope):
        return factories.prompt(scope, spec=factories.chat_spec(cache="always"))

    @pytest.mark.parametrize(("more", "cache"), [({}, True), ({"no_cache": "1"}, False)])
    def test_run_from_the_list(self, author, prompt, more, cache):
        given = {"pk": prompt.pk, "input-topic": "rain", "client_key": "k"} | more
        assert author.post(self.dialog, given).status_code == 200
        assert Run.objects.get().spec["cache"] is cache

    def test_the_choice_is_shown_where_it_means_something(self, author, scope, prompt, change):
        never = factories.prompt(scope, spec=factories.chat_spec(cache="never"))
        assert BOX in author.get(self.dialog, {"pk": prompt.pk}).content.decode()
        assert BOX not in author.get(self.dialog, {"pk": never.pk}).content.decode()
        assert BOX in author.get(self.dialog, {"pk": [prompt.pk, never.pk]}).content.decode()
        warm = factories.prompt(scope, spec=factories.chat_spec(parameters=Parameters(temperature=0.5)))
        cold = factories.prompt(scope, spec=factories.chat_spec(parameters=Parameters(temperature=0)))
        assert BOX not in author.get(self.dialog, {"pk": warm.pk}).content.decode()
        assert BOX in author.get(self.dialog, {"pk": cold.pk}).content.decode()
        change(store_texts=StoreTexts.NOTHING)
        assert BOX not in author.get(self.dialog, {"pk": prompt.pk}).content.decode()

    @pytest.mark.parametrize(("more", "cache"), [({}, True), ({"no_cache": "1"}, False)])
    def test_run_again(self, author, ada, prompt, more, cache):
        author.post(self.dialog, {"pk": prompt.pk, "input-topic": "rain", "client_key": "k"})
        before = Run.objects.get()
        Run.objects.update(status="succeeded")
        again = reverse("admin:llm_admin_run_again", args=[before.pk])
        assert BOX in author.get(again).content.decode()
        author.post(again, {"input-topic": "rain", "client_key": "k2", **more})
        assert Run.objects.get(again_of=before).spec["cache"] is cache


def emptying(workspace):
    return reverse("admin:llm_admin_workspace_empty_cache", args=[workspace.pk])


class TestSettings:
    def test_an_admin_empties_it(self, member, login, workspace):
        client = login(member(Role.ADMIN))
        address = reverse("admin:llm_admin_workspace_settings")
        assert "Last emptied" not in client.get(address, follow=True).content.decode()
        page = client.post(emptying(workspace), follow=True).content.decode()
        assert "The cache is empty." in page
        assert "Last emptied" in page
        assert Workspace.objects.get().cache_emptied_at is not None

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.AUTHOR, Role.OPERATOR])
    def test_others_do_not(self, member, login, workspace, role):
        assert login(member(role)).post(emptying(workspace)).status_code == 403
        assert Workspace.objects.get().cache_emptied_at is None

    def test_another_workspace_is_not_emptied_from_here(self, member, login, workspace):
        other = factories.workspace()
        assert login(member(Role.ADMIN)).post(emptying(other)).status_code == 404
        assert not Workspace.objects.exclude(cache_emptied_at=None).exists()

    def test_a_link_does_not(self, member, login, workspace):
        assert login(member(Role.ADMIN)).get(emptying(workspace)).status_code == 405

    @pytest.mark.parametrize(
        ("hours", "works"), [("1", True), ("0", False), ("", False), ("x", False), ("8785", False)]
    )
    def test_the_rules_are_set_there(self, member, login, workspace, hours, works):
        fields = {"name": "W", "store_texts": "masked", "currency": "USD", "currency_rate": "1"}
        fields |= {"cache_answers": "always", "cache_hours": hours}
        address = reverse("admin:llm_admin_workspace_change", args=[workspace.pk])
        answer = login(member(Role.ADMIN)).post(address, fields)
        saved = Workspace.objects.get()
        assert (answer.status_code == 302) is works
        assert ((saved.cache_answers, saved.cache_hours) == ("always", 1)) is works


def test_numbers_of_versions_and_estimates_leave_hits_out(scope):
    from llm_admin.selectors import estimates, prompt_numbers, version_numbers

    prompt = factories.prompt(scope)
    version = prompt.versions.get()
    for _ in range(3):
        log(scope, prompt=prompt, prompt_version=version, cost_nano=1_000, latency_ms=500)
        hit(scope, prompt=prompt, prompt_version=version)
    assert version_numbers.of_version(prompt, version).cost_nano == 1_000
    assert estimates.estimate(prompt_id=prompt.pk).latency_ms.low == 500
    assert prompt_numbers.weeks([prompt.pk])[prompt.pk].p95_ms == pytest.approx(500, rel=0.025)
    assert InteractionLog.objects.count() == 6
