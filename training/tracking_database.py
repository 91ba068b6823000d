"""The tracking database of a run directory, made whole or not at all.

MLflow builds a new database in dozens of migrations over seconds. Killed in between, it leaves one
that it refuses, or fails to migrate, ever after. So a new one is built aside and put in place.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from features.runtime.atomic import replacing


def make_database(path: Path, connect: Callable[[str], Any]) -> None:
    """Make an empty database at `path` unless there is one.

    `connect` returns MLflow's client for an URI.

    Raises:
        StorageError: the disk refuses.
    """
    if path.exists():
        return
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tracking-") as work:
        built = Path(work) / path.name
        connect(f"sqlite:///{built}").search_experiments(max_results=1)
        # MLflow keeps its connection; a backup is consistent all the same.
        with (
            replacing(path) as new,
            closing(sqlite3.connect(built)) as source,
            closing(sqlite3.connect(new)) as target,
        ):
            source.backup(target)
