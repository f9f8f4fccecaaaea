from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class LLMAdminConfig(AppConfig):
    name = "llm_admin"
    verbose_name = "LLM Console"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from llm_admin import checks  # noqa: F401 - registers the system checks
        from llm_admin.services import catalogue
        from llm_admin.services.workspaces import ensure_default

        catalogue.connect()
        post_migrate.connect(_count_changes, sender=self, dispatch_uid="llm_admin.rollup_triggers")
        post_migrate.connect(ensure_default, sender=self, dispatch_uid="llm_admin.default_workspace")


def _count_changes(using: str, **_: Any) -> None:
    from llm_admin.models import rollup_triggers

    rollup_triggers.install(connections[using])
