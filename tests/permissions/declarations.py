"""What every URL of the console is for. A URL that is not declared here fails the walk: decide, and write it down.

`reads`: which role, at least, may see the workspace's texts at this address. `ADMIN` pages are for admins of the
workspace, `SUPERUSER` ones for superusers; `OWN` shows people their own runs only, so nobody else's texts.
`get`: what its owner's GET answers. `arguments` and `query`: names of the objects that the test made.
"""

from __future__ import annotations

from dataclasses import dataclass, field

VIEWER, AUTHOR, OPERATOR, ADMIN = "viewer", "author", "operator", "admin"
SUPERUSER, OWN, NOTHING = "superuser", "own", "nothing"


@dataclass(frozen=True)
class Page:
    reads: str
    get: int = 200
    arguments: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    post: dict[str, str] = field(default_factory=dict)


def crud(noun: str, reads: str, write: str, **changes: Page) -> dict[str, Page]:
    """Django's five pages of a model, and its redirect from the bare id."""
    one = {"object_id": noun}
    pages = {
        "changelist": Page(reads),
        "add": Page(write),
        "history": Page(reads, arguments=one),
        "delete": Page(write, arguments=one, post={"post": "yes"}),
        "change": Page(reads, arguments=one),
    }
    return {f"llm_admin_{noun}_{name}": page for name, page in (pages | changes).items()}


def by_pk(noun: str, reads: str, **details: object) -> Page:
    return Page(reads, arguments={"pk": noun}, **details)  # type: ignore[arg-type]


PAGES: dict[str, Page] = {
    "root": Page(NOTHING, get=302),
    "healthz": Page(NOTHING),
    "readyz": Page(NOTHING),
    "metrics": Page(OPERATOR),
    "index": Page(VIEWER),
    "login": Page(NOTHING, get=302),
    "logout": Page(NOTHING, get=405),
    "password_change": Page(NOTHING),
    "password_change_done": Page(NOTHING),
    "jsi18n": Page(NOTHING),
    "autocomplete": Page(OPERATOR, get=403),
    "view_on_site": Page(NOTHING, get=404, arguments={"content_type_id": "content_type", "object_id": "prompt"}),
    "search": Page(VIEWER, query={"s": "planted_word"}),
    "app_list": Page(NOTHING, arguments={"app_label": "app_label"}),
    "llm_admin_help": Page(NOTHING),
    "llm_admin_workspace_settings": Page(ADMIN, get=302),
    "llm_admin_workspace_empty_cache": by_pk("workspace", ADMIN, get=405),
    "llm_admin_workspace_switch": Page(NOTHING, get=405, post={"workspace": "workspace"}),
    "llm_admin_health": Page(OPERATOR),
    "llm_admin_feedback": Page(OWN, get=405, post={"log": "log", "value": "up"}),
    "llm_admin_retention": Page(ADMIN),
    "llm_admin_retention_preview": Page(ADMIN),
    "llm_admin_retention_remove": Page(ADMIN, get=405),
    **crud("connection", OPERATOR, OPERATOR),
    "llm_admin_connection_test": by_pk("connection", OPERATOR, get=405),
    "llm_admin_connection_key": by_pk("connection", OPERATOR, post={"key": "key"}),
    **crud("budget", OPERATOR, OPERATOR),
    "llm_admin_budget_override": by_pk(
        "budget", OPERATOR, get=405, post={"more-amount": "number", "more-reason": "key"}
    ),
    **crud("monitor", VIEWER, OPERATOR),
    "llm_admin_monitor_preview": Page(OPERATOR, get=405, post={"measure": "calls", "window": "60"}),
    **{
        f"llm_admin_monitor_{act}": by_pk("monitor", OPERATOR, get=405)
        for act in ("look", "test", "mute", "unmute", "secret")
    },
    "llm_admin_monitor_again": Page(OPERATOR, get=405, arguments={"pk": "monitor", "delivery": "delivery"}),
    **crud("languagemodel", VIEWER, OPERATOR),
    "llm_admin_deploymentprice_add": by_pk("deployment", OPERATOR, get=405),
    "llm_admin_deploymentprice_delete": by_pk("price", OPERATOR, get=405),
    "llm_admin_languagemodel_reprice": by_pk("languagemodel", OPERATOR, post={"since": "2020-01-01"}),
    "llm_admin_languagemodel_reprice_progress": by_pk("languagemodel", OPERATOR),
    "llm_admin_numbers": Page(VIEWER, query={"prompt": "prompt"}),
    "llm_admin_numbers_csv": Page(VIEWER, query={"prompt": "prompt"}),
    "llm_admin_numbers_part": Page(OWN),  # of runs and budgets what is one's own; of providers how many work
    "llm_admin_time_zone": Page(NOTHING, get=405, post={"zone": "key"}),
    "llm_admin_interactionlog_changelist": Page(VIEWER),  # the filter names prompts; its rows are one's own
    "llm_admin_interactionlog_change": Page(OWN, arguments={"object_id": "log"}),
    "llm_admin_log_newer": Page(OWN, get=302, arguments={"pk": "log"}),
    "llm_admin_log_older": Page(OWN, get=302, arguments={"pk": "log"}),
    **{f"llm_admin_log_export_{kind}": Page(OWN) for kind in ("csv", "jsonl", "xlsx")},
    "llm_admin_log_delete": Page(ADMIN),
    **{
        f"llm_admin_log_view_{name}": Page(OWN, get=405, post={"view": "number"})
        for name in ("save", "change", "delete", "open", "columns")
    },
    **crud("membership", ADMIN, ADMIN),
    **crud("prompt", VIEWER, AUTHOR),
    "llm_admin_prompt_try": Page(AUTHOR, get=405, post={"prompt": "prompt", "spec": "spec", "client_key": "key"}),
    "llm_admin_prompt_runs": by_pk("prompt", OWN),
    "llm_admin_prompt_names": Page(AUTHOR, get=405, post={"texts": "texts", "syntax": "f-string"}),
    "llm_admin_prompt_convert": Page(AUTHOR, get=405, post={"spec": "{}"}),
    "llm_admin_prompt_values": by_pk("prompt", OWN),
    "llm_admin_prompt_template": by_pk("prompt", VIEWER),
    "llm_admin_prompt_new_draft": Page(AUTHOR, post={"spec": "spec", "name": "key"}),
    "llm_admin_prompt_draft": by_pk("prompt", AUTHOR, post={"dirty": "1", "spec": "spec", "name": "key"}),
    "llm_admin_prompt_draft_difference": by_pk("prompt", AUTHOR, query={"since": "number"}),
    "llm_admin_prompt_here": by_pk("prompt", AUTHOR, get=405, post={"based_on": "number"}),
    "llm_admin_prompt_merge": by_pk("prompt", AUTHOR, get=405, post={"base": "number", "spec": "spec"}),
    "llm_admin_prompt_restore": by_pk("prompt", AUTHOR, get=405, post={"number": "number", "version": "number"}),
    "llm_admin_prompt_review": by_pk("prompt", AUTHOR, get=405, post={"spec": "spec", "name": "Reviewed"}),
    "llm_admin_prompt_versions": by_pk("prompt", VIEWER),
    "llm_admin_prompt_diff": by_pk("prompt", VIEWER),
    "llm_admin_prompt_labels": by_pk("prompt", VIEWER),
    "llm_admin_prompt_label_move": by_pk("prompt", AUTHOR, get=405, post={"label": "staging", "number": "number"}),
    "llm_admin_prompt_label_remove": by_pk("prompt", AUTHOR, get=405, post={"label": "production"}),
    "llm_admin_prompt_label_undo": by_pk("prompt", AUTHOR, get=405, post={"event": "number"}),
    "llm_admin_prompt_at": by_pk("prompt", VIEWER),
    "llm_admin_prompt_publish": by_pk("prompt", AUTHOR, post={"label": "staging", "number": "number"}),
    "llm_admin_prompt_rename": by_pk("prompt", AUTHOR),
    "llm_admin_prompt_shelf": by_pk("prompt", AUTHOR),
    "llm_admin_prompt_archive": by_pk("prompt", AUTHOR),
    "llm_admin_prompt_unarchive": by_pk("prompt", AUTHOR, get=405),
    "llm_admin_prompt_duplicate": by_pk("prompt", AUTHOR, get=405),
    "llm_admin_prompt_rename_variable": by_pk("prompt", AUTHOR),
    "llm_admin_prompt_tests": by_pk("prompt", VIEWER),
    "llm_admin_prompt_tests_form": by_pk("prompt", AUTHOR, get=405, post={"spec": "spec"}),
    "llm_admin_prompt_tests_save": by_pk("prompt", AUTHOR, get=405, post={"spec": "spec", "name": "key"}),
    "llm_admin_prompt_tests_run": by_pk("prompt", AUTHOR, get=405, post={"spec": "spec", "version": "number"}),
    "llm_admin_prompt_tests_delete": Page(AUTHOR, get=405, arguments={"pk": "prompt", "test": "prompt_test"}),
    "llm_admin_prompt_tests_result": Page(OWN, arguments={"pk": "prompt", "test": "prompt_test"}, query={"run": "run"}),
    "llm_admin_prompt_estimate_new": Page(NOTHING),
    "llm_admin_prompt_estimate": by_pk("prompt", NOTHING),
    "llm_admin_prompt_compare": by_pk("prompt", VIEWER),
    "llm_admin_prompt_compare_fields": by_pk("prompt", VIEWER, get=405, post={"column-what": "number"}),
    "llm_admin_prompt_compare_run": by_pk(
        "prompt", AUTHOR, get=405, post={"column-what": "number", "times": "number", "client_key": "comparison"}
    ),
    "llm_admin_prompt_compare_part": by_pk("prompt", OWN, query={"set": "comparison"}),
    "llm_admin_prompt_compare_stop": by_pk("prompt", AUTHOR, get=405, post={"set": "comparison"}),
    "llm_admin_prompt_process_import": Page(AUTHOR, get=405),
    "llm_admin_prompt_import": Page(AUTHOR),
    "llm_admin_prompt_export": Page(AUTHOR),
    "llm_admin_prompt_run_dialog": Page(AUTHOR, query={"pk": "prompt"}, post={"pk": "prompt"}),
    **crud("workflow", VIEWER, AUTHOR),
    "llm_admin_workflow_card": Page(AUTHOR, query={"type": "step_type"}),
    "llm_admin_workflow_copy": Page(AUTHOR, get=405, post={"step": '{"type": "llm"}'}),
    "llm_admin_workflow_try": Page(AUTHOR, get=405, post={"spec": "{}"}),
    "llm_admin_workflow_try_fields": Page(AUTHOR, get=405, post={"spec": "{}"}),
    "llm_admin_workflow_fields": Page(AUTHOR, get=405),
    "llm_admin_workflow_variables": Page(VIEWER, query={"prompt": "prompt_slug"}),
    "llm_admin_workflow_run": Page(AUTHOR, get=405, post={"workflow": "workflow"}),
    "llm_admin_workflow_runs": by_pk("workflow", OWN),
    "llm_admin_workflow_restore": by_pk("workflow", AUTHOR, get=405, post={"number": "number", "version": "number"}),
    "llm_admin_workflow_review": by_pk("workflow", AUTHOR, get=405, post={"spec": "spec", "name": "Reviewed"}),
    "llm_admin_workflow_versions": by_pk("workflow", VIEWER),
    "llm_admin_workflow_diff": by_pk("workflow", VIEWER),
    "llm_admin_workflow_labels": by_pk("workflow", VIEWER),
    "llm_admin_workflow_label_move": by_pk("workflow", AUTHOR, get=405, post={"label": "staging", "number": "number"}),
    "llm_admin_workflow_label_remove": by_pk("workflow", AUTHOR, get=405, post={"label": "production"}),
    "llm_admin_workflow_label_undo": by_pk("workflow", AUTHOR, get=405, post={"event": "number"}),
    "llm_admin_workflow_at": by_pk("workflow", VIEWER),
    "llm_admin_workflow_publish": by_pk("workflow", AUTHOR, post={"label": "production", "number": "number"}),
    "llm_admin_workflow_run_dialog": Page(AUTHOR, query={"pk": "workflow"}, post={"pk": "workflow"}),
    **crud(
        "run", OWN, NOTHING, add=Page(NOTHING, get=403), delete=Page(NOTHING, get=403, arguments={"object_id": "run"})
    ),
    "llm_admin_run_again": by_pk("run", OWN, post={"now": ""}),
    "llm_admin_run_again_from": by_pk("run", OWN, get=405, post={"start": "number"}),
    "llm_admin_run_share": by_pk("run", OWN, get=405, post={"shared": "1"}),
    **crud(
        "approval",
        OWN,
        NOTHING,
        add=Page(NOTHING, get=403),
        delete=Page(NOTHING, get=403, arguments={"object_id": "approval"}),
    ),
    "llm_admin_approval_decide": by_pk("approval", OWN, get=405, post={"decision": "approve"}),
    "llm_admin_gallery": Page(NOTHING),  # shipped texts only
    "llm_admin_gallery_use": Page(AUTHOR, get=405, arguments={"slug": "template"}),
    "llm_admin_run_follow": Page(OWN, query={"run": "run"}),
    "llm_admin_run_panel": by_pk("run", OWN),
    "llm_admin_run_stop": by_pk("run", OWN, get=405),
    "llm_admin_batch_changelist": Page(OWN),
    "llm_admin_batch_add": Page(AUTHOR, query={"workflow": "workflow"}, post={"workflow": "workflow"}),
    "llm_admin_batch_inputs": Page(AUTHOR, query={"workflow": "workflow"}),
    "llm_admin_batch_template_csv": by_pk("workflow", VIEWER),
    "llm_admin_batch_template_xlsx": by_pk("workflow", VIEWER),
    "llm_admin_batch_prepare": Page(OWN, arguments={"key": "upload"}),
    "llm_admin_batch_check": Page(OWN, get=405, arguments={"key": "upload"}),
    "llm_admin_batch_change": Page(OWN, arguments={"object_id": "batch"}),
    "llm_admin_batch_progress": by_pk("batch", OWN),
    "llm_admin_batch_rows": by_pk("batch", OWN),
    "llm_admin_batch_export_csv": by_pk("batch", OWN),
    "llm_admin_batch_export_xlsx": by_pk("batch", OWN),
    "llm_admin_batch_pause": by_pk("batch", OWN, get=405),
    "llm_admin_batch_resume": by_pk("batch", OWN, get=405),
    "llm_admin_batch_stop": by_pk("batch", OWN, get=405),
    "llm_admin_batch_retry": by_pk("batch", OWN, get=405),
    "llm_admin_batch_delete": by_pk("batch", OWN, post={"post": "yes"}),
    **crud(
        "workspace",
        ADMIN,
        SUPERUSER,
        changelist=Page(ADMIN, get=302),
        delete=Page(NOTHING, get=403, arguments={"object_id": "workspace"}),
    ),
    # The demo shop's table: Django's own permissions, which nobody here has.
    **{
        f"shop_product_{page}": Page(
            SUPERUSER, arguments={"object_id": "product"} if page in ("history", "delete", "change") else {}
        )
        for page in ("changelist", "add", "history", "delete", "change")
    },
    "shop_product_workflow": Page(SUPERUSER, get=302, post={"workflow": "workflow", "ids": "[]", "do": "start"}),
    "shop_product_workflow_review": Page(SUPERUSER, arguments={"pk": "product_batch"}),
    "shop_product_workflow_progress": Page(SUPERUSER, arguments={"pk": "product_batch"}),
    "shop_product_workflow_apply": Page(SUPERUSER, get=405, arguments={"pk": "product_batch"}, post={"all": "1"}),
    "shop_product_workflow_undo": Page(SUPERUSER, get=405, arguments={"pk": "product_batch"}),
    "auth_user_password_change": Page(SUPERUSER, arguments={"id": "user"}),
    **{
        f"auth_{noun}_{page}": Page(
            SUPERUSER, arguments={"object_id": noun} if page in ("history", "delete", "change") else {}
        )
        for noun in ("user", "group")
        for page in ("changelist", "add", "history", "delete", "change")
    },
}
