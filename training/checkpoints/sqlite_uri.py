"""Name a SQLite file by a URI, for MLflow, Optuna and whatever else uses SQLAlchemy."""

from __future__ import annotations

from pathlib import Path


def sqlite_uri(path: Path) -> str:
    """Return the URI of a SQLite file whose path may have any characters.

    MLflow makes the directory of a `sqlite:///` path without decoding it first. Naming SQLAlchemy's
    driver avoids that stray directory.
    """
    quoted = str(path).replace("%", "%25").replace("?", "%3F")
    return f"sqlite:///{path}" if quoted == str(path) else f"sqlite+pysqlite:///{quoted}"
