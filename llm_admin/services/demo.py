"""What bin/demo needs: the demo library, four accounts whose password everybody knows, and a month of past runs.

Such accounts must never stand on a server that others reach: they are only made on request (DEMO=1) for a loopback
address, and llm_admin.auth lets them in from this machine only.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import transaction

from llm_admin.choices import Role
from llm_admin.exceptions import ConsoleError
from llm_admin.models import Connection, InteractionLog, LanguageModel, Membership, Run, Workflow, Workspace
from llm_admin.services import actors, workspaces
from llm_admin.tenancy import workspace_scope

ACCOUNTS = {"admin": Role.ADMIN, "author": Role.AUTHOR, "operator": Role.OPERATOR, "viewer": Role.VIEWER}
PASSWORD = "demo"  # noqa: S105 - known to everybody, hence all the precautions
LOGS, DAYS, SEED = 4000, 30, 1
PACE_MS = 25
TEMPLATES = ("gallery-triage", "gallery-rewrite")  # of the gallery: with a branch, with an approval


class NotADemo(ConsoleError):
    """Somebody asks for the demo accounts where others might use them."""


def require_demo(environment: Mapping[str, str]) -> None:
    if environment.get("DEMO") != "1":
        raise NotADemo("This makes accounts whose password everybody knows. Use bin/demo, or set DEMO=1 to ask for it.")
    host = environment.get("HOST") or "127.0.0.1"
    if not is_loopback(host):
        raise NotADemo(f"HOST={host} is open to others, and everybody knows the demo's passwords. Use 127.0.0.1.")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def is_known_to_everybody(username: str | None, password: str | None) -> bool:
    """Whether these are a demo account's name and the demo's password."""
    return (username or "").casefold() in ACCOUNTS and password == PASSWORD


def prepare(environment: Mapping[str, str]) -> list[str]:
    """Sentences about what was made; none the second time. Raises NotADemo."""
    require_demo(environment)
    workspaces.ensure_default()
    workspace = workspaces.default()
    with workspace_scope(workspace):
        return [*_library(workspace), *_accounts(workspace), *_past(workspace)]


def _library(workspace: Workspace) -> list[str]:
    from llm_admin.services import gallery, library

    actor = actors.system(workspace)
    first = not Workflow.objects.exists()
    counts = library.import_demo(actor)
    for template in TEMPLATES if first else ():
        gallery.use(template, actor=actor)
    return [f"{counts.changes} prompts and workflows of the demo library."] if counts.changes else []


@transaction.atomic
def _accounts(workspace: Workspace) -> list[str]:
    """Accounts that are there already stay as they are: with their own password, and without a new role."""
    users = get_user_model()._default_manager
    name_field = users.model.USERNAME_FIELD
    there = set(users.filter(**{f"{name_field}__in": list(ACCOUNTS)}).values_list(name_field, flat=True))
    missing = [name for name in ACCOUNTS if name not in there]
    if not missing:
        return []
    password = make_password(PASSWORD)  # once: it takes half a second
    for name in missing:
        _account(workspace, password, **{name_field: name})
    return [f"Accounts {', '.join(missing)} with the password “{PASSWORD}”."]


def _account(workspace: Workspace, password: str, **names: Any) -> None:
    (name,) = names.values()
    user = get_user_model()._default_manager.create(
        **names, password=password, is_staff=True, is_superuser=name == "admin"
    )
    Membership.objects.create(workspace=workspace, user=user, role=ACCOUNTS[name])


def _past(workspace: Workspace) -> list[str]:
    from llm_admin.services import sample_logs

    if Run.objects.exists() or InteractionLog.objects.exists():
        return []
    made = sample_logs.make_logs(actor=actors.system(workspace), count=LOGS, days=DAYS, seed=SEED)
    _show_at_its_best(workspace)
    return [f"{made.logs:,} calls of the past {DAYS} days."]


def _show_at_its_best(workspace: Workspace) -> None:
    """Answers arrive at a pace at which one sees them stream, from a model that has a price."""
    for connection in Connection.objects.filter(provider="fake"):
        connection.options = {"delay_ms": PACE_MS} | connection.options
        connection.save()
    default = workspace.default_model
    priced = LanguageModel.objects.filter(deployments__prices__isnull=False, enabled=True).order_by("pk").first()
    if priced is not None and (default is None or default.alias == workspaces.DEMO_ALIAS):
        workspace.default_model = priced
        workspace.save(update_fields=["default_model"])
