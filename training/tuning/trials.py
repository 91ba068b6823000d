"""Keep trials in a SQLite file: discard a damaged one, report one that can't be used."""

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
"""Suffixes of the files that SQLite keeps beside a database."""


class TrialsRefusedError(StorageError):
    """Report a database of trials that can't be read or written."""

    def __init__(self, path: Path, error: Exception) -> None:
        reason = str(_root_cause(error)).strip().partition("\n")[0].rstrip(".")
        super().__init__(
            problem=f"The database of trials {escape(str(path))} can't be used: {escape(reason)}.",
            hint="Free some disk space, mend the file's permissions, or remove it to search again.",
        )


def _root_cause(error: BaseException) -> BaseException:
    """Return SQLite's own error, which Optuna and SQLAlchemy wrap."""
    inner = getattr(error, "orig", None) or error.__cause__
    return error if inner is None else _root_cause(inner)


def discard_if_damaged(path: Path, progress: Callable[[str], None]) -> None:
    """Remove a damaged database of trials and report it.

    Raises:
        StorageError: the database can't be read or removed.
    """
    if not path.exists() or _is_intact(path):
        return
    progress(f"tuning: {path.name} is damaged, so the search begins again")
    with raise_storage_errors():
        for suffix in ("", *COMPANION_SUFFIXES):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


def _is_intact(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as connection:
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        raise TrialsRefusedError(path, error) from error
    except sqlite3.DatabaseError:
        return False
    return bool(answer == "ok")


@contextmanager
def translate_storage_errors(path: Path) -> Iterator[None]:
    """Raise errors of the database of trials as a StorageError."""
    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise TrialsRefusedError(path, error) from error
