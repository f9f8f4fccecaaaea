"""The connections, models, prices and budgets that the pictures of bin/screenshots show, besides those of the demo."""

from __future__ import annotations

# Nobody listens at port 9: the first place always fails, and the second one answers.
PREPARE_MODELS = """
import datetime as dt
from decimal import Decimal
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils import timezone
from llm_admin.choices import BudgetPeriod, BudgetScope, BudgetUnit
from llm_admin.models import Budget, Connection, Deployment, LanguageModel, Monitor, Prompt, Workspace
from llm_admin.selectors import budgets as selector
from llm_admin.selectors.budget_periods import span_of
from llm_admin.services import actors, budgets, connections, models, monitor_delivery, monitor_watch, monitors, prices
from llm_admin.services import repricing, workspaces
from llm_admin.tenancy import workspace_scope

ws, users = workspaces.default(), get_user_model()._default_manager
operator, author = users.get(username="operator"), users.get(username="author")
now = timezone.now()

def model(actor, name, places):
    made = LanguageModel(name=name, alias=name.lower().replace(" ", "-"), description="For what customers read.")
    models.save(made, actor=actor)
    for connection, provider_model, priority, weight in places:
        place = Deployment(
            model=made, connection=connection, provider_model=provider_model, priority=priority, weight=weight
        )
        if priority == 1:
            place.requests_per_minute, place.max_concurrency = 600, 20
        models.save_deployment(place, actor=actor)
    return made

def price(actor, place, day, amount, **more):
    rates = {"input_per_million": Decimal(amount), "output_per_million": 4 * Decimal(amount)}
    prices.add(place, actor=actor, starts_at=day, **rates, **more)

def budget(actor, name, scope, unit, period, part, **more):
    one = Budget(workspace=ws, name=name, scope=scope, unit=unit, period=period, warn_at=[50, 80], limit=1, **more)
    used, _ = selector.counted(one, span_of(period, now))
    whole = max(1, used * 100 // part) if used else 10**9
    one.limit = round(whole, -7) if unit == BudgetUnit.MONEY else whole
    return budgets.save(one, actor=actor)

def watch(actor, name, **more):
    one = monitors.save(Monitor(name=name, **more), actor=actor)
    monitor_watch.look_now(one, actor=actor)
    monitor_delivery.send_due()

with workspace_scope(ws):
    actor = actors.system(ws)
    office = connections.save(
        Connection(name="Office server", provider="openai", base_url="http://127.0.0.1:9/v1"),
        actor=actor, key="sk-proj-Picture0123456789abcdefghijklmnopqrst",
    )
    demo = Connection.objects.filter(provider="fake").first()
    careful = model(
        actor, "Customer texts", [(office, "gpt-oss:120b", 1, 7), (office, "gpt-oss:20b", 1, 3), (demo, "demo", 2, 1)]
    )
    last = careful.deployments.get(priority=2)
    price(actor, last, now - dt.timedelta(days=90), "0.8")
    price(actor, last, now - dt.timedelta(days=20), "0.5", cached_input_per_million=Decimal("0.05"))
    price(actor, last, now + dt.timedelta(days=30), "0.4")
    for alias in ("fast", "careful"):  # calls of the first can be priced again, those of the second were
        place = Deployment.objects.get(model__alias=alias)
        price(actor, place, now - dt.timedelta(days=10), "0.4")
    repricing.run(actor=actor, model=place.model, deployments=[place.pk], since=now - dt.timedelta(days=10))
    author.groups.add(Group.objects.get_or_create(name="Marketing")[0])
    team = budget(
        actor, "The team's month", BudgetScope.WORKSPACE, BudgetUnit.MONEY, BudgetPeriod.MONTH, 85, owner=operator
    )
    budgets.override(team, actor=actor, amount=10**7, reason="The spring campaign came a week early")
    reply = Prompt.objects.get(slug="support-reply")
    budget(
        actor, "Trial of the support reply", BudgetScope.PROMPT, BudgetUnit.CALLS, BudgetPeriod.MONTH, 100,
        prompt=reply, owner=operator,
    )
    budget(
        actor, "Marketing", BudgetScope.GROUP, BudgetUnit.TOKENS, BudgetPeriod.WEEK, 20,
        group=Group.objects.get(name="Marketing"),
    )
    budget(
        actor, "Last year's campaign", BudgetScope.WORKSPACE, BudgetUnit.MONEY, BudgetPeriod.MONTH, 50, enabled=False
    )
    watch(
        actor, "Slow answers", measure="p95", alarm=1_000, warn=500, window=10080, owner=operator, remind_hours=24,
        addresses=["team@example.org"], note="Look at the provider's status page, then ask the operator.",
    )
    watch(actor, "Cost of a day", measure="cost", alarm=10**12, warn=1_000_000, window=1440, owner=operator)
    watch(actor, "Is the support reply still used?", measure="calls", alarm=1, direction="below", prompt=reply)
    watch(actor, "Failures", measure="error_rate", alarm=90_000, window=43200, min_calls=20)
"""
