"""django-import-export's side of import and export: formats, and a resource whose result is our plan.

The library would save objects row by row; here everything goes through `services.library`, so that the page, the
command and the demo do the same, and versions, labels and permissions are those of the product.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from import_export.formats.base_formats import Format
from import_export.resources import Resource
from import_export.results import InvalidRow, Result, RowResult

from llm_admin.models import Prompt
from llm_admin.services import library
from llm_admin.services.actors import Actor


class LibraryFormat(Format):
    """Any file that can be imported."""

    def __init__(self, encoding: str | None = None) -> None:
        """The library passes an encoding to every format; ours read bytes."""

    def get_title(self) -> str:
        return "CSV, Excel or JSON"

    def can_import(self) -> bool:
        return True

    def create_dataset(self, in_stream: bytes) -> library.Reading:
        return library.read(in_stream)


class JSONFormat(Format):
    def get_title(self) -> str:
        return "JSON: everything, with all versions, notes and labels"

    def can_export(self) -> bool:
        return True

    def is_binary(self) -> bool:
        return False

    def get_extension(self) -> str:
        return "json"

    def get_content_type(self) -> str:
        return "application/json; charset=utf-8"

    def export_data(self, dataset: dict[str, Any], **_: Any) -> str:
        return library.to_json(dataset)


class CSVFormat(JSONFormat):
    def get_title(self) -> str:
        return "CSV: the Live version of each prompt, for Excel and the like"

    def get_extension(self) -> str:
        return "csv"

    def get_content_type(self) -> str:
        return "text/csv; charset=utf-8"

    def export_data(self, dataset: dict[str, Any], **_: Any) -> str:
        return library.to_csv(dataset)


class LibraryResult(Result):
    plan: library.Plan


class PromptResource(Resource):
    """Between the library's flow and the plan: a plan's items are the rows of its result."""

    def __init__(self, *, actor: Actor, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.actor = actor

    @classmethod
    def get_display_name(cls) -> str:
        return "Prompts"

    def import_data(self, dataset: library.Reading, dry_run: bool = False, **given: Any) -> LibraryResult:
        form = given["form"]
        dataset.filename = str(given.get("file_name") or "")[:200]
        plan = library.make(dataset, actor=self.actor)
        if dry_run:
            form.plan = plan
        else:
            library.apply(plan, actor=self.actor, confirmed=form.fingerprint)
        return _result(plan)

    def export(self, queryset: QuerySet[Prompt], **_: Any) -> dict[str, Any]:
        return library.export(actor=self.actor, prompts=list(queryset.values_list("pk", flat=True)))


KINDS = {
    library.Action.NEW: RowResult.IMPORT_TYPE_NEW,
    library.Action.NEW_VERSION: RowResult.IMPORT_TYPE_UPDATE,
    library.Action.UNCHANGED: RowResult.IMPORT_TYPE_SKIP,
}


def _result(plan: library.Plan) -> LibraryResult:
    result = LibraryResult()
    result.plan = plan
    for item in plan.items:
        row = RowResult()
        row.import_type = KINDS[item.action]
        row.instance = item.document
        result.append_row_result(row)
        result.increment_row_result_total(row)
    result.invalid_rows = [
        InvalidRow(number, ValidationError(problem.message), values=()) for number, problem in enumerate(plan.problems)
    ]
    return result
