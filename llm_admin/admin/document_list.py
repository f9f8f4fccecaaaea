"""What the lists of prompts and of workflows share. Adding and changing is the studio's page (document_studio.py)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from llm_admin.admin.base import actor_of
from llm_admin.admin.document_studio import Studio
from llm_admin.admin.run_dialog import RunActionsMixin
from llm_admin.services import documents
from llm_admin.templatetags.llm_format import ago


class DocumentAdmin(RunActionsMixin):
    """Columns for `list_display`: "shown_name", "edited", and at the end "run_link"."""

    studio: ClassVar[Studio]
    ordering = ("name",)

    def get_urls(self) -> list[URLPattern]:
        wrap, noun = self.admin_site.admin_view, self.studio.noun
        return [
            path("<int:pk>/runs/", wrap(self.studio.recent_runs), name=f"llm_admin_{noun}_runs"),
            path("<int:pk>/restore/", wrap(self.studio.form.restore), name=f"llm_admin_{noun}_restore"),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return self.studio.page(self, request, object_id)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Versions and labels go with their document; Django would report the labels as in the way."""
        names = [format_html("{}, with its {} versions", document, document.last_number) for document in objs]
        return names, {self.opts.verbose_name_plural: len(names)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        documents.delete(obj, actor=actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for document in queryset:
            documents.delete(document, actor=actor_of(request))

    @display(description="Name", ordering="name")
    def shown_name(self, document: Any) -> SafeString | str:
        if not document.description:
            return document.name
        return format_html('{}<span class="llm-under">{}</span>', document.name, document.description)

    @display(description="Last edited", ordering="updated_at")
    def edited(self, document: Any) -> SafeString | str:
        return ago(document.updated_at)
