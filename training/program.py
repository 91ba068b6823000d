"""What of the program itself a result depends on: our own code, the libraries, the machine."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from features.runtime.code_fingerprint import code_fingerprint

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

ROOT: Final = Path(__file__).resolve().parent.parent


@cache
def program_facts() -> dict[str, object]:
    """Return what a stage's key says of the program, as it was when first asked."""
    return {
        "code": fingerprint_of(ROOT),
        "libraries": {name: version(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def fingerprint_of(root: Path, packages: Sequence[str] = PACKAGES) -> str:
    """Return the fingerprint of all Python files of some of our packages."""
    return code_fingerprint(
        root, (path for package in packages for path in (root / package).rglob("*.py"))
    )
