from __future__ import annotations

import pytest
from django.urls import reverse

from llm_admin.choices import Role
from llm_admin.models import Connection, InteractionLog
from tests import factories
from tests.admin.dashboard.pages import HOME, NUMBERS, PART, some_calls
from tests.log_rows import log, minutes_ago, run, unsaved


class TestEmptyConsole:
    def test_shows_three_steps_instead_of_zeros(self, operator, scope):
        factories.prompt(scope)
        page = operator.get(HOME)
        assert [step.title for step in page.context["steps"]] == [
            "Try a prompt",
            "Connect a model",
            "Run a workflow",
        ]
        assert "panel" not in page.context
        for step in page.context["steps"]:
            assert operator.get(step.url).status_code == 200

    def test_offers_nobody_what_they_may_not_do(self, member, login, scope):
        steps = login(member(Role.VIEWER)).get(HOME).context["steps"]
        assert [step.action for step in steps] == ["", "", ""]
        assert "Ask an author" in steps[0].text
        assert "An operator" in steps[1].text

    def test_without_prompts_the_first_step_is_their_import(self, member, login, scope):
        step = login(member(Role.AUTHOR)).get(HOME).context["steps"][0]
        assert step.url == reverse("admin:llm_admin_prompt_import")

    def test_a_connected_provider_is_a_step_done(self, operator, scope):
        Connection.objects.create(workspace=scope, name="OpenAI", provider="openai")
        page = operator.get(HOME)
        assert [step.done for step in page.context["steps"]] == [False, True, False]
        assert "(done)" in page.content.decode()

    def test_calls_of_another_workspace_leave_it_empty(self, operator, scope):
        log(factories.workspace())
        assert "steps" in operator.get(HOME).context


def test_somebody_without_a_workspace_reads_whom_to_ask(outsider, login):
    page = login(outsider).get(HOME)
    assert page.status_code == 200
    assert "Ask an admin to add you" in page.content.decode()


class TestParts:
    def test_the_page_itself_asks_for_no_number(self, operator, scope, django_assert_max_num_queries):
        some_calls(scope)
        with django_assert_max_num_queries(20) as queries:
            page = operator.get(HOME, {"range": "30d", "source": "studio"})
        html = page.content.decode()
        assert f'hx-get="{NUMBERS}?range=30d&amp;source=studio"' in html
        assert [f"?part={name}" in html for name in ("budgets", "providers", "runs")] == [True] * 3
        assert not [query["sql"] for query in queries if "latency_ms" in query["sql"]]

    def test_recent_runs_are_ones_own_unless_one_may_see_all(self, member, login, scope):
        author, other = member(Role.AUTHOR), member(Role.AUTHOR)
        run(scope, title="Mine v1", owner=author)
        run(scope, title="Theirs v1", owner=other)
        html = login(author).get(PART).content.decode()
        assert "Mine v1" in html
        assert "Theirs v1" not in html
        html = login(member(Role.OPERATOR)).get(PART, {"part": "runs"}).content.decode()
        assert "Mine v1" in html
        assert "Theirs v1" in html

    def test_providers_have_names_for_operators_and_a_count_for_others(self, member, login, scope):
        Connection.objects.create(workspace=scope, name="Works", provider="openai", healthy=True)
        Connection.objects.create(workspace=scope, name="Broken", provider="openai", healthy=False, problem="No key.")
        Connection.objects.create(workspace=factories.workspace(), name="Elsewhere", provider="openai", healthy=False)
        html = login(member(Role.VIEWER)).get(PART, {"part": "providers"}).content.decode()
        assert "1 of 3 providers does not work" in html, "the demo model is one, too"
        assert "Broken" not in html
        html = login(member(Role.OPERATOR)).get(PART, {"part": "providers"}).content.decode()
        assert html.index("Broken") < html.index("Works")
        assert "No key." in html
        assert "Elsewhere" not in html

    def test_unknown_parts_and_people_outside_get_nothing(self, operator, outsider, login, client):
        assert operator.get(PART, {"part": "secrets"}).status_code == 404
        assert login(outsider).get(PART).status_code == 403
        client.logout()
        assert client.get(PART).status_code == 302


@pytest.mark.parametrize(
    ("path", "most"),
    [(HOME, 20), (PART + "?part=runs", 20), (PART + "?part=providers", 20), (PART + "?part=budgets", 20)],
)
def test_queries_do_not_grow(operator, scope, django_assert_max_num_queries, path, most):
    counts = []
    for count in (3, 30):
        InteractionLog.objects.bulk_create([unsaved(scope, at=minutes_ago(n)) for n in range(count)])
        for number in range(count):
            run(scope, title=f"Run {number}", owner=None)
            Connection.objects.create(workspace=scope, name=f"C{count}-{number}", provider="openai")
        with django_assert_max_num_queries(most) as queries:
            assert operator.get(path).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
