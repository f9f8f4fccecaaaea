"""The secrets that texts are searched for: every connection's key, SECRET_KEY, and LLM_ADMIN["EXTRA_SECRETS"]."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings as django_settings

from llm_admin import log_lines
from llm_admin.conf import settings
from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.models import Connection, Workspace
from llm_admin.services import catalogue
from llm_admin.tenancy import across_workspaces

if TYPE_CHECKING:
    from llm_admin.runtime.redaction import Redactor
    from llm_admin.schemas.base import Spec


_latest: Redactor | None = None


def redactor() -> Redactor:
    """Knows the secrets of all workspaces: a key of one must not stand in another's log either. May read the
    database."""
    return catalogue.cached("redactor", _build)


def redactor_at_hand() -> Redactor:
    """The one built last, without reading anything: for event loops. Planning a run has always built one."""
    if _latest is None:
        raise RuntimeError("No redactor was built yet in this process; call redactor() first.")
    return _latest


def _build() -> Redactor:
    global _latest
    from llm_admin.runtime.redaction import Redactor

    with across_workspaces():
        keys = [connection.secret() for connection in Connection.objects.all()]
    _latest = Redactor(
        [django_settings.SECRET_KEY, *settings().EXTRA_SECRETS, *filter(None, [settings().METRICS_TOKEN, *keys])]
    )
    log_lines.mask_with(_latest.text)
    return _latest


def refuse_secrets(_workspace: Workspace, spec: Spec) -> None:
    """Raises InvalidInput with the place of a text that holds a key: it would be stored and sent in the clear."""
    found = list(_search(spec.model_dump(mode="json"), ()))
    if found:
        raise InvalidInput(found)


def _search(value: Any, place: tuple[str | int, ...]) -> Any:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _search(inner, (*place, key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _search(inner, (*place, position))
    elif isinstance(value, str) and (what := redactor().find_key(value)):
        yield Problem(place, f"This text holds {what}. Take it out before saving: keys belong on a connection's page.")
