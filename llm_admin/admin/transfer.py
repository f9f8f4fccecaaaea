"""Import, export and the sample prompts on the list of prompts: django-import-export's views, our plan and words."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from import_export.admin import ExportActionMixin, ImportMixin

from llm_admin.admin.base import actor_of
from llm_admin.admin.resources import CSVFormat, JSONFormat, LibraryFormat, LibraryResult, PromptResource
from llm_admin.admin.transfer_forms import (
    LibraryConfirmForm,
    LibraryExportForm,
    LibraryImportForm,
    UploadStorage,
    signed,
)
from llm_admin.exceptions import InvalidInput
from llm_admin.models import Prompt
from llm_admin.services import library

MOST_PROBLEMS = 100


class PromptTransferMixin(ImportMixin, ExportActionMixin):
    """For PromptAdmin. The library asks for the permissions import_prompt and export_prompt; so do the services."""

    resource_classes = (PromptResource,)
    import_form_class = LibraryImportForm
    confirm_form_class = LibraryConfirmForm
    export_form_class = LibraryExportForm
    tmp_storage_class = UploadStorage
    import_export_change_list_template = "llm_admin/library/change_list.html"
    import_template_name = "llm_admin/library/import.html"
    export_template_name = "llm_admin/library/export.html"
    change_form_template = None
    sample_count = library.SAMPLE_COUNT
    show_change_form_export = False

    def get_import_formats(self) -> list[type[LibraryFormat]]:
        return [LibraryFormat]

    def get_export_formats(self) -> list[type[JSONFormat]]:
        return [JSONFormat, CSVFormat]

    def get_resource_kwargs(self, request: HttpRequest, *_: Any, **__: Any) -> dict[str, Any]:
        return {"actor": actor_of(request)}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        offer = library.SAMPLE_COUNT if library.samples_missing(actor_of(request)) else 0
        return super().changelist_view(request, {**(extra_context or {}), "samples": offer})

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """A form, then the preview of what it would do (nothing is saved), or what is wrong with the file."""
        response = super().import_action(request, **kwargs)
        context = response.context_data
        result = context.get("result")
        context |= {"title": "Import prompts", "subtitle": None}
        if result:
            context |= self._preview(result.plan)
        elif request.method == "GET" and library.samples_missing(actor_of(request)):
            context["samples"] = library.SAMPLE_COUNT
        if context["form"].errors or (result and result.has_validation_errors()):
            response.status_code = 422
        return response

    def _preview(self, plan: library.Plan) -> dict[str, Any]:
        problems = plan.problems[:MOST_PROBLEMS]
        shown = {"problems": problems, "more_problems": len(plan.problems) - len(problems)}
        return shown | {
            "plan": plan,
            "counts": plan.counts,
            "sections": [] if problems else library.sections(plan),
            "title": f"Import {plan.filename}",
        }

    def add_data_read_fail_error_to_form(self, form: LibraryImportForm, e: Exception) -> None:
        """The library hands over whatever was raised; what is not about the file is a fault of ours."""
        if not isinstance(e, InvalidInput):
            raise e
        for problem in e.problems:
            form.add_error("import_file", str(problem))

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return {"form": kwargs["form"]}

    def get_confirm_form_kwargs(
        self, request: HttpRequest, import_form: LibraryImportForm | None = None
    ) -> dict[str, Any]:
        return super().get_confirm_form_kwargs(request, import_form) | {"actor": actor_of(request)}

    def get_confirm_form_initial(self, request: HttpRequest, import_form: LibraryImportForm | None) -> dict[str, Any]:
        initial = super().get_confirm_form_initial(request, import_form)
        if import_form is not None and import_form.plan is not None:
            initial["import_file_name"] = signed(actor_of(request), initial["import_file_name"], import_form.plan)
        return initial

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        response = super().process_import(request, **kwargs)
        if isinstance(response, TemplateResponse):  # the confirmation was not in order
            response.status_code = 422
        return response

    def process_result(self, result: LibraryResult, request: HttpRequest) -> HttpResponse:
        messages.success(request, library.sentence(result.plan))
        return HttpResponseRedirect(reverse("admin:llm_admin_prompt_changelist"))

    def get_export_queryset(self, request: HttpRequest) -> QuerySet[Prompt]:
        """What the list shows, filters and search included."""
        try:
            return super().get_export_queryset(request)
        except IncorrectLookupParameters:
            raise SuspiciousOperation("This is no filter of the list.") from None

    def get_valid_export_item_pks(self, request: HttpRequest) -> list[int]:
        return list(Prompt.objects.values_list("pk", flat=True))

    def get_export_filename(self, request: HttpRequest, queryset: QuerySet[Prompt], file_format: Any) -> str:
        return super().get_export_filename(request, queryset, file_format).lower().replace("prompt-", "prompts-", 1)

    def get_export_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_export_context_data(**kwargs) | {"formats": self.get_export_formats()}

    def init_request_context_data(self, request: HttpRequest, form: LibraryExportForm) -> dict[str, Any]:
        return super().init_request_context_data(request, form) | {"title": "Export prompts"}

    def export_admin_action(self, request: HttpRequest, queryset: QuerySet[Prompt]) -> HttpResponse:
        """The list's action: the same form, for what was ticked."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        chosen = list(queryset.values_list("pk", flat=True))
        form = LibraryExportForm(self.get_export_formats(), self.resource_classes)
        context = self.init_request_context_data(request, form)
        context |= {"chosen": chosen, "export_url": reverse("admin:llm_admin_prompt_export")}
        return TemplateResponse(request, self.export_template_name, context)
