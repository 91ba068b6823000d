"""The refusals of the decision log, as they are printed."""

from __future__ import annotations

from pathlib import Path

from features.runtime.errors import XuanpinError
from serving.decision_log import errors

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        errors.NotALogError(Path("var/lo\x1bg")),
        (
            "There is no decision log in var/lo\\x1bg. Name the directory that "
            "`xuanpin serve --log` writes."
        ),
    ),
    (
        errors.BrokenLogFileError(Path("my log/worker-00/x.parquet"), "its rows can't be read"),
        (
            "The file my log/worker-00/x.parquet is no part of a decision log: its rows can't be "
            "read. Run `xuanpin log verify 'my log'`, which names all faults."
        ),
    ),
    (
        errors.EmptyPeriodError(Path("var/log")),
        (
            "The decision log var/log has no rows in this period. Choose another period with "
            "--from and --to; times are UTC."
        ),
    ),
    (
        errors.MissingSnapshotsError(Path("run/snapshots"), ["0123456789abcdef"]),
        (
            "The directory run/snapshots lacks 1 snapshot of the logged decisions: "
            "0123456789abcdef. Restore from a backup, name another run directory with --run, "
            "choose a later period with --from, or compare on one snapshot with --snapshot."
        ),
    ),
]
