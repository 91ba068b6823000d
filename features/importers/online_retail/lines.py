"""Parse the lines of the source; a value that can't be parsed becomes null."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import duckdb
import numpy as np
import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pyarrow.compute as pc
import pycountry

from features.cells.casting import cast_cells, simplify
from features.cells.identifiers import (
    ROUNDED,
    canonical_identifier,
    find_identifier_fault,
    is_missing,
    read_identifier,
)
from features.cells.text_columns import format_numbers, trim_blanks
from features.contract.columns import ColumnKind, Table, declare
from features.importers.online_retail.date_order import DateOrder
from features.importers.online_retail.local_times import london_to_utc, read_local_times

CANCELLATION_PREFIX: Final = "C"
BAD_DEBT_PREFIX: Final = "A"
_PENCE_PER_POUND: Final = 100
_MAX_UNITS: Final = 10**9
_MAX_PENCE: Final = 10**10

_MAX_CHARACTERS: Final = 100
"""Fewer than the contract's: two of them joined by a sign still fit the contract."""

_MARKET_ALIASES: Final = {"EIRE": "IE", "RSA": "ZA"}
"""Country names of the source that ISO 3166 doesn't know."""


_NUMBERS: Final = Table(
    name="numbers",
    row="a line of the source",
    key=(),
    schema=pandera.DataFrameSchema(
        {
            "Quantity": declare(ColumnKind.INTEGER, "units, negative in a cancellation"),
            "UnitPrice": declare(ColumnKind.NUMBER, "price in pounds"),
        }
    ),
)


def parse_lines(source: pa.Table, order: DateOrder | None = None) -> pd.DataFrame:
    """Return one row per line of the source, in the same order.

    Columns: `row_number` (from 1), `invoice`, `product_id`, `description`, `units` (negative in a
    cancellation), `price_minor` (pence), `event_time` (naive UTC), `customer`, `market`,
    `order_line_id`, `is_cancellation`, `is_bad_debt`, `is_duplicate`. A value that is missing or
    can't be parsed is null, and so is a time that no clock in London showed. `order` is that of
    dates with the year last.
    """
    invoice = _map_values(_parse_text(source["InvoiceNo"]), _parse_identifier)
    units, pounds = _cast_numbers(source)
    parsed = pd.DataFrame(
        {
            "row_number": np.arange(1, source.num_rows + 1),
            "invoice": invoice,
            "product_id": _map_values(_parse_text(source["StockCode"]), _parse_product_id),
            "description": _parse_text(source["Description"]),
            "units": units.where(units.abs() <= _MAX_UNITS),
            "price_minor": _parse_pence(pounds),
            "event_time": london_to_utc(read_local_times(source["InvoiceDate"], order)),
            "customer": _map_values(_parse_text(source["CustomerID"]), _parse_customer),
            "country": _parse_text(source["Country"]),
        }
    )
    facts = [name for name in parsed.columns if name != "row_number"]
    return parsed.assign(
        market=_map_values(parsed["country"], find_market),
        order_line_id=_order_line_id(invoice),
        is_cancellation=invoice.str.startswith(CANCELLATION_PREFIX, na=False),
        is_bad_debt=invoice.str.startswith(BAD_DEBT_PREFIX, na=False),
        is_duplicate=parsed.duplicated(facts),
    )


def _order_line_id(invoice: pd.Series[str]) -> pd.Series[str]:
    # Counted before any line is removed: the number identifies a line of the source, and doesn't
    # change with the rules of removal.
    position = invoice.groupby(invoice, dropna=False).cumcount() + 1
    return invoice + "-" + position.astype(str).str.zfill(4)


def _map_values(column: pd.Series[str], parse: Callable[[str], str | None]) -> pd.Series[str]:
    parsed = {value: parse(value) for value in column.dropna().unique()}
    return column.map(parsed).astype("str")


def _parse_identifier(text: str) -> str | None:
    identifier = read_identifier(text)
    is_fit = identifier is not None and len(identifier) <= _MAX_CHARACTERS
    return identifier if is_fit else None


def _parse_customer(text: str) -> str | None:
    # Any text names a customer, because only its pseudonym leaves the source.
    canonical = canonical_identifier(text)
    is_unknown = is_missing(text) or find_identifier_fault(canonical) == ROUNDED
    return None if is_unknown else canonical


def _parse_product_id(code: str) -> str | None:
    # "85123a" and "85123A" are one product: the source writes many codes both ways.
    identifier = _parse_identifier(code)
    return identifier and _parse_identifier(identifier.upper())


def _parse_text(column: pa.ChunkedArray) -> pd.Series[str]:
    trimmed = trim_blanks(format_numbers(simplify(column)))
    single_spaced = pc.replace_substring_regex(trimmed, r"\s+", " ")
    is_empty = pc.equal(single_spaced, "")
    text: pd.Series[str] = pc.if_else(is_empty, None, single_spaced).to_pandas().astype("str")
    return text


def _cast_numbers(source: pa.Table) -> tuple[pd.Series[int], pd.Series[float]]:
    """Return the units (Int64) and the prices in pounds (float64)."""
    with duckdb.connect() as connection:
        numbers = cast_cells(connection, _NUMBERS, source)
    units = numbers["Quantity"].to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return units, numbers["UnitPrice"].to_pandas()


def _parse_pence(pounds: pd.Series[float]) -> pd.Series[int]:
    pence = (pounds * _PENCE_PER_POUND).round()
    return pence.where(pence.abs() <= _MAX_PENCE).astype("Int64")


def find_market(country: str) -> str | None:
    """Return the ISO 3166 code of a country, or None if the name means no single country.

    "Channel Islands" is None: ISO has two countries there, Jersey and Guernsey.

    >>> find_market("EIRE"), find_market("Germany"), find_market("European Community")
    ('IE', 'DE', None)
    """
    if country.upper() in _MARKET_ALIASES:
        return _MARKET_ALIASES[country.upper()]
    try:
        return str(pycountry.countries.lookup(country).alpha_2)
    except LookupError:
        return None
