"""One file a noun. Importing this package (Django's autodiscovery does) registers all of them."""

from llm_admin.admin import (  # noqa: F401
    approvals,
    batches,
    budgets,
    connections,
    host_panel,
    language_models,
    logs,
    members,
    monitors,
    prompts,
    runs,
    site,
    users,
    workflows,
    workspaces,
)
from llm_admin.admin.host_actions import WorkflowActionsMixin

__all__ = ["WorkflowActionsMixin"]
