"""Which commit of the program is running, for the record."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

UNKNOWN: Final = "unknown"
_SECONDS: Final = 5


def git_commit() -> str:
    """Return the commit of the checkout that this file lies in, "unknown" outside one.

    A working tree that differs from its commit is marked with "+".
    """
    git, root = shutil.which("git"), Path(__file__).resolve().parent.parent
    if git is None or not (root / ".git").exists():
        return UNKNOWN
    commit = _output(git, root, "rev-parse", "HEAD")
    changed = _output(git, root, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}{'+' if changed else ''}" if commit else UNKNOWN


def _output(git: str, root: Path, *words: str) -> str:
    command = [git, "-C", str(root), *words]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
