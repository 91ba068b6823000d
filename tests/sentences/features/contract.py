"""Errors of features/contract as they are printed."""

from __future__ import annotations

from pathlib import Path

from features.contract.columns import ColumnKind
from features.contract.errors import (
    AllNullColumnError,
    AmbiguousTableError,
    DuplicateColumnsError,
    EmptyTableError,
    MissingColumnsError,
    MissingTablesError,
    NeverVisibleError,
    NoValidRowsError,
    SourceNotFoundError,
    UnreadableFileError,
    WrongTypeError,
)
from features.runtime.errors import XuanpinError

FILE = Path("data/orders.csv")

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        SourceNotFoundError(Path("nope")),
        "There is no directory nope. Name the directory that holds products, listings and orders.",
    ),
    (
        SourceNotFoundError(Path(__file__)),
        (
            f"The path {__file__} is a file, not a directory. "
            "Name the directory that holds products, listings and orders."
        ),
    ),
    (
        MissingTablesError(["listings", "orders"], ["products"]),
        (
            "The source lacks required tables: listings, orders. It has products. "
            "Add each as a file or a folder, for instance listings.parquet, listings.csv or a "
            "folder listings/ of such files."
        ),
    ),
    (
        AmbiguousTableError("orders", [FILE, Path("data/orders")]),
        (
            "The table orders occurs more than once: orders.csv, orders. "
            "Keep one of them, or put all files into the folder."
        ),
    ),
    (
        UnreadableFileError(FILE, "it isn't UTF-8 CSV with commas"),
        (
            "The file orders.csv can't be read: it isn't UTF-8 CSV with commas. "
            "Write the file again from its source; CSV is UTF-8 with commas."
        ),
    ),
    (
        DuplicateColumnsError(FILE, ["units"]),
        (
            "The file orders.csv has several columns of the same name: units. "
            "Rename or remove the repeated columns."
        ),
    ),
    (
        MissingColumnsError(FILE, "orders", ["units"], ["unit", "a"]),
        (
            "The file orders.csv (table orders) lacks columns: units. It has unit, a. "
            "Rename unit to units, if the meaning is the same."
        ),
    ),
    (
        MissingColumnsError(FILE, "orders", ["units"], ["a"]),
        (
            "The file orders.csv (table orders) lacks columns: units. It has a. "
            "Add the columns; docs/contract.md lists them."
        ),
    ),
    (
        WrongTypeError("orders", "units", ColumnKind.INTEGER, "it has the Parquet type bool"),
        (
            "The column orders.units should hold whole numbers, but it has the Parquet type bool. "
            "Write it as whole numbers, or give the right column the name units."
        ),
    ),
    (
        WrongTypeError("orders", "event_time", ColumnKind.TIME, "it has the Parquet type int64"),
        (
            "The column orders.event_time should hold times, but it has the Parquet type int64. "
            "Write it as times such as 2024-03-01 12:00:00 (in Parquet: timestamps), or give the "
            "right column the name event_time."
        ),
    ),
    (
        WrongTypeError(
            "orders",
            "units",
            ColumnKind.INTEGER,
            "none of its 9 values can be read as such: has a currency sign",
        ),
        (
            "The column orders.units should hold whole numbers, but none of its 9 values can be "
            "read as such: has a currency sign. "
            "Write it as whole numbers, or give the right column the name units."
        ),
    ),
    (
        EmptyTableError("orders", is_required=True),
        "The table orders has no rows. Export it again.",
    ),
    (
        EmptyTableError("stock", is_required=False),
        "The table stock has no rows. Remove it; the table is optional.",
    ),
    (
        AllNullColumnError("orders", "units"),
        (
            "The column orders.units needs a value in every row, but has none at all. "
            "Check whether the export lost the column."
        ),
    ),
    (
        NoValidRowsError("orders", 1234, list("abcde")),
        (
            "The table orders has 1,234 rows, but none is valid. "
            "The most frequent reasons: a, b, c and 2 more. "
            "Repair the rows at their source; docs/contract.md describes each column."
        ),
    ),
    (
        NeverVisibleError("orders", 1234),
        (
            "The column orders.available_at is null in all 1,234 valid rows, so no row would ever "
            "be visible. If the source has only one time, write it as available_at too."
        ),
    ),
]
