"""Django's own users and groups in the console's look. Superusers only: members are managed under Members."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin as StockGroupAdmin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm


class SuperusersOnly(ModelAdmin):
    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)


class UserAdmin(SuperusersOnly, StockUserAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    filter_horizontal = ()  # its boxes have no labels and its colours are the stock admin's
    compressed_fields = True
    warn_unsaved_form = True


class GroupAdmin(SuperusersOnly, StockGroupAdmin):
    filter_horizontal = ()
    compressed_fields = True


def replace_stock_admin(model: Any, stock: type[Any], ours: type[Any]) -> None:
    """A project with an admin of its own for its users keeps it."""
    if type(admin.site._registry.get(model)) is stock:
        admin.site.unregister(model)
        admin.site.register(model, ours)


replace_stock_admin(get_user_model(), StockUserAdmin, UserAdmin)
replace_stock_admin(Group, StockGroupAdmin, GroupAdmin)
