"""Where trials are kept: a SQLite file, made anew where it is damaged, told of where it refuses."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import optuna
from sqlalchemy.exc import SQLAlchemyError

from features.runtime.errors import StorageError
from features.runtime.refusals import raise_storage_errors
from features.runtime.text import escape

COMPANION_SUFFIXES: Final = ("-journal", "-wal", "-shm")
"""Ends of the names of files that SQLite keeps beside a database."""


class TrialsRefusedError(StorageError):
    """Say that trials can't be kept."""

    def __init__(self, path: Path, error: Exception) -> None:
        said = str(_root_cause(error))
        super().__init__(
            expected=f"a database of trials at {escape(str(path))} that can be read and written",
            found=escape(said.strip().partition("\n")[0]),
            way_out="Free some space, mend its permissions, or remove it to search anew.",
        )


def _root_cause(error: BaseException) -> BaseException:
    """Return what SQLite itself said: Optuna and SQLAlchemy each wrap it."""
    inner = getattr(error, "orig", None) or error.__cause__
    return error if inner is None else _root_cause(inner)


def discard_damaged(path: Path, progress: Callable[[str], None]) -> None:
    """Remove a database of trials that was damaged, and tell of it; an absent one is whole.

    Raises:
        StorageError: it can't be read, or the disk refuses.
    """
    if not path.exists() or _is_intact(path):
        return
    progress(f"tuning: {path.name} was damaged, so its trials are made again")
    with raise_storage_errors():
        for end in ("", *COMPANION_SUFFIXES):
            path.with_name(path.name + end).unlink(missing_ok=True)


def _is_intact(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as connection:
            (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        raise TrialsRefusedError(path, error) from error
    except sqlite3.DatabaseError:
        return False
    return bool(said == "ok")


@contextmanager
def translate_storage_errors(path: Path) -> Iterator[None]:
    """Raise what the database of trials refuses as a StorageError."""
    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise TrialsRefusedError(path, error) from error
