from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models

from llm_admin.choices import BudgetPeriod, BudgetScope, BudgetUnit
from llm_admin.tenancy import scoped


class Budget(models.Model):
    """How much may be spent in a period, by whom or on what. A call beyond it is refused before it costs."""

    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="budgets")
    name = models.CharField(max_length=100, help_text="People who are refused read this name.")
    scope = models.CharField("it counts", max_length=10, choices=BudgetScope, default=BudgetScope.WORKSPACE)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    group = models.ForeignKey("auth.Group", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    prompt = models.ForeignKey("llm_admin.Prompt", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    workflow = models.ForeignKey(
        "llm_admin.Workflow", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    period = models.CharField(max_length=5, choices=BudgetPeriod, default=BudgetPeriod.MONTH)
    unit = models.CharField("in", max_length=6, choices=BudgetUnit, default=BudgetUnit.MONEY)
    # US nano-dollars, tokens, or calls.
    limit = models.BigIntegerField(validators=[MinValueValidator(1)])
    warn_at = models.JSONField(default=list, blank=True, help_text="Percent, e.g. 50, 80.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Whom people ask for more; gets the warnings.",
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: Any = scoped()

    class Meta:
        ordering = ("name",)
        permissions = (("override_budget", "Can give a budget more for a period"),)
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "name"),
                name="llm_admin_budget_name",
                violation_error_message="There is a budget of this name already.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class BudgetUse(models.Model):
    """What was used of a budget in one period: settled, and reserved by calls that are on their way."""

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="uses")
    starts_on = models.DateField()
    used = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    unknown_calls = models.PositiveIntegerField(default=0)  # whose cost nobody knows
    refused_calls = models.PositiveIntegerField(default=0)
    warned = models.JSONField(default=list)  # percents that were told already

    objects: Any = scoped("budget__workspace")

    class Meta:
        ordering = ("-starts_on",)
        constraints = (models.UniqueConstraint(fields=("budget", "starts_on"), name="llm_admin_budget_use"),)

    def __str__(self) -> str:
        return f"{self.budget} from {self.starts_on}"


class BudgetReservation(models.Model):
    """Of one call; given back when the call ends, or when the process that made it is gone."""

    use = models.ForeignKey(BudgetUse, on_delete=models.CASCADE, related_name="reservations")
    call = models.UUIDField(db_index=True)
    amount = models.BigIntegerField()
    run = models.UUIDField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    objects: Any = scoped("use__budget__workspace")

    def __str__(self) -> str:
        return f"{self.amount} of {self.use}"


class BudgetOverride(models.Model):
    """Who let a budget be exceeded, by how much, in which period, and why. Never changed or deleted."""

    use = models.ForeignKey(BudgetUse, on_delete=models.CASCADE, related_name="overrides")
    amount = models.BigIntegerField(validators=[MinValueValidator(1)])
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=300)
    refused_before = models.PositiveIntegerField(default=0)  # calls, in this period until then
    created_at = models.DateTimeField(auto_now_add=True)

    objects: Any = scoped("use__budget__workspace")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.amount} more of {self.use}"
