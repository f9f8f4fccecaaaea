"""Where rows wait between their upload and Start: a file that only this server's user can read.

It knows whose it is; the browser holds nothing but its random key, which is also the key of the batch: starting the
same upload twice gives the same batch.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from llm_admin.exceptions import Conflict, InvalidInput
from llm_admin.services import batch_files
from llm_admin.services.actors import Actor
from llm_admin.services.batch_files import Table

PREFIX = "llm-console-batch-"
LIFETIME = 24 * 60 * 60  # seconds
GONE = "These rows were started already, or chosen a day ago. Choose the file again."
_KEY = re.compile(r"^[A-Za-z0-9_-]{24}$")


@dataclass(frozen=True)
class Upload:
    workflow: int
    file_name: str
    table: Table


def table_of(file: UploadedFile | None, pasted: str) -> tuple[str, Table]:
    """(name, rows) of what the form gave. Raises InvalidInput."""
    if file is not None:
        if (file.size or 0) > batch_files.MAX_BYTES:
            raise InvalidInput(batch_files.TOO_LARGE)
        return str(file.name or ""), batch_files.read(file.read())
    if pasted.strip():
        return "", batch_files.read_text(pasted)
    raise InvalidInput("Choose a file, or paste rows.")


def keep(actor: Actor, upload: Upload) -> str:
    """Its key."""
    _sweep()
    key = secrets.token_urlsafe(18)
    content = {"by": _by(actor), "upload": asdict(upload)}
    with os.fdopen(os.open(_path(key), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, separators=(",", ":"))
    return key


def find(actor: Actor, key: str) -> Upload:
    """Raises Conflict when there is none, or it is another person's or of another workspace."""
    try:
        content: dict[str, Any] = json.loads(_path(key).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Conflict(GONE) from None
    if content["by"] != _by(actor):
        raise Conflict(GONE)
    upload = content["upload"]
    return Upload(upload["workflow"], upload["file_name"], Table(**upload["table"]))


def forget(key: str) -> None:
    _path(key).unlink(missing_ok=True)


def client_key(key: str) -> str:
    return f"upload:{key}"


def _path(key: str) -> Path:
    if not _KEY.match(key):
        raise Conflict(GONE)
    return Path(tempfile.gettempdir()) / f"{PREFIX}{key}"


def _by(actor: Actor) -> list[Any]:
    return [str(actor.user.pk) if actor.user else "", actor.workspace.pk]


def _sweep() -> None:
    """Uploads that nobody started."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            if path.stat().st_mtime < time.time() - LIFETIME:
                path.unlink()
        except (FileNotFoundError, PermissionError):  # another request, or another installation's
            continue
