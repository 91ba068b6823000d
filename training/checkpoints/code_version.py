"""The version of the program that a result depends on: its code, the libraries, the machine."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from features.runtime.code_fingerprint import code_fingerprint

ROOT: Final = Path(__file__).resolve().parents[2]
"""The directory that holds the packages."""

COMPUTING_ROOMS: Final = (
    "features/catalogue",
    "features/cells",
    "features/contract",
    "features/dataset",
    "features/declarations",
    "features/files",
    "features/point_in_time",
    "features/signals",
    "features/validation",
    "serving/demand",
    "serving/prediction",
    "training/boosting",
    "training/data",
    "training/fit",
    "training/metrics",
    "training/search_space.py",
    "training/settings.py",
    "training/shrinkage",
    "training/tuning",
)
"""Folders and files whose code decides the result of a stage; the test beside lists the others."""

JUDGING_ROOMS: Final = (
    "serving/conformal",
    "serving/scoring",
    "training/backtest",
    "training/calibration",
    "training/evaluation",
)
"""Further folders whose code decides the judgement of a model."""

PAGE_PATTERNS: Final = ("cli.py", "*page.py")
"""Files of these folders that print what others computed."""

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
"""Libraries that decide validated tables, training rows, tuned settings or boosters."""

UNKNOWN: Final = "unknown"
_TIMEOUT_SECONDS: Final = 5


@cache
def code_version() -> dict[str, object]:
    """Return the facts about the program in a stage's key, as they were at the first call."""
    return {
        "code": fingerprint_rooms(ROOT),
        "libraries": {name: version(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


@cache
def judging_version() -> str:
    """Return the fingerprint of `JUDGING_ROOMS`, as it was at the first call."""
    return fingerprint_rooms(ROOT, JUDGING_ROOMS)


def fingerprint_rooms(root: Path, rooms: Sequence[str] = COMPUTING_ROOMS) -> str:
    """Return the fingerprint of the Python files of some folders below `root`, without pages.

    A room may be a single file too.
    """
    return code_fingerprint(root, (path for room in rooms for path in _list_code(root / room)))


def _list_code(room: Path) -> Iterator[Path]:
    paths = room.rglob("*.py") if room.is_dir() else [room]
    return (path for path in paths if not any(path.match(pattern) for pattern in PAGE_PATTERNS))


def git_commit() -> str:
    """Return the commit of the checkout that this file lies in, "unknown" outside one.

    A working tree that differs from its commit is marked with "+".
    """
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return UNKNOWN
    commit = _run_git(git, "rev-parse", "HEAD")
    changed = _run_git(git, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}{'+' if changed else ''}" if commit else UNKNOWN


def _run_git(git: str, *arguments: str) -> str:
    command = [git, "-C", str(ROOT), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
