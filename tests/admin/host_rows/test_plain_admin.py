"""The mixin on Django's own ModelAdmin and a second site (unfold's: its templates want one); what hosts override."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import override_settings
from django.urls import path
from unfold.sites import UnfoldAdminSite

from console.shop.models import Product
from llm_admin.admin import WorkflowActionsMixin
from tests import shop
from tests.admin.host_rows.conftest import asked, html

site = UnfoldAdminSite(name="backoffice")


@admin.register(Product, site=site)
class PlainProductAdmin(WorkflowActionsMixin, admin.ModelAdmin):
    list_display = ("name",)
    fields = ("name", "description", "tagline", "audience")
    readonly_fields = ("audience",)

    def get_queryset(self, request):
        return super().get_queryset(request).exclude(name="Product 002")

    def has_change_permission(self, request, obj: Model | None = None):
        return super().has_change_permission(request, obj) and getattr(obj, "name", "") != "Product 003"

    def save_workflow_changes(self, request, obj, fields):
        obj.description = f"Changed by {request.user}"
        obj.save(update_fields=[*fields, "description"])


from console.urls import urlpatterns as console_urls  # noqa: E402

urlpatterns = [*console_urls, path("backoffice/", site.urls)]
LIST = "/backoffice/shop/product/"


@pytest.fixture(autouse=True)
def _both_sites():
    with override_settings(ROOT_URLCONF=__name__):
        yield


def test_from_the_list_to_the_applied_change(author, scope, run):
    rows, workflow = shop.products(4), shop.workflow(scope)
    text = html(author.post(LIST, {"action": "llm_run_workflow", "_selected_action": [one.pk for one in rows]}))
    assert "Run on 3 products" in text, "one is hidden"
    assert 'value="price"' not in text, "the form does not show the price"
    assert '<option value="audience"' in text, "it may be read"
    refused = html(author.post(f"{LIST}workflow/", asked(rows, workflow)), 422)
    assert "You may not change the field “audience” here." in refused
    started = author.post(f"{LIST}workflow/", asked(rows, workflow, **{"out-audience": ""}))
    assert started["Location"].startswith(f"{LIST}workflow/")
    assert html(author.get(started["Location"])).count("data-row>") == 3


def test_its_own_permissions_and_its_own_way_of_saving(author, run):
    batch = run(shop.products(4))
    url = f"{LIST}workflow/{batch.pk}/"
    text = html(author.get(url))
    assert "not there any more" in text
    assert "You may not change this row." in text
    author.post(f"{url}apply/", {"all": "1"})
    assert list(Product.objects.order_by("pk").values_list("tagline", "audience", "description")) == [
        ("Line for Product 001", "", "Changed by anna"),
        ("", "", "Good."),
        ("", "", "Good."),
        ("Line for Product 004", "", "Changed by anna"),
    ]
