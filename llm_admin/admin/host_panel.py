"""On the page of a batch that ran on rows of a table: the way to its proposals."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from llm_admin.admin.batch_page import EXTRAS
from llm_admin.admin.host_actions import review_url
from llm_admin.choices import BatchKind
from llm_admin.models import Batch
from llm_admin.services.actors import Actor


def panel(request: HttpRequest, actor: Actor, batch: Batch) -> dict[str, Any]:
    if batch.kind != BatchKind.OBJECTS:
        return {}
    return {"panel": "llm_admin/host_rows/_panel.html", "review_url": review_url(batch)}


EXTRAS.append(panel)
