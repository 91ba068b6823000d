"""Errors of features/importers as they are printed."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from features.importers.online_retail.buyers import UnreadableKeyError, WeakKeyError
from features.importers.online_retail.local_times import (
    MixedDateOrderError,
    OpenDateOrderError,
)
from features.importers.online_retail.source import (
    SOURCE_COLUMNS,
    SOURCE_NAMES,
    EmptySourceError,
    SourceColumnsError,
    SourceTypeError,
    UnreadableSourceError,
)
from features.runtime.errors import XuanpinError

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        OpenDateOrderError(1_234, "01/12/2010"),
        (
            "The column InvoiceDate has 1,234 dates such as 01/12/2010, and all of them can be "
            "read with the day or with the month first. "
            "Say which with --dates day-first or --dates month-first."
        ),
    ),
    (
        MixedDateOrderError(700, 41),
        (
            "The column InvoiceDate has 700 dates with the day first and 41 with the month first, "
            "so the order of the others is open. In Excel give the column one form such as "
            "yyyy-mm-dd hh:mm and save again, or say the order with --dates day-first or --dates "
            "month-first; dates that don't fit it are quarantined."
        ),
    ),
    (
        WeakKeyError(5),
        (
            "The key must have 16 to 4,096 bytes; this one has 5. "
            "Make one with: head -c 32 /dev/urandom > pseudonyms.key."
        ),
    ),
    (
        UnreadableKeyError(Path("my.key"), "Permission denied"),
        "The key file my.key can't be read: Permission denied. Check the path and its permissions.",
    ),
    (
        UnreadableSourceError(Path("sales.xlsx"), "Permission denied"),
        (
            "The file sales.xlsx can't be read: Permission denied. "
            "Check the path and its permissions."
        ),
    ),
    (
        SourceColumnsError(["Invoice", *SOURCE_NAMES[1:], "Country"]),
        (
            "The source lacks InvoiceNo and has Country more than once. Its columns are Invoice, "
            "StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country, "
            "Country. Rename the columns; Online Retail has InvoiceNo, StockCode, Description, "
            "Quantity, InvoiceDate, UnitPrice, CustomerID, Country. More columns and any order "
            "are fine."
        ),
    ),
    (
        SourceTypeError(SOURCE_COLUMNS[3], pa.bool_()),
        (
            "The column Quantity has the type bool, but should hold numbers. "
            "Write it as text or as numbers, then import again."
        ),
    ),
    (
        EmptySourceError(1_234),
        (
            "The source has 1,234 lines, but none is a sale of a product. "
            "Check that the file is Online Retail or has the same columns and meaning."
        ),
    ),
]
