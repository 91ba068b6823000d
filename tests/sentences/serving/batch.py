"""The refusals of a file of candidates, as they are printed."""

from __future__ import annotations

from pathlib import Path

from features.runtime.errors import XuanpinError
from serving.batch.select import TwoLimitsError
from serving.batch.table import FileChangedError, UnreadableTableError

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        TwoLimitsError(),
        (
            "A list has one definition of bad, but --min-sell-through and --max-return-risk are "
            "both given. Leave one of them out."
        ),
    ),
    (
        UnreadableTableError(Path("data/in.csv"), "required columns are missing: market, currency"),
        (
            "The file data/in.csv can't be used as a table: required columns are missing: "
            "market, currency. `xuanpin score --help` names the columns and formats."
        ),
    ),
    (
        UnreadableTableError(Path("in\x1b[2J.txt"), "its name ends in neither .csv nor .parquet"),
        (
            "The file in\\x1b[2J.txt can't be used as a table: its name ends in neither .csv nor "
            ".parquet. `xuanpin score --help` names the columns and formats."
        ),
    ),
    (
        FileChangedError(Path("data/in.csv")),
        (
            "The file in.csv has more rows than when the list was chosen. "
            "Score it again when nobody writes to it."
        ),
    ),
]
