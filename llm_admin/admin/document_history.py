"""All pages about a document's versions and labels, for any family."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern

from llm_admin.admin.document_labels import LabelPages
from llm_admin.admin.document_publish import PublishPages
from llm_admin.admin.document_saving import DocumentForm
from llm_admin.admin.document_versions import VersionPages


def urls_of(form: DocumentForm, wrap: Any) -> list[URLPattern]:
    pages = (VersionPages(form), LabelPages(form.family), PublishPages(form.family))
    return [url for page in pages for url in page.urls(wrap)]
