"""Times of the source: the order of day and month is told by the whole column."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pytest

from features.importers.online_retail.date_order import DateOrder
from features.importers.online_retail.local_times import (
    MixedDateOrderError,
    OpenDateOrderError,
    find_date_order,
    read_local_times,
)

DAY, MONTH = DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST


def at(month: int, day: int) -> datetime:
    return datetime(2010, month, day, 8, 26)  # noqa: DTZ001 - the source's times are naive


def read(*texts: str | None) -> tuple[DateOrder | None, list[datetime | None]]:
    column = pa.chunked_array([pa.array(texts, pa.string())])
    order = find_date_order(column)
    return order, read_local_times(column, order).astype(object).to_list()


@pytest.mark.parametrize(
    ("texts", "order", "times"),
    [
        (["01/12/2010 08:26", "13/12/2010 8:26"], DAY, [at(12, 1), at(12, 13)]),
        (["12/1/2010 8:26", "12/13/2010 8:26"], MONTH, [at(12, 1), at(12, 13)]),
        (["01.12.2010 08:26", "31.12.2010 08:26:00"], DAY, [at(12, 1), at(12, 31)]),
        (["01-12-2010 08:26", " 31-12-2010 08:26\u00a0"], DAY, [at(12, 1), at(12, 31)]),
        (["2010-12-01 08:26:00", "2010-12-01T08:26:00"], None, [at(12, 1)] * 2),
        (["2010-12-01 08:26", "31/12/2010 08:26"], DAY, [at(12, 1), at(12, 31)]),
    ],
)
def test_dates_of_a_column_are_read_in_its_order(
    texts: list[str], order: DateOrder | None, times: list[datetime]
) -> None:
    assert read(*texts) == (order, times)


def test_dates_that_tell_no_order_are_refused() -> None:
    with pytest.raises(OpenDateOrderError, match="2 dates such as 01/12/2010"):
        read("01/12/2010 08:26", "02/12/2010 08:26", "2010-12-31 08:26")


def test_dates_in_both_orders_are_refused() -> None:
    with pytest.raises(MixedDateOrderError, match="day first in 1 cells and the month first in 2,"):
        read("13/12/2010 08:26", "12/14/2010 08:26", "12/15/2010 08:26", "01/12/2010 08:26")


@pytest.mark.parametrize(("order", "time"), [(DAY, at(12, 1)), (MONTH, at(1, 12))])
def test_order_that_is_said_decides(order: DateOrder, time: datetime) -> None:
    column = pa.chunked_array([["01/12/2010 08:26", "99/99/2010 08:26", None]])
    first, *others = read_local_times(column, order)
    assert first == time
    assert [str(other) for other in others] == ["NaT", "NaT"]


def test_column_of_timestamps_has_no_order() -> None:
    assert find_date_order(pa.chunked_array([[at(12, 1)]], pa.timestamp("us"))) is None
