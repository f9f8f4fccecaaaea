"""The way to a batch from the list of workflows."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from llm_admin.admin.run_dialog import RunActionsMixin


class BatchLinkMixin(RunActionsMixin):
    """For WorkflowAdmin: "Many rows…" beside "Run…"."""

    @display(description="")
    def run_link(self, document: Any) -> SafeString:
        address = f"{reverse('admin:llm_admin_batch_add')}?workflow={document.pk}"
        many = format_html(
            '<a class="llm-button llm-button-small" href="{}">Many rows…<span class="llm-sr"> through {}</span></a>',
            address,
            document,
        )
        return format_html('<span class="llm-batch-links">{}{}</span>', super().run_link(document), many)
