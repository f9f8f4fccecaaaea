"""The columns of the list of logs: what each shows, and which ones somebody chose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from llm_admin.choices import CallStatus
from llm_admin.models import InteractionLog
from llm_admin.selectors import logs
from llm_admin.templatetags import llm_format
from llm_admin.tenancy import current_workspace

NOTHING = "–"
TITLES = {
    "when": "When",
    "what": "Prompt or workflow",
    "model_name": "Model",
    "outcome": "Outcome",
    "latency": "Time",
    "first_token": "First token",
    "token_counts": "Tokens in → out",
    "cost": "Cost",
    "who": "Who",
    "source_name": "Source",
    "version_name": "Version",
    "step": "Step",
    "place": "Where it ran",
    "cached_tokens": "Cached tokens",
    "tried_before": "Tried before",
    "number": "Number",
}
DEFAULT = tuple(TITLES)[:10]


def chosen(names: Iterable[Any]) -> tuple[str, ...]:
    """Those that there are, in the order of the list; the default where nothing is left."""
    names = set(names)
    return tuple(name for name in TITLES if name in names) or DEFAULT


class LogColumns:
    """Each column is a method of the same name."""

    @display(description=TITLES["when"])
    def when(self, log: InteractionLog) -> SafeString | str:
        return llm_format.ago(log.created_at)

    @display(description=TITLES["what"])
    def what(self, log: InteractionLog) -> SafeString:
        found = getattr(log, "snippet", "")
        return format_html(
            '{}<span class="llm-log-detail">{}</span>{}',
            logs.name_of(log),
            logs.detail_of(log),
            format_html('<span class="llm-log-snippet">{}</span>', found) if found else "",
        )

    @display(description=TITLES["model_name"])
    def model_name(self, log: InteractionLog) -> str:
        return str(log.model or NOTHING)

    @display(description=TITLES["outcome"])
    def outcome(self, log: InteractionLog) -> SafeString:
        """Of a failure, its kind says more than "failed"."""
        failed = log.status == CallStatus.FAILED and log.error_kind
        return format_html(
            '<span class="llm-status llm-status-{}"><span class="llm-status-dot" aria-hidden="true"></span>{}</span>',
            log.status,
            log.get_error_kind_display() if failed else log.get_status_display(),
        )

    @display(description=TITLES["latency"])
    def latency(self, log: InteractionLog) -> str:
        return llm_format.duration(log.latency_ms)

    @display(description=TITLES["first_token"])
    def first_token(self, log: InteractionLog) -> str:
        return NOTHING if log.first_token_ms is None else llm_format.duration(log.first_token_ms)

    @display(description=TITLES["token_counts"])
    def token_counts(self, log: InteractionLog) -> str:
        if log.input_tokens is None and log.output_tokens is None:
            return llm_format.UNKNOWN
        return f"{llm_format.tokens(log.input_tokens)} → {llm_format.tokens(log.output_tokens)}"

    @display(description=TITLES["cost"])
    def cost(self, log: InteractionLog) -> SafeString | str:
        said = llm_format.cost(log.cost_nano, current_workspace())
        return format_html('{}<span class="llm-log-detail">from the cache</span>', said) if log.cached else said

    @display(description=TITLES["who"])
    def who(self, log: InteractionLog) -> str:
        return str(log.user or NOTHING)

    @display(description=TITLES["source_name"])
    def source_name(self, log: InteractionLog) -> str:
        return log.get_source_display()

    @display(description=TITLES["version_name"])
    def version_name(self, log: InteractionLog) -> str:
        return str(log.prompt_version or NOTHING)

    @display(description=TITLES["step"])
    def step(self, log: InteractionLog) -> str:
        return log.step_path or NOTHING

    @display(description=TITLES["place"])
    def place(self, log: InteractionLog) -> str:
        return str(log.deployment or NOTHING)

    @display(description=TITLES["cached_tokens"])
    def cached_tokens(self, log: InteractionLog) -> str:
        return NOTHING if log.cached_input_tokens is None else llm_format.tokens(log.cached_input_tokens)

    @display(description=TITLES["tried_before"])
    def tried_before(self, log: InteractionLog) -> str:
        return ", ".join(llm_format.error_kind(one.get("error_kind", "")) for one in log.tried or []) or NOTHING

    @display(description=TITLES["number"])
    def number(self, log: InteractionLog) -> str:
        return str(log.pk)
