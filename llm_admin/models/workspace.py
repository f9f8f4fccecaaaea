from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models

from llm_admin.choices import CacheAnswers, Role, StoreTexts
from llm_admin.models.versioned import LIVE, LIVE_TITLE
from llm_admin.tenancy import scoped

DEFAULT_WORKSPACE_SLUG = "default"


class Workspace(models.Model):
    """A tenant, and what its running team may change at once (the *workspace settings* page)."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    default_model = models.ForeignKey(
        "llm_admin.LanguageModel",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Used by prompts and steps that name no model of their own.",
    )
    store_texts = models.CharField(
        "what is kept of texts",
        max_length=10,
        choices=StoreTexts,
        default=StoreTexts.MASKED,
        help_text="Applies to runs from now on. Numbers (time, tokens, cost) are always kept.",
    )
    currency = models.CharField(
        max_length=3,
        default="USD",
        validators=[RegexValidator(r"^[A-Z]{3}$", "Three capital letters, such as EUR.")],
        help_text="Costs are shown in this currency.",
    )
    currency_rate = models.DecimalField(
        "units for one US dollar",
        max_digits=14,
        decimal_places=6,
        default=Decimal(1),
        validators=[MinValueValidator(Decimal("0.000001"))],
        help_text="Prices are entered in US dollars; 0.92 shows one dollar as 0.92 of your currency.",
    )
    protected_labels = models.CharField(
        max_length=500,
        blank=True,
        help_text="Labels that only operators and admins move, separated by commas, such as: Live, staging.",
    )
    cache_answers = models.CharField(
        "answers from the cache",
        max_length=14,
        choices=CacheAnswers,
        default=CacheAnswers.DETERMINISTIC,
        help_text="An answer that is given again costs nothing and is marked. A prompt's settings may say otherwise.",
    )
    cache_hours = models.PositiveIntegerField(
        "hours that answers are kept", default=24, validators=[MinValueValidator(1)]
    )
    cache_emptied_at = models.DateTimeField(null=True, editable=False)  # answers from before are not given again
    calls_per_minute = models.PositiveIntegerField(
        "calls a person may make in a minute",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Model calls by one person, however they are started. Empty: no limit.",
    )
    keep_texts_days = models.PositiveIntegerField(
        "days that texts are kept",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Messages, answers, inputs and results of runs, rows of batches, notes. "
        "Empty: as long as their rows.",
    )
    keep_logs_days = models.PositiveIntegerField(
        "days that calls and runs are kept",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Afterwards only the numbers of dashboards stay, and what people thought of answers. Empty: forever.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "workspace settings"
        verbose_name_plural = "workspace settings"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def protected(self) -> frozenset[str]:
        """The names of protected labels, as they are stored."""
        names = (name.strip().lower() for name in self.protected_labels.split(","))
        return frozenset(LIVE if name == LIVE_TITLE.lower() else name for name in names if name)


class Membership(models.Model):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="llm_memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.AUTHOR)
    calls_per_minute = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Only for this person. Empty: as the workspace's settings say.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: Any = scoped()

    class Meta:
        verbose_name = "member"
        ordering = ("user__username",)
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "user"),
                name="llm_admin_one_membership",
                violation_error_message="This person is a member already; change the role there.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display().partition(':')[0].lower()})"
