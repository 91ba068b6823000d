"""Refusals of the decision log: one class a failure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from features.runtime.errors import ArtefactError, DataError
from features.runtime.text import escape_path, join_names, quote_path


class NotALogError(DataError):
    """Refuse a directory that holds no decision log."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            problem=f"There is no decision log in {escape_path(directory)}.",
            hint="Name the directory that `xuanpin serve --log` writes.",
        )


class BrokenLogFileError(DataError):
    """Refuse a file that isn't a part of a decision log, or has changed its form."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            problem=f"The file {escape_path(path)} is no part of a decision log: {reason}.",
            hint=f"Run `xuanpin log verify {quote_path(path.parents[1])}`, which names all faults.",
        )


class EmptyPeriodError(DataError):
    """Refuse to replay a period in which nothing was logged."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            problem=f"The decision log {escape_path(directory)} has no rows in this period.",
            hint="Choose another period with --from and --to; times are UTC.",
        )


class MissingSnapshotsError(ArtefactError):
    """Refuse to replay decisions whose snapshots aren't in the run directory."""

    def __init__(self, snapshots: Path, missing: Sequence[str]) -> None:
        count = f"{len(missing)} snapshot{'' if len(missing) == 1 else 's'}"
        super().__init__(
            problem=f"The directory {escape_path(snapshots)} lacks {count} of the logged "
            f"decisions: {join_names(missing, limit=5)}.",
            hint="Restore from a backup, name another run directory with --run, choose a later "
            "period with --from, or compare on one snapshot with --snapshot.",
        )
