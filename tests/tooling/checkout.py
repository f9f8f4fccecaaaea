"""A copy of the scripts in a directory of their own, with stand-ins for what they call. No network is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHELL = shutil.which("dash") or shutil.which("sh") or "/bin/sh"
TOOLS = ("cat", "cksum", "date", "dirname", "grep", "mkdir", "mktemp", "rm", "sed")


@dataclass
class Checkout:
    path: Path
    env: dict[str, str]

    def run(self, script: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SHELL, script, *arguments],
            cwd=self.path,
            env=self.env | env,
            capture_output=True,
            text=True,
            check=False,
            timeout=110,
        )

    def start(self, script: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [SHELL, script],
            cwd=self.path,
            env=self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def write(self, name: str, text: str, mode: int = 0o755) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        return file

    def pretend_installed(self, kind: str = "run", *, python: str = f'exec "{sys.executable}" "$@"') -> None:
        """An up-to-date .venv whose python is this one (or a given script)."""
        self.write(".venv/bin/python", f"#!{SHELL}\n{python}\n")
        command = f'. bin/_common.sh; stamp {kind} >"$VENV/.installed"'
        subprocess.run([SHELL, "-c", command, "bin/x"], cwd=self.path, env=self.env, check=True, timeout=110)


def make(path: Path) -> Checkout:
    """PATH holds the few tools that the scripts may use, and no Python."""
    shutil.copytree(ROOT / "bin", path / "bin", ignore=shutil.ignore_patterns("__pycache__"))
    for lock in ("requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / lock, path)
    tools = path / "tools"
    tools.mkdir()
    for tool in (*TOOLS, "sh"):
        (tools / tool).symlink_to(shutil.which(tool) or f"/bin/{tool}")
    kept = {key: value for key, value in os.environ.items() if key.startswith("LC_")}
    return Checkout(path, kept | {"PATH": str(tools), "HOME": str(path / "home")})
