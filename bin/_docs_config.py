"""Usage: _docs_config.py [--check]. Makes docs/configuration.md; a variable without a meaning below is an error."""

import ast
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PAGE = ROOT / "docs" / "configuration.md"
NEEDED = "needed"

# What console/settings.py reads: name -> (default in words, "" for the one in the code; meaning).
VARIABLES = {
    "SECRET_KEY": (
        NEEDED,
        "A long random text that signs sessions and encrypts the keys of connections. Without it only `DEBUG` starts.",
    ),
    "SECRET_KEY_FALLBACKS": (
        "none",
        "Former values of `SECRET_KEY`, separated by commas: what was signed or encrypted with them stays readable.",
    ),
    "ALLOWED_HOSTS": ("", "The names under which the console is reached, separated by commas."),
    "CSRF_TRUSTED_ORIGINS": (
        "none",
        "Addresses such as `https://console.example.org`, separated by commas, when a proxy in front ends TLS.",
    ),
    "DATABASE_URL": (
        "`sqlite:///…/var/db.sqlite3`",
        "Where the data is, e.g. `sqlite:////srv/console/db.sqlite3` or `postgres://user:password@host/name`.",
    ),
    "SECURE": (
        "",
        "`1` behind TLS: cookies travel over https only, http is redirected, browsers remember it. A proxy has to set "
        "`X-Forwarded-Proto`.",
    ),
    "CACHE_URL": (
        "in each process",
        "A Redis that several processes share, e.g. `redis://localhost:6379/1` (`pip install redis`): for "
        "answers that are given again, for limits of calls, and for what is known of models' failures.",
    ),
    "EMAIL_URL": (
        "`consolemail://`",
        "How mails are sent, e.g. `smtp+tls://user:password@mail.example.com:587`. By default they are only printed.",
    ),
    "MAIL_FROM": (
        "none",
        '`LLM_ADMIN["MAIL_FROM"]`: the sender of mails about approvals, budgets and monitors. Empty: none are sent.',
    ),
    "METRICS_TOKEN": ("none", '`LLM_ADMIN["METRICS_TOKEN"]`: what Prometheus sends to read `/metrics`.'),
    "LOG_FORMAT": ("`text`", "The lines of the server's log: `text`, or `json`, one object a line."),
    "PUBLIC_URL": ("`http://127.0.0.1:8000`", '`LLM_ADMIN["PUBLIC_URL"]`: what links in mails begin with.'),
    "CALL_RETRIES": ("", '`LLM_ADMIN["CALL_RETRIES"]`: how often all places of a model are tried again.'),
    "OUTGOING_PRIVATE_HOSTS": (
        "none",
        '`LLM_ADMIN["OUTGOING_PRIVATE_HOSTS"]`, separated by commas: hosts inside your own network that connections '
        "may reach, e.g. `localhost:11434`. `bin/demo` allows this machine.",
    ),
    "DEBUG": ("", "Error pages with details, for developers only: they show settings and data."),
    "TEST_DATABASE": ("`var/test.sqlite3`", "The file in which the tests keep their database."),
}
# What the scripts in bin/ read.
SCRIPTS = {
    "PORT": ("8000", "Where `bin/demo` serves."),
    "HOST": ("127.0.0.1", "The address of `bin/demo`. Only loopback addresses: everybody knows the demo's passwords."),
    "DEMO": ("", "`1` lets `manage.py demo` make its accounts; `bin/demo` sets it."),
    "VENV": (".venv", "The directory of the virtual environment."),
    "REQUIRE_SERVICES": ("", "`1`: a test whose browser or server is missing fails instead of being skipped."),
}
HEAD = """\
# Configuration

<!-- Made by bin/docs-config; change llm_admin/conf.py, console/settings.py or bin/_docs_config.py instead. -->

Three places, by who changes what:

- **Workspace settings** (a page of the console): default model, what is kept of texts, currency. Effective at once.
- **`LLM_ADMIN`** in the project's settings: limits and times, set when the console is deployed.
- **Environment variables**: where it runs and with which secrets.

The keys of providers belong to none of these but to a *connection* (a page of the console, or `manage.py connect`):
stored encrypted there, or in an environment variable whose name the connection holds.
"""


def page() -> str:
    return "\n".join([HEAD, *_environment(), "", *_llm_admin(), ""])


def _environment() -> list[str]:
    return [
        "## Environment variables",
        "",
        *_table(("Variable", "Default", "Meaning"), _described(VARIABLES, read_variables())),
        "",
        "For the scripts in `bin/`:",
        "",
        *_table(("Variable", "Default", "Meaning"), [(f"`{name}`", *words) for name, words in SCRIPTS.items()]),
    ]


def _described(meanings: dict[str, tuple[str, str]], found: dict[str, str]) -> list[tuple[str, ...]]:
    if set(meanings) != set(found):
        sys.exit(f"bin/_docs_config.py: VARIABLES differs from what is read in {set(meanings) ^ set(found)}.")
    return [(f"`{name}`", default or found[name], meaning) for name, (default, meaning) in meanings.items()]


def read_variables() -> dict[str, str]:
    """Every `env.<type>("NAME", default=...)` of console/settings.py, with its default as people would write it."""
    tree = ast.parse((ROOT / "console" / "settings.py").read_text())
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("env."):
            defaults = [keyword.value for keyword in node.keywords if keyword.arg == "default"]
            found[ast.literal_eval(node.args[0])] = _default(defaults[0]) if defaults else NEEDED
    return found


def _default(node: ast.expr) -> str:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return "computed"
    return f"`{','.join(value) if isinstance(value, list) else int(value) if isinstance(value, bool) else value}`"


def _llm_admin() -> list[str]:
    from llm_admin.conf import Settings

    fields = Settings.model_fields.items()
    rows = [(f"`{name}`", _type(field), _value(field), field.description or "") for name, field in fields]
    return [
        "## `LLM_ADMIN`",
        "",
        'A dictionary in the settings, e.g. `LLM_ADMIN = {"CALL_TIMEOUT": 60}`. `manage.py check` names every key',
        "that is misspelt or out of range.",
        "",
        *_table(("Key", "Type", "Default", "Meaning"), rows),
    ]


def _type(field: Any) -> str:
    names = {float: "number", int: "whole number", str: "text", bool: "yes or no", list[str]: "list of texts"}
    limits = [f"{sign} {getattr(one, name):,}" for one in field.metadata for name, sign in SIGNS if hasattr(one, name)]
    return " ".join([names.get(field.annotation, str(field.annotation)), *limits])


SIGNS = (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤"))


def _value(field: Any) -> str:
    value = field.get_default(call_default_factory=True)
    return f"`{value:_}`" if isinstance(value, int | float) else f"`{value}`"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


if __name__ == "__main__":
    text = page()
    if sys.argv[1:] == ["--check"]:
        sys.exit(None if PAGE.read_text() == text else "docs/configuration.md is out of date; run bin/docs-config.")
    PAGE.write_text(text)
