from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from llm_admin.admin.base import ConsoleAdmin, actor_of
from llm_admin.admin.forms import TwoButtons, add_problems
from llm_admin.choices import Role
from llm_admin.exceptions import Conflict
from llm_admin.models import Membership
from llm_admin.services import members
from llm_admin.services.actors import Actor
from llm_admin.templatetags.llm_format import ago


class RoleForm(forms.ModelForm):
    """For a member that is there; `actor` is set per request."""

    actor: Actor
    role = forms.ChoiceField(choices=Role.choices, widget=UnfoldAdminRadioSelectWidget)

    class Meta:
        model = Membership
        fields = ("role", "calls_per_minute")

    def clean_role(self) -> str:
        role = self.cleaned_data["role"]
        try:
            members.check_role(self.instance, actor=self.actor, role=role)
        except Conflict as error:
            raise forms.ValidationError(str(error)) from None
        return role


class AddForm(forms.ModelForm):
    actor: Actor
    username = forms.CharField(
        max_length=150,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
        help_text="The name they sign in with. If nobody has it yet, an account is made and its password shown once.",
    )
    email = forms.EmailField(
        label="E-mail",
        required=False,
        widget=UnfoldAdminEmailInputWidget({"autocomplete": "off"}),
        help_text="Only for a new account.",
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.AUTHOR, widget=UnfoldAdminRadioSelectWidget)

    class Meta:
        model = Membership
        fields = ("role",)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if username := data.get("username"):
            add_problems(self, members.check(actor=self.actor, username=username, email=data.get("email", "")))
        return data


@admin.register(Membership)
class MembershipAdmin(TwoButtons, ConsoleAdmin):
    list_display = ("person", "short_role", "email", "last_seen", "since")
    list_select_related = ("user",)
    change_form_outer_after_template = "llm_admin/members/_numbers.html"
    search_fields = ("user__username", "user__first_name", "user__last_name", "user__email")
    actions = None

    def get_form(self, request: HttpRequest, obj: Membership | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, form=RoleForm if obj else AddForm, **kwargs)
        return type(form.__name__, (form,), {"actor": actor_of(request)})

    def get_fieldsets(self, request: HttpRequest, obj: Membership | None = None) -> Any:
        return ((None, {"fields": ("account", "role", "calls_per_minute") if obj else ("username", "email", "role")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        return ("account",) if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor = actor_of(request)
        if change:
            data = form.cleaned_data
            members.change_role(obj, actor=actor, role=data["role"])
            members.change_limit(obj, actor=actor, calls_per_minute=data["calls_per_minute"])
            return
        data = form.cleaned_data
        added = members.add(actor=actor, username=data["username"], role=data["role"], email=data["email"])
        obj.pk, obj.user, obj.workspace = added.membership.pk, added.membership.user, added.membership.workspace
        request._llm_password = added.password  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Membership, post_url_continue: str | None = None) -> HttpResponse:
        """A new account's password is shown on this one answer; a message would put it into a cookie."""
        password = request._llm_password  # type: ignore[attr-defined]
        if password is None:
            return super().response_add(request, obj, post_url_continue)
        context = {
            **self.admin_site.each_context(request),
            "title": "Account created",
            "member": obj,
            "password": password,
        }
        return TemplateResponse(
            request, "llm_admin/members/password.html", context, headers={"Cache-Control": "no-store"}
        )

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        members.remove(obj, actor=actor_of(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user")

    @display(description="person", ordering="user__username", header=True)
    def person(self, obj: Membership) -> list[str]:
        name = obj.user.get_full_name() if hasattr(obj.user, "get_full_name") else ""
        return [name or obj.user.get_username(), obj.user.get_username() if name else ""]

    @display(description="person")
    def account(self, obj: Membership) -> str:
        """`person` in one text: on the page unfold shows a list as Python writes it."""
        name, username = self.person(obj)
        return f"{name} ({username})" if username else name

    @display(description="role", ordering="role")
    def short_role(self, obj: Membership) -> str:
        return obj.get_role_display().partition(":")[0]

    @display(description="e-mail", empty_value="–")
    def email(self, obj: Membership) -> str | None:
        return getattr(obj.user, obj.user.get_email_field_name(), "") or None

    @display(description="last signed in", ordering="user__last_login")
    def last_seen(self, obj: Membership) -> SafeString | str:
        return ago(obj.user.last_login)

    @display(description="member since", ordering="created_at")
    def since(self, obj: Membership) -> SafeString | str:
        return ago(obj.created_at)
