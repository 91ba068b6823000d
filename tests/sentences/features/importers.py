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
            "The column InvoiceDate has the day first in 700 cells and the month first in 41, so "
            "that 01/12/2010 can mean two days. Export it again from its source as yyyy-mm-dd "
            "hh:mm. Or choose --dates day-first or --dates month-first, which quarantines dates "
            "of the other kind and may misread the rest."
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
            "None of the 1,234 lines of the source is a sale of a product. Check that InvoiceDate, "
            "Quantity and UnitPrice hold times and numbers, and that the columns mean what they "
            "mean in Online Retail."
        ),
    ),
    (
        EmptySourceError(0),
        "The source has a header, but no lines. Export it again.",
    ),
]
