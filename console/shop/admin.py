from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin

from console.shop.models import Product
from llm_admin.admin import WorkflowActionsMixin


@admin.register(Product)
class ProductAdmin(WorkflowActionsMixin, ModelAdmin):
    list_display = ("name", "category", "price", "tagline", "audience", "in_stock")
    list_filter = ("category", "in_stock")
    search_fields = ("name", "description")
    readonly_fields = ("updated_at",)
    list_per_page = 50
