"""Describe the result of scoring a file in a few lines for the person who started it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from features.runtime.text import join_names
from serving.batch.score_file import BatchReport, RefusedRows

MAX_ERRORS_SHOWN: Final = 10

MEANINGS: Final = {
    "row: wrong_number_of_cells": (
        "The row has more or fewer cells than the header. Put double quotes around a cell with a "
        "comma."
    ),
    "list_price_minor: wrong_type": (
        "The price must be a whole number of minor units (cents, pence): write 8.30 as 830."
    ),
    "list_price_minor: out_of_range": (
        "The price must be from 1 to 10,000,000,000 minor units (cents, pence)."
    ),
    "units_offered: wrong_type": "units_offered must be a whole number of units.",
    "units_offered: out_of_range": "units_offered must be from 1 to 1,000,000,000 units.",
    "market: wrong_form": "The market must be a country code of two capitals, for instance GB.",
    "currency: wrong_form": "The currency must be a code of three capitals, for instance GBP.",
    "missing_field": "The cell is empty, but every candidate needs a value there.",
    "wrong_type": "The cell must be text or a whole number.",
    "wrong_form": (
        "An identifier has 1 to 128 letters, digits, blanks and common signs. A number such as "
        "5.76E+17 was rounded by a spreadsheet: export the column as text."
    ),
    "unsupported_market": (
        "The model has not learned from this market. Check the code (the United Kingdom is GB), or "
        "leave the row out."
    ),
    "currency_mismatch": "The price must be in the currency of the market: convert it.",
    "listing_mismatch": (
        "The listing belongs to another product or market: correct the row, or leave listing_id "
        "empty."
    ),
}
"""Error, or its code alone, to its meaning and the way out."""


def describe_batch(report: BatchReport) -> Iterator[str]:
    """Yield what happened to the columns, and for each error its rows and the way out."""
    if report.replaced:
        yield f"Replaced {len(report.replaced)} columns of an earlier scoring."
    if report.renamed:
        names = (f"{name} as {new_name}" for name, new_name in report.renamed.items())
        yield f"Columns kept under another name: {join_names(names)}."
    if not report.rows:
        yield "The file has a header, but no candidates."
    if report.unread:
        yield f"Columns kept but not used: {join_names(report.unread)}."
    worst = sorted(report.refused.items(), key=lambda error: (-error[1].count, error[0]))
    for error, rows in worst[:MAX_ERRORS_SHOWN]:
        yield f"Refused {_name_rows(rows)}: {error}. {describe_error(error)}"
    if report.refused:
        yield "Row 1 is the first row below the header; blank lines aren't counted."


def describe_error(error: str) -> str:
    """Return the meaning of a row's error, such as `market: wrong_form`, and the way out.

    A reason in brackets behind it doesn't change that.
    """
    fault = error.partition(" (")[0]
    code = fault.rpartition(": ")[2]
    return MEANINGS.get(fault) or MEANINGS[code]


def _name_rows(rows: RefusedRows) -> str:
    """Return the number of rows and the first of them: `7 rows (1, 4, 5, 6, 8 and 2 more)`."""
    names = join_names((f"{row:,}" for row in rows.first), limit=len(rows.first))
    hidden = rows.count - len(rows.first)
    more = f" and {hidden:,} more" if hidden else ""
    return f"{rows.count:,} row{'' if rows.count == 1 else 's'} ({names}{more})"
