"""Parse the lines of the source; a value that can't be parsed becomes null."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pa_types
import pycountry

from features.contract.columns import EARLIEST, LATEST

CANCELLATION_PREFIX: Final = "C"
BAD_DEBT_PREFIX: Final = "A"
_PENCE_PER_POUND: Final = 100
_MAX_UNITS: Final = 10**9
_MAX_PENCE: Final = 10**10

_IDENTIFIER: Final = re.compile(r"[\w.\-:|/+ ]{1,100}", re.ASCII)
"""Narrower than the contract's pattern: two of them joined by a sign still fit the contract."""

_TIME_FORMATS: Final = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%m/%d/%Y %H:%M",
)
"""Text forms of times in known copies of the data set: ISO 8601, and the original's month first."""

SHOP_TIME_ZONE: Final = "Europe/London"
_MARKET_ALIASES: Final = {"EIRE": "IE", "RSA": "ZA"}
"""Country names of the source that ISO 3166 doesn't know."""


def parse_lines(source: pa.Table) -> pd.DataFrame:
    """Return one row per line of the source, in the same order.

    Columns: `row_number` (from 1), `invoice`, `product_id`, `description`, `units` (negative in a
    cancellation), `price_minor` (pence), `event_time` (naive UTC), `customer`, `market`,
    `order_line_id`, `is_cancellation`, `is_bad_debt`, `is_duplicate`. A value that is missing or
    can't be parsed is null, and so is a time that no clock in London showed.
    """
    invoice = _map_values(_parse_text(source["InvoiceNo"]), _parse_identifier)
    parsed = pd.DataFrame(
        {
            "row_number": np.arange(1, source.num_rows + 1),
            "invoice": invoice,
            "product_id": _map_values(_parse_text(source["StockCode"]), _parse_product_id),
            "description": _parse_text(source["Description"]),
            "units": _parse_whole(_parse_number(source["Quantity"]), limit=_MAX_UNITS),
            "price_minor": _parse_pence(_parse_number(source["UnitPrice"])),
            "event_time": london_to_utc(_parse_local_time(source["InvoiceDate"])),
            "customer": _parse_customer(source["CustomerID"]),
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
    return text if _IDENTIFIER.fullmatch(text) else None


def _parse_product_id(code: str) -> str | None:
    # "85123a" and "85123A" are one product: the source writes many codes both ways.
    return _parse_identifier(code.upper())


def _parse_text(column: pa.ChunkedArray) -> pd.Series[str]:
    trimmed = pc.utf8_trim_whitespace(column.cast(pa.string()))
    single_spaced = pc.replace_substring_regex(trimmed, r"\s+", " ")
    is_empty = pc.equal(single_spaced, "")
    text: pd.Series[str] = pc.if_else(is_empty, None, single_spaced).to_pandas().astype("str")
    return text


def _parse_number(column: pa.ChunkedArray) -> pd.Series[float]:
    numbers: pd.Series[float] = pd.to_numeric(column.to_pandas(), errors="coerce")
    return numbers.astype("float64")


def _parse_whole(numbers: pd.Series[float], *, limit: int) -> pd.Series[int]:
    is_whole = (numbers == numbers.round()) & (numbers.abs() <= limit)
    return numbers.where(is_whole).astype("Int64")


def _parse_pence(pounds: pd.Series[float]) -> pd.Series[int]:
    return _parse_whole((pounds * _PENCE_PER_POUND).round(), limit=_MAX_PENCE)


def _parse_local_time(column: pa.ChunkedArray) -> pd.Series[pd.Timestamp]:
    if pa_types.is_timestamp(column.type):
        times = column.cast(pa.timestamp("us"), safe=False)
    else:
        text = pc.utf8_trim_whitespace(column.cast(pa.string()))
        attempts = [
            pc.strptime(text, format=form, unit="us", error_is_null=True) for form in _TIME_FORMATS
        ]
        times = pc.coalesce(*attempts)
    local: pd.Series[pd.Timestamp] = times.to_pandas().astype("datetime64[us]")
    return local


def _parse_customer(column: pa.ChunkedArray) -> pd.Series[str]:
    # A column of integers with nulls is often stored as floats: 17850.0 is 17850.
    return _parse_text(column).str.replace(r"^(\d+)\.0+$", r"\1", regex=True)


def london_to_utc(local: pd.Series[pd.Timestamp]) -> pd.Series[pd.Timestamp]:
    """Return naive UTC times for naive London times; an impossible time becomes null.

    In autumn one hour occurs twice: the later time is taken, because an event may be known late
    but never early. A time in the hour that spring skips is null, as is a time outside the limits
    of the contract.
    """
    in_range = local.where(local.between(pd.Timestamp(EARLIEST), pd.Timestamp(LATEST)))
    is_summer_time = np.zeros(len(in_range), dtype=bool)
    aware = in_range.dt.tz_localize(SHOP_TIME_ZONE, ambiguous=is_summer_time, nonexistent="NaT")
    return aware.dt.tz_convert("UTC").dt.tz_localize(None)


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
