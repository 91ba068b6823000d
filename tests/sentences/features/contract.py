"""Errors of features/contract as they are printed."""

from __future__ import annotations

from pathlib import Path

from features.contract.columns import ColumnKind
from features.contract.errors import (
    AllNullColumnError,
    AmbiguousTableError,
    DuplicateColumnsError,
    EmptyTableError,
    HeaderNotFirstError,
    MajorUnitsError,
    MisnamedTableError,
    MissingColumnsError,
    MissingTablesError,
    NeverVisibleError,
    NoHeaderError,
    NoValidRowsError,
    QuotedLinesError,
    SourceNotFoundError,
    TableFormatError,
    TooManyColumnsError,
    UnevenRowsError,
    UnreadableFileError,
    UnreadPartsError,
    WrongTypeError,
)
from features.runtime.errors import XuanpinError
from features.runtime.text import PYTHON

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
            f"Name its directory: {Path(__file__).parent}."
        ),
    ),
    (
        SourceNotFoundError(Path("/dev/null")),
        (
            "The path /dev/null is a pipe, socket or device, not a directory. "
            "Name the directory that holds products, listings and orders."
        ),
    ),
    (
        SourceNotFoundError(Path("-")),
        (
            "Tables can't be read from a pipe (-). "
            "Name the directory that holds products, listings and orders."
        ),
    ),
    (
        MisnamedTableError("Orders.csv", "orders", "Run `mv Orders.csv orders.csv`."),
        (
            "The source has no table orders, but it has Orders.csv, which isn't read because of "
            "its name. Run `mv Orders.csv orders.csv`. "
            "If it is something else, move it out of the directory."
        ),
    ),
    (
        TableFormatError(Path("data/orders"), "Delta Lake", "python -c ..."),
        (
            "The folder orders is in the format of Delta Lake: its files hold deleted and replaced "
            "rows too. Export its current rows, and put the new file in place of the "
            "folder: `python -c ...`."
        ),
    ),
    (
        MissingTablesError(["listings", "orders"], ["products"], ["pictures", "sales.csv"]),
        (
            "The source lacks required tables: listings, orders. It has products; its other files "
            "are pictures, sales.csv. Add each as a file or a folder, for instance "
            "listings.parquet, listings.csv, listings.xlsx or a folder listings/ of such files."
        ),
    ),
    (
        AmbiguousTableError("orders", [FILE, Path("data/orders")]),
        (
            "The table orders occurs more than once: orders.csv, orders. "
            "If they hold the same rows, move all but one out of the directory; if each holds a "
            "part, put them into one folder orders/."
        ),
    ),
    (
        UnreadableFileError(FILE, "a quote in it never closes"),
        (
            "The file orders.csv can't be read: a quote in it never closes. "
            "Write the file again from its source; CSV is UTF-8 with commas."
        ),
    ),
    (
        UnreadableFileError(FILE, "it is empty (0 bytes)", "Export it again."),
        "The file orders.csv can't be read: it is empty (0 bytes). Export it again.",
    ),
    (
        TooManyColumnsError(FILE, 100_000, 2_000),
        (
            "The file orders.csv has 100,000 columns; at most 2,000 are read. "
            "Export only the columns that the table needs; docs/contract.md lists them."
        ),
    ),
    (
        HeaderNotFirstError(FILE, 4),
        (
            "The file orders.csv has other text above its header, which is in line 4. "
            "Run `tail -n +4 data/orders.csv > data/orders.table.csv`, move the original away, and "
            "name the new file orders.csv. Or delete the lines above it in an editor."
        ),
    ),
    (
        HeaderNotFirstError(Path("orders.xlsx"), 4),
        (
            "The file orders.xlsx has other text above its header, which is in line 4. "
            "In Excel delete the rows above it, and save."
        ),
    ),
    (
        QuotedLinesError(FILE),
        (
            "The file orders.csv has each line in quotes, as a single cell: it was saved as CSV "
            f'twice. Export it again. Or: Run `{PYTHON} -c "import csv, sys; '
            '[print(*row) for row in csv.reader(sys.stdin)]" < data/orders.csv > '
            "data/orders.table.csv`, move the original away, and name the new file orders.csv."
        ),
    ),
    (
        UnreadPartsError(FILE.parent, ["b.tsv", "c.csv.gz"], "Run `mv data/b.tsv data/b.csv`."),
        (
            "The folder data holds files that aren't read because of their names: b.tsv, c.csv.gz. "
            "Run `mv data/b.tsv data/b.csv`. What is no part of the table, move out of the folder."
        ),
    ),
    (
        NoHeaderError(FILE, "orders", ["order_id", "units"]),
        (
            "The file orders.csv (table orders) has no header: its first line holds values, not "
            "names. Export it with a header; the table needs order_id, units."
        ),
    ),
    (
        UnevenRowsError("orders", 1234),
        (
            "The table orders has 1,234 rows, but none has as many cells as the header has names. "
            "Compare the header with the first row: a name may be missing, the rows may have "
            "another separator, or a cell with a comma may lack its quotes."
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
            "Rename `unit` to units, if the meaning is the same."
        ),
    ),
    (
        MissingColumnsError(FILE, "orders", ["order_id"], ["Order ID", "a"]),
        (
            "The file orders.csv (table orders) lacks columns: order_id. It has Order ID, a. "
            "Rename `Order ID` to order_id."
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
        MajorUnitsError("orders", "unit_price_minor", 1234, 5000),
        (
            "The column orders.unit_price_minor should hold whole minor units (cents, pence), but "
            "amounts with a fraction stand in 1,234 of its 5,000 cells, so the others may be in "
            "dollars or pounds too. Write all of them in minor units, for instance 1999 for 19.99."
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
            "The most frequent reasons: a; b; c and 2 more. "
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
