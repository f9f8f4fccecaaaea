from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone

from llm_admin.choices import PriceSource
from llm_admin.tenancy import scoped

NON_NEGATIVE = [MinValueValidator(Decimal(0))]
AT_LEAST_ONE = [MinValueValidator(1)]


def _dollars(title: str, help_text: str) -> models.DecimalField[Any, Any]:
    return models.DecimalField(
        title, max_digits=12, decimal_places=6, null=True, blank=True, validators=NON_NEGATIVE, help_text=help_text
    )


class LanguageModel(models.Model):
    """What people pick from a list ("Fast"). Behind it stand one or more deployments."""

    workspace = models.ForeignKey("llm_admin.Workspace", on_delete=models.CASCADE, related_name="models")
    alias = models.CharField(
        max_length=60,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9._-]*$", "Small letters, digits, dots, dashes, underscores.")],
        help_text="The short name that prompts, code and files use, e.g. “fast”.",
    )
    name = models.CharField(max_length=100, help_text="What people see in lists, e.g. “Fast”.")
    description = models.CharField(max_length=300, blank=True, help_text="When to pick this one.")
    enabled = models.BooleanField(default=True, help_text="Switched off, it is offered nowhere and refuses new runs.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects: Any = scoped()

    class Meta:
        verbose_name = "model"
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "alias"),
                name="llm_admin_model_alias",
                violation_error_message="There is a model with this alias already.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Deployment(models.Model):
    """One place where a model runs: a connection and the provider's own name for the model."""

    model = models.ForeignKey(LanguageModel, on_delete=models.CASCADE, related_name="deployments")
    connection = models.ForeignKey("llm_admin.Connection", on_delete=models.PROTECT, related_name="deployments")
    provider_model = models.CharField("provider's model name", max_length=200)
    priority = models.PositiveSmallIntegerField(default=1, help_text="The lowest number is used first.")
    weight = models.PositiveSmallIntegerField(
        default=1, validators=AT_LEAST_ONE, help_text="Share among those of one priority."
    )
    requests_per_minute = models.PositiveIntegerField(
        null=True, blank=True, validators=AT_LEAST_ONE, help_text="Empty: no limit of ours."
    )
    tokens_per_minute = models.PositiveIntegerField(
        null=True, blank=True, validators=AT_LEAST_ONE, help_text="In and out together. Empty: no limit of ours."
    )
    max_concurrency = models.PositiveIntegerField(
        "at the same time",
        null=True,
        blank=True,
        validators=AT_LEAST_ONE,
        help_text="Calls in flight at once. Empty: no limit of ours.",
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: Any = scoped("model__workspace")

    class Meta:
        ordering = ("priority", "id")

    def __str__(self) -> str:
        return f"{self.provider_model} at {self.connection}"


class DeploymentPrice(models.Model):
    """US dollars per million tokens from a date on. Never changed once logs refer to it: add a later one instead."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="prices")
    starts_at = models.DateTimeField("valid from", default=timezone.now)
    input_per_million = models.DecimalField(
        "input, $ per million tokens", max_digits=12, decimal_places=6, validators=NON_NEGATIVE
    )
    output_per_million = models.DecimalField(
        "output, $ per million tokens", max_digits=12, decimal_places=6, validators=NON_NEGATIVE
    )
    cached_input_per_million = models.DecimalField(
        "cached input, $ per million tokens",
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=NON_NEGATIVE,
        help_text="Empty: as input.",
    )
    cache_write_per_million = _dollars("cache write, $ per million tokens", "Empty: as input.")
    reasoning_per_million = _dollars("reasoning, $ per million tokens", "Empty: as output.")
    per_request = _dollars("$ per request", "Beside the tokens. Empty: nothing.")
    # [{"above": 200000, "input": "2.5", ...}]: with more input tokens than that, these rates hold for the whole call.
    tiers = models.JSONField(default=list, blank=True)
    source = models.CharField(max_length=10, choices=PriceSource, default=PriceSource.OWN)
    # Of published prices only: whose, and until when they were this deployment's (it runs something else since).
    origin = models.CharField(max_length=200, blank=True, editable=False)
    ends_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: Any = scoped("deployment__model__workspace")

    class Meta:
        verbose_name = "price"
        ordering = ("-starts_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("deployment", "source", "starts_at"),
                name="llm_admin_price_start",
                violation_error_message="There is a price from this moment on already.",
            ),
        )

    def __str__(self) -> str:
        return f"${self.input_per_million.normalize():f} in, ${self.output_per_million.normalize():f} out"
