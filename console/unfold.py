"""How the admin looks: name, colours, and the sidebar in the order people work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy


def _item(title: str, icon: str, url: str, permission: str | None = None) -> dict[str, Any]:
    item: dict[str, Any] = {"title": title, "icon": icon, "link": reverse_lazy(url)}
    if permission:
        item["permission"] = lambda request: request.user.has_perm(f"llm_admin.{permission}")
    return item


def _static(path: str) -> Callable[[Any], str]:
    return lambda request: static(path)


STYLES = (
    "console",
    "prompt",
    "versions",
    "drafts",
    "compare",
    "workflow",
    "batches",
    "host",
    "dashboard",
    "runs",
    "pages",
    "budgets",
    "logs",
    "monitors",
    "feedback",
)
SCRIPTS = (
    "time_zone",
    "shell",
    "runs",
    "run_page",
    "prompt_words",
    "prompt_settings",
    "prompt_fields",
    "prompt_offers",
    "prompt_values",
    "prompt_imported",
    "prompt_trying",
    "prompt",
    "prompt_drafts",
    "prompt_presence",
    "prompt_merge",
    "prompt_tests",
    "prompt_compare",
    "prompt_versions",
    "batches",
    "host_rows",
    "run_dialog",
    "dashboard",
    "logs",
)

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "LLM Console",
    "SITE_HEADER": "LLM Console",
    "SITE_SUBHEADER": "Prompts, workflows, costs",
    "SITE_SYMBOL": "prompt_suggestion",
    "SITE_URL": None,  # there is no other site to view
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _static("llm_admin/favicon.svg")}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": None,
    # unfold's 500 is the text colour of links in the dark theme, and too dark for it.
    "COLORS": {"primary": {"500": "oklch(71% .2 305)"}},
    "GLOBAL_CALLBACK": "llm_admin.admin.site.shell",
    "DASHBOARD_CALLBACK": "llm_admin.admin.dashboard.callback",
    "STYLES": [_static(f"llm_admin/css/{name}.css") for name in STYLES],
    "SCRIPTS": [_static(f"llm_admin/js/{name}.js") for name in SCRIPTS],
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Work",
                "items": [
                    _item("Home", "home", "admin:index"),
                    _item("Prompts", "edit_note", "admin:llm_admin_prompt_changelist", "view_prompt"),
                    _item("Workflows", "account_tree", "admin:llm_admin_workflow_changelist", "view_workflow"),
                ],
            },
            {
                "title": "Results",
                "items": [
                    _item("Runs", "play_circle", "admin:llm_admin_run_changelist", "view_run"),
                    _item("Approvals", "how_to_reg", "admin:llm_admin_approval_changelist", "view_approval")
                    | {"badge": "llm_admin.admin.approval_cards.badge", "badge_words": "wait for you"},
                    _item("Batches", "table_rows", "admin:llm_admin_batch_changelist", "view_batch"),
                    _item("Logs", "receipt_long", "admin:llm_admin_interactionlog_changelist", "view_interactionlog"),
                    _item("Monitors", "notifications", "admin:llm_admin_monitor_changelist", "view_monitor")
                    | {"badge": "llm_admin.admin.monitor_cards.badge", "badge_words": "need a look"},
                ],
            },
            {
                "title": "Models",
                "items": [
                    _item("Models", "smart_toy", "admin:llm_admin_languagemodel_changelist", "view_languagemodel"),
                    _item("Connections", "cable", "admin:llm_admin_connection_changelist", "view_connection"),
                    _item("Health", "monitor_heart", "admin:llm_admin_health", "view_health"),
                    _item("Budgets", "savings", "admin:llm_admin_budget_changelist", "view_budget"),
                ],
            },
            {
                "title": "Team",
                "items": [
                    _item("Members", "group", "admin:llm_admin_membership_changelist", "view_membership"),
                    _item("Workspace settings", "tune", "admin:llm_admin_workspace_settings", "change_workspace"),
                    {
                        "title": "Users",
                        "icon": "person",
                        "link": reverse_lazy("admin:auth_user_changelist"),
                        "permission": lambda request: request.user.is_superuser,
                    },
                ],
            },
            {
                "title": "Demo shop",
                "items": [
                    {
                        "title": "Products",
                        "icon": "storefront",
                        "link": reverse_lazy("admin:shop_product_changelist"),
                        "permission": lambda request: request.user.has_perm("shop.view_product"),
                    },
                ],
            },
            {"title": "", "items": [_item("Help", "help", "admin:llm_admin_help")]},
        ],
    },
}
