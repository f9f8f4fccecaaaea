"""How the cost of a call came about."""

from __future__ import annotations

from django import template

from llm_admin.models import InteractionLog
from llm_admin.services import computed

register = template.Library()


@register.filter
def explained(log: InteractionLog) -> computed.Computed:
    """`{% with how=log|explained %}`; the log's price is loaded with it."""
    return computed.explain(log)
