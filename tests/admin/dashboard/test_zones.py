"""Days of the zones that people read in are kept ready, and only of these."""

from __future__ import annotations

from django.urls import reverse

from llm_admin.models import UsageZone
from llm_admin.services import rollup_days
from tests.admin.dashboard.pages import NUMBERS
from tests.log_rows import log


def test_whoever_looks_at_numbers_gets_days_of_their_zone(operator, scope):
    log(scope)
    operator.cookies["llm_zone"] = "Asia/Kolkata"
    assert operator.get(NUMBERS).status_code == 200
    assert list(UsageZone.objects.values_list("name", flat=True)) == ["Asia/Kolkata"]
    operator.get(reverse("admin:index"))
    assert UsageZone.objects.count() == 1


def test_the_consoles_own_zone_needs_no_row_and_those_used_last_stay(operator, scope):
    log(scope)
    names = [
        "Europe/Berlin",
        "Europe/Paris",
        "Asia/Tokyo",
        "Asia/Dubai",
        "America/Lima",
        "America/Denver",
        "Asia/Seoul",
    ]
    for name in ["UTC", *names]:
        rollup_days.use_zone(scope.pk, name)
    assert set(UsageZone.objects.values_list("name", flat=True)) == set(names[1:])
