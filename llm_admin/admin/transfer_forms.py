"""The forms of import and export, and where an upload waits while a person looks at its preview."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from django import forms
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signing import BadSignature
from import_export.forms import ConfirmImportForm, ExportForm, ImportForm
from import_export.tmp_storages import BaseStorage

from llm_admin.exceptions import Conflict
from llm_admin.services import library
from llm_admin.services.actors import Actor

PREFIX = "llm-console-import-"
LIFETIME = 24 * 60 * 60  # seconds
SALT = "llm_admin.import"


class LibraryImportForm(ImportForm):
    """One file, or `samples`: the list that ships. What kind of file it is, its content tells."""

    samples = forms.BooleanField(required=False, widget=forms.HiddenInput)
    media = forms.Media()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("resource", "format"):
            self.fields[name].required = False
            self.fields[name].widget = forms.HiddenInput()
        self.plan: library.Plan | None = None
        file = self.fields["import_file"]
        file.required, file.label = False, "File"
        file.widget = forms.FileInput(attrs={"accept": ".csv,.json,.xlsx", "class": "llm-file"})

    def clean_format(self) -> str:
        return "0"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("samples"):
            cleaned["import_file"] = SimpleUploadedFile(library.SAMPLES, library.read_shipped(library.SAMPLES))
        elif not cleaned.get("import_file") and "import_file" not in self.errors:
            self.add_error("import_file", "Choose a file.")
        elif cleaned.get("import_file") and cleaned["import_file"].size > library.MAX_BYTES:
            most = library.MAX_BYTES // 1024 // 1024
            self.add_error("import_file", f"This file is larger than {most} MB. Split it into several.")
        return cleaned


class LibraryConfirmForm(ConfirmImportForm):
    """`import_file_name` is signed: it names a file of this server, and whose preview of what it was."""

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fingerprint = ""
        for field in self.fields.values():
            field.required = False  # the signed one tells everything

    def clean_import_file_name(self) -> str:
        try:
            told = signing.loads(self.cleaned_data["import_file_name"], salt=SALT, max_age=LIFETIME)
        except BadSignature:
            told = {}
        if told.get("by") != _by(self.actor):
            raise forms.ValidationError("This preview is too old, or not yours. Choose the file again.")
        self.fingerprint = told["plan"]
        return str(told["file"])

    def clean_format(self) -> str:
        return "0"


def signed(actor: Actor, file: str, plan: library.Plan) -> str:
    return signing.dumps({"file": file, "plan": plan.fingerprint, "by": _by(actor)}, salt=SALT)


def _by(actor: Actor) -> list[Any]:
    return [str(actor.user.pk) if actor.user else "", actor.workspace.pk]


class LibraryExportForm(ExportForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["resource"].widget = forms.HiddenInput()
        self.fields["format"] = forms.ChoiceField(
            label="Kind of file",
            choices=[choice for choice in self.fields["format"].choices if choice[0]],
            initial="0",
            widget=forms.RadioSelect,
        )


class UploadStorage(BaseStorage):
    """A file in the temporary directory that only this server's user can read."""

    def save(self, data: bytes) -> None:
        _sweep()
        with tempfile.NamedTemporaryFile(prefix=PREFIX, delete=False) as file:
            file.write(data)
        self.name = Path(file.name).name

    def read(self) -> bytes:
        try:
            return self._path().read_bytes()
        except FileNotFoundError:
            raise Conflict("This file was imported already, or a day ago. Choose it again.") from None

    def remove(self) -> None:
        self._path().unlink(missing_ok=True)

    def _path(self) -> Path:
        return Path(tempfile.gettempdir()) / Path(str(self.name)).name


def _sweep() -> None:
    """Uploads that nobody confirmed."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            if path.stat().st_mtime < time.time() - LIFETIME:
                path.unlink()
        except (FileNotFoundError, PermissionError):  # another request, or another installation's
            continue
