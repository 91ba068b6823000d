"""The moment that a command is asked for: a day in text, within what the data know."""

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
"""A snapshot further ahead of its data than that is a mistyped year, not a late delivery."""


class NotADayError(SettingsError):
    """Refuse a moment that can't be read."""

    def __init__(self, text: str) -> None:
        super().__init__(
            expected="--as-of to be a day such as 2026-03-01",
            found=escape(text),
            way_out="Write year, month and day; a snapshot holds from midnight UTC on.",
        )


class BeforeAllDataError(DataError):
    """Refuse a moment at which nothing had happened yet."""

    def __init__(self, as_of: datetime, first: datetime) -> None:
        super().__init__(
            expected=f"an as_of on {first:%Y-%m-%d}, when the first order was known, or later",
            found=f"{as_of:%Y-%m-%d}",
            way_out="Name a later day, or data that go back further.",
        )


class FarDayError(SettingsError):
    """Refuse a day that no data can be of."""

    def __init__(self) -> None:
        super().__init__(
            expected=f"--as-of from {EARLIEST} to {LATEST}",
            found="a day outside",
            way_out="Look at the year: the contract takes no times outside either.",
        )


class AfterAllDataError(DataError):
    """Refuse a moment so long after the data end that nothing of it is known."""

    def __init__(self, as_of: datetime, last: datetime) -> None:
        super().__init__(
            expected=f"an as_of at most {MAX_DAYS_AHEAD} days after {last:%Y-%m-%d}, the last "
            "that the orders fill",
            found=f"{as_of:%Y-%m-%d}",
            way_out="Name an earlier day, or bring data up to it.",
        )


def refuse_far_day(day: int) -> None:
    """Refuse a day (features/dataset/days.py) outside the times that the contract takes.

    Raises:
        FarDayError: it lies outside.
    """
    if not as_of_to_day(FIRST_AS_OF) <= day <= as_of_to_day(LAST_AS_OF):
        raise FarDayError


def parse_as_of(text: str) -> datetime:
    """Return the UTC midnight that a text such as `2026-03-01` names.

    Raises:
        NotADayError: it names no moment.
        NotAMidnightError: it names one within a day.
        FarDayError: it lies outside the times that the contract takes.
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
    """Return the moment asked for, or else the last that the data know in full.

    Raises:
        NotADayError, NotAMidnightError, FarDayError: what was asked for isn't a day.
        BeforeAllDataError: no order was known by then.
        AfterAllDataError: the orders end long before.
    """
    last = to_datetime(dataset.cut_off_day())
    as_of = last if text is None else parse_as_of(text)
    first = _find_first_midnight(dataset)
    if as_of < first:
        raise BeforeAllDataError(as_of, first)
    if as_of > last + timedelta(days=MAX_DAYS_AHEAD):
        raise AfterAllDataError(as_of, last)
    return as_of


def _find_first_midnight(dataset: Dataset) -> datetime:
    """Return the first midnight at which an order was known."""
    orders = dataset.knowable_rows("orders")
    first = dataset.connection.to_pyarrow(orders.agg(first=orders.available_at.min()))
    return to_datetime(-(-first["first"][0].value // (SECONDS_PER_DAY * MICROSECONDS)))
