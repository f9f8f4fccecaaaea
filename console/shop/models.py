"""A table as any project has one: it shows how workflows run on the host's own rows."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models


class Category(models.TextChoices):
    KITCHEN = "kitchen", "Kitchen"
    HOME = "home", "Home and living"
    OUTDOOR = "outdoor", "Outdoor"
    OFFICE = "office", "Office"
    CARE = "care", "Body care"


class Product(models.Model):
    name = models.CharField(max_length=120, unique=True)
    description = models.TextField()
    price = models.DecimalField(max_digits=8, decimal_places=2, validators=[MinValueValidator(0)])
    category = models.CharField(max_length=20, choices=Category)
    tagline = models.CharField(max_length=160, blank=True)
    audience = models.CharField(max_length=160, blank=True, help_text="Who buys it.")
    in_stock = models.BooleanField(default=True)
    weight = models.PositiveIntegerField(null=True, blank=True, help_text="In grams.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
