"""What each role may do in its workspace. One table; the authentication backend and the services read it."""

from __future__ import annotations

from llm_admin.choices import Role

READ = {
    f"view_{noun}"
    for noun in (
        "prompt",
        "promptversion",
        "promptlabel",
        "promptlabelevent",
        "workflow",
        "workflowversion",
        "workflowlabel",
        "workflowlabelevent",
        "languagemodel",
        "run",
        "approval",
        "batch",
        "interactionlog",
        "monitor",
    )
} | {"view_interactionfeedback", "add_interactionfeedback"}  # people review who write nothing
WRITE = {
    "add_prompt",
    "change_prompt",
    "delete_prompt",
    "run_prompt",
    "publish_prompt",
    "import_prompt",
    "export_prompt",
    "add_workflow",
    "change_workflow",
    "delete_workflow",
    "run_workflow",
    "publish_workflow",
    "decide_approval",
    "run_batch",
}
OPERATE = {
    f"{action}_{noun}"
    for noun in ("connection", "languagemodel", "deployment", "deploymentprice", "budget", "monitor")
    for action in ("view", "add", "change", "delete")
} | {"view_all_runs", "move_protected_label", "override_budget", "view_health"}
ADMINISTER = {"view_workspace", "change_workspace", "delete_interactionlog"} | {
    f"{action}_membership" for action in ("view", "add", "change", "delete")
}

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    Role.VIEWER: frozenset(READ),
    Role.AUTHOR: frozenset(READ | WRITE),
    Role.OPERATOR: frozenset(READ | WRITE | OPERATE),
    Role.ADMIN: frozenset(READ | WRITE | OPERATE | ADMINISTER),
}


def role_allows(role: str | None, permission: str) -> bool:
    """`permission` with or without the app label, e.g. "llm_admin.run_prompt"."""
    return permission.removeprefix("llm_admin.") in ROLE_PERMISSIONS.get(role or "", frozenset())
