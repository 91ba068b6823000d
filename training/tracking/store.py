"""Where trainings are recorded: a server or database that is named, or the run directory."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Final

import psutil
from sqlalchemy.engine import make_url

from features.runtime.text import escape, escape_path
from training.checkpoints.sqlite_uri import sqlite_uri
from training.settings import TrainingSettings
from training.tracking.address import is_readable, show_uri
from training.tracking.errors import DatabaseRefusedError, UnreadableAddressError

DATABASE: Final = "mlflow.db"
ARTEFACTS: Final = "mlartifacts"
LOCK_SECONDS: Final = 5.0
"""How long another process may be writing before it is reported."""

_ELSEWHERE: Final = "Choose another run directory"
_ELSEWHERE_NAMED: Final = "Name another database in tracking_uri or MLFLOW_TRACKING_URI"
_HEADER: Final = b"SQLite format 3\0"
_MOVE_AWAY: Final = (
    "Restore it from a backup, or move it away: a new one is made, and earlier runs aren't in it."
)


@dataclass(frozen=True)
class TrackingStore:
    """The address of the record, and the folder of its artefacts if this program chooses it."""

    uri: str
    artefacts: Path | None

    @classmethod
    def find(cls, directory: Path, settings: TrainingSettings) -> TrackingStore:
        """Return the store that settings or environment name, or else the run directory's own.

        Raises:
            UnreadableAddressError: the address that they name can't be taken apart.
        """
        server = settings.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI")
        if not server:
            resolved = directory.resolve()
            return cls(sqlite_uri(resolved / DATABASE), resolved / ARTEFACTS)
        if not is_readable(server):
            raise UnreadableAddressError(server)
        return cls(server, None)

    @property
    def database(self) -> Path | None:
        """Return the SQLite file, None for any other store."""
        if not self.uri.startswith("sqlite"):
            return None
        name = make_url(self.uri).database
        return Path(name) if name and name != ":memory:" else None

    def check_database(self) -> None:
        """Check the SQLite file, if the store is one (`check_database`).

        Raises:
            DatabaseRefusedError: it isn't a sound database of MLflow to write in.
        """
        if self.database is not None:
            check_database(self.database, _ELSEWHERE if self.artefacts else _ELSEWHERE_NAMED)


def show_record(uri: str) -> str:
    """Return what a person copies to see the record: an address, or a command for a shell."""
    if not uri.startswith("sqlite"):
        return show_uri(uri)
    return f"mlflow ui --backend-store-uri {quote(uri)}"


def check_database(path: Path, elsewhere: str) -> None:
    """Check that a SQLite file is absent, empty, or a sound database of MLflow to write in.

    `elsewhere` is the advice that leads to another file.

    Raises:
        DatabaseRefusedError: it isn't; the reason says why.
    """
    if not path.exists() or (path.is_file() and not path.stat().st_size):
        return
    if not path.is_file():
        raise DatabaseRefusedError(path, "it isn't a file", f"{elsewhere}.")
    if not os.access(path, os.R_OK | os.W_OK):
        mend = f"Run `chmod u+rw {quote(escape_path(path))}`."
        raise DatabaseRefusedError(path, "this user may not read and write it", mend)
    try:
        tables = _read_tables(path)
    except sqlite3.OperationalError as error:
        raise _explain_refusal(path, error) from error
    except sqlite3.DatabaseError as error:
        raise DatabaseRefusedError(path, _describe_damage(path), _MOVE_AWAY) from error
    if tables and not {"alembic_version", "experiments"} <= tables:
        reason = f"it is another program's database, with a table {escape(min(tables))}"
        raise DatabaseRefusedError(path, reason, f"{elsewhere}, or move it away.")


def _read_tables(path: Path) -> set[str]:
    """Return the names of the tables, if every page is sound and nobody else is writing."""
    with closing(sqlite3.connect(path, timeout=LOCK_SECONDS)) as connection:
        (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if answer != "ok":
            raise sqlite3.DatabaseError(answer)
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        connection.execute("BEGIN IMMEDIATE")
        connection.rollback()
    return {str(name) for (name,) in rows}


def _describe_damage(path: Path) -> str:
    with path.open("rb") as file:
        is_sqlite = file.read(len(_HEADER)) == _HEADER
    return "the database is damaged" if is_sqlite else "the file isn't a SQLite database"


def _explain_refusal(path: Path, error: sqlite3.OperationalError) -> DatabaseRefusedError:
    if error.sqlite_errorcode not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        hint = "Mend the permissions of the file and of its directory, or free some disk space."
        return DatabaseRefusedError(path, escape(str(error)).rstrip("."), hint)
    holders = sorted(_find_holders(path))
    who = " and ".join(holders[:3]) or "another process"
    hint = f"Wait until it has finished, or end it{': `ps aux` lists it' if not holders else ''}."
    return DatabaseRefusedError(path, f"{who} is writing the database", hint)


def _find_holders(path: Path) -> Iterator[str]:
    """Yield other processes that have the database open, as far as this user may see them."""
    target = path.resolve()
    for process in psutil.process_iter():
        try:
            is_open = any(Path(file.path) == target for file in process.open_files())
            if is_open and process.pid != os.getpid():
                yield f"process {process.pid} ({escape(process.name())})"
        except (psutil.Error, OSError):  # it has ended, or belongs to another user
            continue


def move_artefacts(database: Path, artefacts: Path) -> None:
    """Make the record of a run directory that was copied or moved name its own artefacts.

    MLflow keeps absolute addresses. A copy would go on writing into the original's folder.
    """
    new = artefacts.as_uri()
    with closing(sqlite3.connect(database, timeout=LOCK_SECONDS)) as connection, connection:
        rows = connection.execute(
            "SELECT DISTINCT artifact_location FROM experiments WHERE artifact_location LIKE ?",
            (f"file:%/{ARTEFACTS}",),
        )
        for (old,) in rows.fetchall():
            if old == new:
                continue
            connection.execute(
                "UPDATE experiments SET artifact_location = ? WHERE artifact_location = ?",
                (new, old),
            )
            connection.execute(
                "UPDATE runs SET artifact_uri = ? || substr(artifact_uri, ?)"
                " WHERE substr(artifact_uri, 1, ?) = ?",
                (new, len(old) + 1, len(old) + 1, f"{old}/"),
            )
