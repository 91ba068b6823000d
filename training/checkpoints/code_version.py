"""What of the program itself a result depends on: our own code, the libraries, the machine."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from features.runtime.code_fingerprint import code_fingerprint

UNKNOWN: Final = "unknown"
_TIMEOUT_SECONDS: Final = 5


def git_commit() -> str:
    """Return the commit of the checkout that this file lies in, "unknown" outside one.

    A working tree that differs from its commit is marked with "+".
    """
    git, root = shutil.which("git"), Path(__file__).resolve().parents[2]
    if git is None or not (root / ".git").exists():
        return UNKNOWN
    commit = _run_git(git, root, "rev-parse", "HEAD")
    changed = _run_git(git, root, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}{'+' if changed else ''}" if commit else UNKNOWN


def _run_git(git: str, root: Path, *words: str) -> str:
    command = [git, "-C", str(root), *words]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


PACKAGES: Final = ("features", "serving", "training")
"""Whose code makes the numbers; experiments only ask for them."""

LIBRARIES: Final = (
    "duckdb",
    "ibis-framework",
    "lightgbm",
    "msgspec",
    "numpy",
    "optuna",
    "pandas",
    "pandera",
    "pyarrow",
    "pycountry",
    "pydantic",
    "scikit-learn",
    "scipy",
    "sqlglot",
)
"""Those that validated tables, training rows, tuned settings or boosters depend on."""

ROOT: Final = Path(__file__).resolve().parents[2]


@cache
def code_version() -> dict[str, object]:
    """Return what a stage's key says of the program, as it was when first asked."""
    return {
        "code": fingerprint_packages(ROOT),
        "libraries": {name: version(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def fingerprint_packages(root: Path, packages: Sequence[str] = PACKAGES) -> str:
    """Return the fingerprint of all Python files of some of our packages."""
    return code_fingerprint(
        root, (path for package in packages for path in (root / package).rglob("*.py"))
    )
