"""Budgets as they are made, changed and found wrong; and what their owners are told by mail."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async

from llm_admin.choices import Role
from llm_admin.exceptions import InvalidInput, NotFound, PermissionRefused
from llm_admin.models import (
    Budget,
    BudgetUse,
)
from llm_admin.services import budget_mails, budgets
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.services.budget_calls import actor_of, budget, call, make, refused, run

pytestmark = pytest.mark.django_db(transaction=True)


class TestSaving:
    @pytest.mark.parametrize(
        ("values", "place", "words"),
        [
            ({"limit": 0}, "limit", "above 0"),
            ({"limit": 10**19}, "limit", "more than a budget can hold"),
            ({"warn_at": [0]}, "warn_at", "from 1 to 99"),
            ({"warn_at": ["80"]}, "warn_at", "from 1 to 99"),
            ({"warn_at": {"a": 1}}, "warn_at", "from 1 to 99"),
            ({"scope": "user"}, "user", "Choose a person"),
            ({"scope": "prompt", "prompt_id": 99999}, "prompt", "Choose a prompt"),
            ({"scope": "group", "group_id": 99999}, "group", "Choose a group"),
            ({"scope": "moon"}, "scope", "not a valid choice"),
            ({"name": ""}, "name", "cannot be blank"),
        ],
    )
    def test_bad_input_is_said_at_its_field(self, scope, values, place, words):
        with pytest.raises(InvalidInput) as refusal:
            budget(scope, **values)
        assert any(problem.location == (place,) and words in problem.message for problem in refusal.value.problems)
        assert not Budget.objects.exists()

    def test_names_are_unique_in_a_workspace(self, scope):
        budget(scope)
        with pytest.raises(InvalidInput, match="of this name already"):
            budget(scope)
        other = factories.workspace()
        with workspace_scope(other):
            budget(other)

    def test_what_it_counts_stays(self, scope, system):
        made = budget(scope)
        made.unit = "tokens"
        with pytest.raises(InvalidInput, match="stays as it is"):
            budgets.save(made, actor=system)

    def test_people_of_other_workspaces_are_neither_counted_nor_owners(self, scope, member):
        stranger = member(where=factories.workspace())
        with pytest.raises(InvalidInput, match="Choose a person"):
            budget(scope, scope="user", user=stranger)
        with pytest.raises(InvalidInput, match="Choose a member"):
            budget(scope, owner=stranger)

    @pytest.mark.parametrize(
        ("role", "may"), [("viewer", False), ("author", False), ("operator", True), ("admin", True)]
    )
    def test_operators_and_admins(self, scope, member, role, may):
        actor = actor_of(scope, member(role), role)
        if may:
            budgets.delete(budgets.save(Budget(name="A", unit="calls", limit=1), actor=actor), actor=actor)
            return
        with pytest.raises(PermissionRefused):
            budgets.save(Budget(name="A", unit="calls", limit=1), actor=actor)
        with pytest.raises(PermissionRefused):
            budgets.delete(budget(scope), actor=actor)

    def test_another_tenant_may_not(self, scope, member):
        made, other = budget(scope), factories.workspace()
        theirs = actor_of(other, member(Role.ADMIN, where=other), Role.ADMIN)
        with pytest.raises(NotFound):
            budgets.save(made, actor=theirs)
        with pytest.raises(NotFound):
            budgets.override(made, actor=theirs, amount=1, reason="Mine")

    async def test_a_change_is_effective_at_once(self, scope, system):
        made = await make(scope, limit=1)
        await call(run(scope))
        await refused(run(scope))
        made.limit = 2
        await sync_to_async(budgets.save)(made, actor=system)
        await call(run(scope))


class TestWarnings:
    @pytest.fixture
    def told(self, scope, member, settings, mailoutbox):
        settings.LLM_ADMIN = {**settings.LLM_ADMIN, "MAIL_FROM": "console@example.com"}
        owner = member(Role.OPERATOR, "olga")
        owner.email = "olga@example.com"
        owner.save()
        made = budget(scope, limit=100, warn_at=[50, 80], owner=owner)

        def use_up_to(number):
            BudgetUse.objects.filter(budget=made).update(used=number)
            budget_mails.send_warnings()
            return [mail.subject for mail in mailoutbox]

        use_up_to.budget = made
        return use_up_to

    def test_each_level_once(self, told, mailoutbox):
        assert told(49) == []
        assert told(50) == ["Budget “Team” is used to 50%"]
        assert told(60) == told(50)
        assert told(81)[1:] == ["Budget “Team” is used to 81%"]
        assert told(100)[2:] == ["Budget “Team” is used up: calls are refused"]
        assert len(told(100)) == 3
        assert mailoutbox[0].bcc == ["olga@example.com"]
        assert "Used: 50 calls of 100 calls." in mailoutbox[0].body
        assert f"/admin/llm_admin/budget/{told.budget.pk}/change/" in mailoutbox[0].body

    def test_two_levels_at_once_are_one_mail(self, told):
        assert told(90) == ["Budget “Team” is used to 90%"]
        assert told(90) == ["Budget “Team” is used to 90%"]

    def test_refusals_are_told(self, told):
        BudgetUse.objects.update(refused_calls=1)
        assert told(30) == ["Budget “Team” is used to 30%, and refused a call"]

    def test_refusals_are_not_told_again_when_more_was_allowed(self, told, system):
        BudgetUse.objects.update(refused_calls=1)
        used_up = ["Budget “Team” is used up: calls are refused"]
        assert told(100) == used_up
        budgets.override(told.budget, actor=system, amount=200, reason="The archive")
        assert told(110) == used_up
        assert told(160)[1:] == ["Budget “Team” is used to 53%, and refused a call"]
        assert told(300)[2:] == used_up

    def test_with_a_higher_limit_the_levels_are_told_again(self, told, system):
        assert len(told(60)) == 1
        told.budget.limit = 1000
        budgets.save(told.budget, actor=system)
        assert len(told(60)) == 1
        assert told(500)[1:] == ["Budget “Team” is used to 50%"]

    def test_nobody_is_told_without_a_sender(self, told, settings):
        settings.LLM_ADMIN = {**settings.LLM_ADMIN, "MAIL_FROM": ""}
        assert told(90) == []
        settings.LLM_ADMIN = {**settings.LLM_ADMIN, "MAIL_FROM": "console@example.com"}
        assert len(told(90)) == 1

    def test_a_mail_server_that_is_gone_does_no_harm(self, told, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_PORT = 9
        assert told(90) == []
