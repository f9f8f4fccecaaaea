"""A model with several places: shares, fallbacks, limits."""

from __future__ import annotations

import pytest

from llm_admin.models import Deployment
from tests.admin.models.pages import LIST, form, page, row


def place_of(model, connection, name, priority, weight=1, **fields):
    return Deployment.objects.create(
        model=model, connection=connection, provider_model=name, priority=priority, weight=weight, **fields
    )


def test_places_are_saved_with_their_limits(operator, fast, place, acme):
    limits = {"weight": 70, "requests_per_minute": 60, "tokens_per_minute": 9_000, "max_concurrency": 4}
    rows = [
        row(0, acme.pk, "acme-1", pk=place.pk, model=fast.pk, **limits),
        row(1, acme.pk, "acme-2", model=fast.pk, priority=2),
    ]
    assert operator.post(page(fast), form(*rows, initial=1)).status_code == 302
    first, second = Deployment.objects.filter(model=fast)
    assert {name: getattr(first, name) for name in limits} == limits
    assert (second.priority, second.weight, second.max_concurrency) == (2, 1, None)
    html = operator.get(page(fast)).content.decode()
    assert "Calls go to acme-1 at Acme; if that fails, to acme-2 at Acme." in html
    assert "acme-1 at Acme takes at most 60 requests a minute and 9,000 tokens a minute and 4 calls" in html


@pytest.mark.parametrize("field", ["weight", "requests_per_minute", "tokens_per_minute", "max_concurrency"])
@pytest.mark.parametrize("value", ["0", "-1", "x", "1e9", "9" * 30])
def test_bad_limits_are_said_at_their_field(operator, fast, place, acme, field, value):
    data = form(row(0, acme.pk, "acme-1", pk=place.pk, model=fast.pk, **{field: value}), initial=1)
    response = operator.post(page(fast), data)
    assert response.status_code == 200
    assert field in response.context["inline_admin_formsets"][0].formset.errors[0]


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ([("a", 1, 70), ("b", 1, 30)], "Calls go to a at Acme (70 %) and b at Acme (30 %)."),
        (
            [("a", 1, 70), ("b", 1, 30), ("c", 2, 1)],
            "Calls go to a at Acme (70 %) and b at Acme (30 %); if both fail, to c at Acme."
            " If that fails as well, the call fails.",
        ),
        (
            [("a", 1, 1), ("b", 2, 1), ("c", 2, 1), ("d", 2, 2)],
            "Calls go to a at Acme; if that fails, to b at Acme (25 %), c at Acme (25 %) and d at Acme (50 %)."
            " If all 3 fail as well, the call fails.",
        ),
    ],
)
def test_what_the_places_mean_together_is_said(operator, fast, place, acme, places, words):
    place.delete()
    for name, priority, weight in places:
        place_of(fast, acme, name, priority, weight)
    place_of(fast, acme, "off", 0, enabled=False)
    assert words in operator.get(page(fast)).content.decode()


def test_a_model_without_a_place_says_so(operator, fast, place):
    Deployment.objects.update(enabled=False)
    assert "This model runs nowhere" in operator.get(page(fast)).content.decode()


def test_the_list_shows_what_stands_behind(operator, fast, place, acme):
    place_of(fast, acme, "acme-2", 1)
    place_of(fast, acme, "acme-3", 2)
    html = operator.get(LIST).content.decode()
    assert "with acme-2 at Acme; then acme-3 at Acme" in html
