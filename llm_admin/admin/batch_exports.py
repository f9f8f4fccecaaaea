"""The results of a batch as a file to download."""

from __future__ import annotations

import re
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from llm_admin.admin.batch_new import CSV, XLSX
from llm_admin.admin.batch_page import batch_or_404
from llm_admin.models import Batch
from llm_admin.services import batch_results

_ODD = re.compile(r"[^\w.-]+")


@require_GET
def export(request: HttpRequest, pk: uuid.UUID, kind: str) -> HttpResponseBase:
    batch = batch_or_404(request, pk)
    headers = {"Content-Disposition": f'attachment; filename="{_name(batch)}.{kind}"'}
    if kind == "csv":
        parts = batch_results.csv_parts(batch)
        body = _in_threads(parts) if isinstance(request, ASGIRequest) else parts
        return StreamingHttpResponse(body, content_type=CSV, headers=headers)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    batch_results.write_xlsx(batch, file)
    file.seek(0)
    return FileResponse(file, content_type=XLSX, headers=headers)


async def _in_threads(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Django would read a synchronous iterator to its end before it sends anything."""
    following = sync_to_async(lambda: next(parts, None))
    while (part := await following()) is not None:
        yield part


def _name(batch: Batch) -> str:
    plain = _ODD.sub("-", batch.title.encode("ascii", errors="ignore").decode()).strip("-").lower()
    return f"{plain or 'batch'}-{batch.created_at:%Y-%m-%d}"
