"""Read the `--as-of` of a command and check it against the data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from features.contract.columns import EARLIEST, LATEST
from features.dataset.dataset import Dataset
from features.dataset.days import SECONDS_PER_DAY, as_of_to_day, to_datetime
from features.runtime.errors import DataError, SettingsError
from features.runtime.text import escape

MICROSECONDS: Final = 1_000_000
FIRST_AS_OF: Final = datetime.fromisoformat(EARLIEST).replace(tzinfo=UTC)
LAST_AS_OF: Final = datetime.fromisoformat(LATEST).replace(tzinfo=UTC)
MAX_DAYS_AHEAD: Final = 31
"""A day further after the end of the data is a mistyped year, not a late delivery."""


class NotADayError(SettingsError):
    """Refuse a text that isn't a day."""

    def __init__(self, text: str) -> None:
        super().__init__(
            problem=f"The --as-of {escape(text)} isn't a day.",
            hint="Write year, month and day, such as 2026-03-01; it means midnight UTC.",
        )


class BeforeAllDataError(DataError):
    """Refuse a moment before the first known order."""

    def __init__(self, as_of: datetime, first: datetime) -> None:
        super().__init__(
            problem=f"No order is known as of {as_of:%Y-%m-%d}.",
            hint=f"Name {first:%Y-%m-%d} or a later day, or add older data.",
        )


class FarDayError(SettingsError):
    """Refuse a day outside the times that the contract allows."""

    def __init__(self) -> None:
        super().__init__(
            problem=f"The day of --as-of lies outside {EARLIEST} to {LATEST}.",
            hint="Check the year; the contract allows no times outside this range.",
        )


class AfterAllDataError(DataError):
    """Refuse a moment more than `MAX_DAYS_AHEAD` days after the end of the data."""

    def __init__(self, as_of: datetime, last: datetime) -> None:
        super().__init__(
            problem=f"The day {as_of:%Y-%m-%d} is more than {MAX_DAYS_AHEAD} days after "
            f"{last:%Y-%m-%d}, the last day with complete orders.",
            hint="Name an earlier day, or add newer data.",
        )


def refuse_far_day(day: int) -> None:
    """Refuse a day number (features/dataset/days.py) outside the times that the contract allows.

    Raises:
        FarDayError: the day lies outside.
    """
    if not as_of_to_day(FIRST_AS_OF) <= day <= as_of_to_day(LAST_AS_OF):
        raise FarDayError


def parse_as_of(text: str) -> datetime:
    """Return the UTC midnight that a text such as `2026-03-01` names.

    Raises:
        NotADayError: the text isn't an ISO date or time.
        NotAMidnightError: the moment lies within a day.
        FarDayError: the moment lies outside the times that the contract allows.
    """
    try:
        moment = datetime.fromisoformat(text)
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise NotADayError(text) from error
    if not FIRST_AS_OF <= aware <= LAST_AS_OF:
        raise FarDayError
    as_of_to_day(aware)
    return aware


def resolve_as_of(dataset: Dataset, text: str | None) -> datetime:
    """Return the requested moment or, without one, the last day with complete orders.

    Raises:
        NotADayError, NotAMidnightError, FarDayError: the text isn't an allowed day.
        BeforeAllDataError: no order was known at the moment.
        AfterAllDataError: the orders end more than `MAX_DAYS_AHEAD` days before the moment.
    """
    order_days = dataset.order_days()
    last = to_datetime(order_days.cut_off_day)
    as_of = last if text is None else parse_as_of(text)
    first = _find_first_midnight(dataset, order_days.covered.span.first)
    if as_of < first:
        raise BeforeAllDataError(as_of, first)
    if as_of > last + timedelta(days=MAX_DAYS_AHEAD):
        raise AfterAllDataError(as_of, last)
    return as_of


def _find_first_midnight(dataset: Dataset, first_day: int) -> datetime:
    """Return the first midnight at which an order of the covered days was known."""
    orders = dataset.knowable_rows("orders")
    midnight = to_datetime(first_day).replace(tzinfo=None)
    orders = orders.filter(orders.available_at >= midnight)
    result = dataset.connection.to_pyarrow(orders.agg(first=orders.available_at.min()))
    return to_datetime(-(-result["first"][0].value // (SECONDS_PER_DAY * MICROSECONDS)))
