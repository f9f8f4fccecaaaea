"""{% feedback log %} or {% feedback run %}: thumbs and a note below an answer."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from llm_admin.models import InteractionLog
from llm_admin.selectors import feedback as selected

register = template.Library()


@register.filter
def last_log(calls: Any) -> InteractionLog | None:
    """Of a prompt's run: the call that gave the answer."""
    return calls[-1].log if calls else None


@register.inclusion_tag("llm_admin/feedback/_box.html", takes_context=True)
def feedback(context: Context, subject: Any, words: str = "") -> dict[str, Any]:
    """One query for all the answers of a run; for none, where the view has put `feedback_given` into the context."""
    if not subject:
        return {}
    is_log = isinstance(subject, InteractionLog)
    given = _given(context, subject).get(selected.key_of(subject), selected.Given())
    shared = {"request": context["request"], "csrf_token": context.get("csrf_token"), "words": words}
    return shared | {"given": given, "name": "log" if is_log else "run", "subject": subject}


def _given(context: Context, subject: Any) -> dict[selected.Key, selected.Given]:
    if (known := context.get("feedback_given")) is not None:
        return known
    run = subject.run_id if isinstance(subject, InteractionLog) else subject.pk
    which: dict[str, Any] = {"runs": [run]} if run else {"logs": [subject.pk]}
    request = context["request"]
    kept = request.__dict__.setdefault("_llm_feedback", {})
    if (place := run or subject.pk) not in kept:
        kept[place] = selected.given(request.user, **which)
    return kept[place]


@register.inclusion_tag("llm_admin/feedback/_count.html")
def feedback_count(counted: selected.Counted | None, version: Any, noun: str = "prompt") -> dict[str, Any]:
    """“12 up, 3 down”, each a link to those calls (of a workflow: runs)."""
    lists = {"prompt": "admin:llm_admin_interactionlog_changelist", "workflow": "admin:llm_admin_run_changelist"}
    parameter = "version" if noun == "prompt" else "workflow_version"
    return {"counted": counted, "version": version, "list": lists[noun], "parameter": parameter, "noun": noun}
