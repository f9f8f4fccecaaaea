"""Values from the host's columns to inputs, and from answers back, by the columns' own rules."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django.core.validators import MinValueValidator
from django.db import models

from console.shop.models import Product
from llm_admin.schemas.variables import VariableSpec
from llm_admin.services import host_fields

CHOICES = [("kitchen", "Kitchen"), ("home", "Home and living")]


def column(field, name="field"):
    field.set_attributes_from_name(name)
    return field


@pytest.mark.parametrize(
    ("field", "given", "value"),
    [
        (models.CharField(max_length=20), "  A line.\n", "A line."),
        (models.CharField(max_length=20, blank=True), None, ""),
        (models.CharField(max_length=20), True, "yes"),
        (models.CharField(max_length=20), 12, "12"),
        (models.TextField(), ["one", "two"], "one\ntwo"),
        (models.CharField(max_length=20, choices=CHOICES), "Home and Living", "home"),
        (models.CharField(max_length=20, choices=CHOICES), "KITCHEN", "kitchen"),
        (models.IntegerField(choices=[(1, "Low"), (2, "High")]), "high", 2),
        (models.IntegerField(choices=[(1, "Low"), (2, "High")]), 1, 1),
        (models.DecimalField(max_digits=6, decimal_places=2), "12.50", Decimal("12.50")),
        (models.DecimalField(max_digits=6, decimal_places=2), 12.5, Decimal("12.5")),
        (models.IntegerField(), "3.0", 3),
        (models.IntegerField(null=True, blank=True), "", None),
        (models.FloatField(), "1.5e3", 1500.0),
        (models.BooleanField(), "No", False),
        (models.BooleanField(), True, True),
        (models.DateField(), "2026-05-03", dt.date(2026, 5, 3)),
        (models.DateField(), 20260503, dt.date(2026, 5, 3)),
        (models.TimeField(), "14:30", dt.time(14, 30)),
        (models.DurationField(), "01:30:00", dt.timedelta(hours=1, minutes=30)),
        (models.UUIDField(), "12345678123456781234567812345678", uuid.UUID("12345678123456781234567812345678")),
        (models.URLField(), "https://example.com/", "https://example.com/"),
        (models.JSONField(), '{"a": [1]}', {"a": [1]}),
        (models.JSONField(), ["a"], ["a"]),
    ],
)
def test_an_answer_becomes_what_the_column_holds(field, given, value):
    assert host_fields.cleaned(column(field), given) == value


@pytest.mark.parametrize(
    ("field", "given", "sentence"),
    [
        (models.CharField(max_length=5), "too long", "at most 5 characters"),
        (models.CharField(max_length=5), "", "cannot be blank"),
        (models.CharField(max_length=50), "half \ud800", "surrogate"),
        (models.CharField(max_length=50), "nul \x00", "NUL"),
        (models.CharField(max_length=20, choices=CHOICES), "garden", "“garden” is none of: Kitchen, Home and living."),
        (models.CharField(max_length=20, choices=CHOICES), {"home": 1}, "none of"),
        (models.DecimalField(max_digits=6, decimal_places=2), "12.505", "2 decimal places"),
        (models.DecimalField(max_digits=6, decimal_places=2), "about twelve", "must be a number"),
        (models.DecimalField(max_digits=6, decimal_places=2), float("nan"), "number that JSON cannot write"),
        (models.DecimalField(max_digits=6, decimal_places=2, validators=[MinValueValidator(0)]), "-1", "greater than"),
        (models.IntegerField(), "3.5", "not a whole number"),
        (models.IntegerField(), True, "must be a number"),
        (models.IntegerField(), ["3"], "must be a number"),
        (models.IntegerField(), "", "cannot be null"),
        (models.FloatField(), "1e999", "ordinary number"),
        (models.FloatField(), 10**400, "does not fit"),
        (models.BooleanField(), "perhaps", "must be yes or no"),
        (models.DateField(), "next May", "date"),
        (models.DateField(), ["2026-05-03"], "one value"),
        (models.UUIDField(), "x", "UUID"),
        (models.EmailField(), "nobody", "email"),
        (models.JSONField(), "{'a': 1}", "is not JSON"),
        (models.JSONField(), {"a": float("inf")}, "JSON cannot write"),
    ],
)
def test_what_does_not_fit_is_a_sentence(field, given, sentence):
    with pytest.raises(ValueError, match=".") as refused:
        host_fields.cleaned(column(field), given)
    assert sentence.casefold() in str(refused.value).casefold()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (models.DecimalField(max_digits=9, decimal_places=4), Decimal("12.5000")),
        (models.DateTimeField(), dt.datetime(2026, 5, 3, 12, 0, 0, 123457, tzinfo=dt.UTC)),
        (models.DateField(), dt.date(2026, 5, 3)),
        (models.TimeField(), dt.time(1, 2, 3, 4)),
        (models.DurationField(), dt.timedelta(days=-1, microseconds=7)),
        (models.UUIDField(), uuid.UUID(int=7)),
        (models.FloatField(), 0.1 + 0.2),
        (models.BooleanField(), False),
        (models.CharField(max_length=9), " kept  "),
        (models.JSONField(), {"a": [None, 1.5]}),
        (models.IntegerField(null=True), None),
    ],
)
def test_what_is_remembered_comes_back_as_it_was(field, value):
    kept = host_fields.stored(column(field), value)
    back = host_fields.restored(field, kept)
    assert (back, repr(back), type(back)) == (value, repr(value), type(value))


def variable(kind="long_text"):
    return VariableSpec(name="x", type=kind)


def test_what_inputs_are_given():
    product = Product(name="Kettle", category="home", price=Decimal("9.90"), in_stock=True)
    read = host_fields.input_value
    assert read(product, "name", variable()) == "Kettle"
    assert read(product, "category", variable()) == "home"
    assert read(product, "category:label", variable()) == "Home and living"
    assert read(product, "=A value: typed", variable()) == "A value: typed"
    assert read(product, "weight", variable()) is None
    assert variable("number").value(read(product, "price", variable("number"))) == 9.9
    assert variable("boolean").value(read(product, "in_stock", variable("boolean"))) is True
    assert read(product, "nothing_like_it", variable()) is None
    product.updated_at = dt.datetime(2026, 5, 3, 12, tzinfo=dt.UTC)
    assert variable("date").value(read(product, "updated_at", variable("date"))) == "2026-05-03"


def test_only_columns_that_can_be_edited_are_offered_for_writing():
    every = {f.name for f in Product._meta.fields}
    names = [f.name for f in host_fields.targets(Product, every)]
    assert names == ["name", "description", "price", "category", "tagline", "audience", "in_stock", "weight"]
    assert [f.name for f in host_fields.targets(Product, {"tagline", "id", "updated_at", "objects"})] == ["tagline"]


def test_relations_files_and_keys_are_never_offered_for_writing():
    for field in (
        models.ForeignKey(Product, models.CASCADE), models.FileField(), models.BinaryField(editable=True),
        models.CharField(primary_key=True, max_length=9), models.BigAutoField(primary_key=True),
        models.CharField(max_length=9, editable=False),
    ):  # fmt: skip
        assert not host_fields.is_target(column(field))
