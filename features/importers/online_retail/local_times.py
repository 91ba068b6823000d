"""Read the source's times: local times of the shop in London, in any order of day and month."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.cells.text_columns import trim_blanks
from features.contract.columns import EARLIEST, LATEST
from features.importers.online_retail.date_order import DateOrder
from features.runtime.errors import DataError
from features.runtime.text import escape

SHOP_TIME_ZONE: Final = "Europe/London"
_FORMATS: Final = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M")
_YEAR_LAST: Final = r"^(?P<first>\d{1,2})[/.-](?P<second>\d{1,2})[/.-](?P<year>\d{4})\b"
_MONTHS: Final = 12
_YEAR_FIRST: Final = {DateOrder.DAY_FIRST: r"\3-\2-\1", DateOrder.MONTH_FIRST: r"\3-\1-\2"}
"""How a date of either order is written in ISO 8601."""


class OpenDateOrderError(DataError):
    """Refuse dates that can all be read with the day first and with the month first."""

    def __init__(self, dates: int, example: str) -> None:
        super().__init__(
            problem=f"The column InvoiceDate has {dates:,} dates such as {escape(example)}, and "
            "all of them can be read with the day or with the month first.",
            hint="Say which with --dates day-first or --dates month-first.",
        )


class MixedDateOrderError(DataError):
    """Refuse a column that has dates with the day first and dates with the month first."""

    def __init__(self, day_first: int, month_first: int) -> None:
        super().__init__(
            problem=f"The column InvoiceDate has the day first in {day_first:,} cells and the "
            f"month first in {month_first:,}, so that 01/12/2010 can mean two days.",
            hint="Export it again from its source as yyyy-mm-dd hh:mm. Or choose --dates day-first "
            "or --dates month-first, which quarantines dates of the other kind and may misread "
            "the rest.",
        )


def find_date_order(column: pa.ChunkedArray) -> DateOrder | None:
    """Return the order of day and month in a column; None if the year comes first everywhere.

    The whole column decides: a number over 12 can only be a day.

    Raises:
        OpenDateOrderError: no date tells the order.
        MixedDateOrderError: some dates tell one order, and some the other.
    """
    if pa.types.is_timestamp(column.type):
        return None
    text = column.cast(pa.string())
    parts = pc.drop_null(pc.extract_regex(trim_blanks(text), _YEAR_LAST))
    if not len(parts):
        return None
    day_first, month_first = (
        pc.sum(pc.greater(pc.struct_field(parts, name).cast(pa.int64()), _MONTHS)).as_py()
        for name in ("first", "second")
    )
    if day_first and month_first:
        raise MixedDateOrderError(day_first, month_first)
    if not day_first and not month_first:
        example = parts[0].as_py()
        raise OpenDateOrderError(len(parts), "/".join(example.values()))
    return DateOrder.DAY_FIRST if day_first else DateOrder.MONTH_FIRST


def read_local_times(column: pa.ChunkedArray, order: DateOrder | None) -> pd.Series[pd.Timestamp]:
    """Return naive local times in microseconds; a time that can't be read is null."""
    if pa.types.is_timestamp(column.type):
        times = column.cast(pa.timestamp("us"), safe=False)
    else:
        text = trim_blanks(column.cast(pa.string()))
        if order:
            text = pc.replace_substring_regex(text, _YEAR_LAST, _YEAR_FIRST[order])
        attempts = [
            pc.strptime(text, format=form, unit="us", error_is_null=True) for form in _FORMATS
        ]
        times = pc.coalesce(*attempts)
    local: pd.Series[pd.Timestamp] = times.to_pandas().astype("datetime64[us]")
    return local


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
