"""What every page of the console shares: only the workspace's rows, and object pages that carry their own workspace."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django_jsonform.models.fields import JSONField as JSONFormField
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from llm_admin.exceptions import Elsewhere
from llm_admin.services import workspaces
from llm_admin.services.actors import Actor, for_request


def actor_of(request: HttpRequest) -> Actor:
    """Cached on the request. Raises PermissionRefused for somebody without any workspace."""
    if not hasattr(request, "_llm_actor"):
        request._llm_actor = for_request(request)  # type: ignore[attr-defined]
    return request._llm_actor  # type: ignore[attr-defined]


def find(request: HttpRequest, model: type[Model], pk: Any, *, path: str = "workspace") -> Any:
    """The object, if it is in the current workspace; Elsewhere (a redirect that switches) if it is in another one
    that the person belongs to; None otherwise. Custom views use `find_or_404`."""
    actor_of(request)  # somebody without any workspace is refused here, not by the manager
    try:
        found = model._default_manager.filter(pk=pk).first()
        if found is None and request.method == "GET":
            _look_elsewhere(request, model, pk, path)
    except (ValueError, TypeError, ValidationError):
        return None
    return found


def find_or_404(request: HttpRequest, model: type[Model], pk: Any, *, path: str = "workspace") -> Any:
    found = find(request, model, pk, path=path)
    if found is None:
        raise Http404
    return found


def _look_elsewhere(request: HttpRequest, model: type[Model], pk: Any, path: str) -> None:
    """Raises Elsewhere. What the current workspace has and this person may not see stays unseen."""
    here = getattr(request.workspace, "pk", None)  # type: ignore[attr-defined]
    theirs = [workspace for workspace in workspaces.roles_of(request.user) if workspace != here]
    rows = model._base_manager.filter(pk=pk, **{f"{path}__in": theirs})
    workspace_id = rows.values_list(path, flat=True).first()
    if workspace_id is not None:
        raise Elsewhere(workspace_id)


class ConsoleChangeList(ChangeList):
    """Without a second count: an unfiltered list is as long as itself, and offers no “Show all”."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.get_filters_params():
            self.full_result_count: int | None = self.result_count


class ConsoleAdmin(ModelAdmin):
    """Base of all our admins. Rows come from the scoped default manager; pickers and autocompletes too.

    `workspace_path` leads from the model to its workspace, as in its manager. Permissions come from the role
    (llm_admin.auth). Exceptions of the services become answers in llm_admin.middleware.
    """

    formfield_overrides = {JSONFormField: {"widget": None}}  # unfold's own widget would replace jsonform's
    workspace_path = "workspace"
    list_per_page = 50
    show_full_result_count = False
    compressed_fields = True
    warn_unsaved_form = True

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ConsoleChangeList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        actor_of(request)
        found = super().get_object(request, object_id, from_field)
        if found is None and request.method == "GET":
            with suppress(ValueError, TypeError, ValidationError):
                _look_elsewhere(request, self.model, object_id, self.workspace_path)
        return found

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        if not change and self.workspace_path == "workspace":
            obj.workspace = actor_of(request).workspace  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)


class ReadOnlyAdmin(ConsoleAdmin):
    """Of what is recorded: there to be read, by whoever may view it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OwnPageAdmin(ReadOnlyAdmin):
    """Its object pages are our own views (`page`); Django's form of fields is never shown."""

    def page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        raise NotImplementedError

    def new_page(self, request: HttpRequest) -> HttpResponse:
        raise PermissionDenied

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if object_id is None:
            return self.new_page(request)
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        return self.page(request, object_id)
