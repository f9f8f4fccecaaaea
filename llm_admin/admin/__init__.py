"""One file a noun. Importing this package (Django's autodiscovery does) registers all of them."""

from llm_admin.admin import (  # noqa: F401
    batches,
    connections,
    language_models,
    logs,
    members,
    prompts,
    runs,
    site,
    users,
    workflows,
    workspaces,
)
