"""Errors of features/dataset as they are printed."""

from __future__ import annotations

from datetime import UTC, datetime

from features.dataset.as_of import (
    AfterAllDataError,
    BeforeAllDataError,
    FarDayError,
    NotADayError,
)
from features.dataset.dataset import NoOrderKnownError
from features.dataset.days import NotAMidnightError
from features.runtime.errors import XuanpinError

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        NotADayError("soon"),
        (
            "The --as-of soon isn't a day. "
            "Write year, month and day, such as 2026-03-01; it means midnight UTC."
        ),
    ),
    (
        NotAMidnightError(datetime(2026, 3, 1, 9, tzinfo=UTC)),
        (
            "The as_of 2026-03-01T09:00:00+00:00 isn't a UTC midnight. "
            "Name the day alone, such as 2026-03-01."
        ),
    ),
    (
        FarDayError(),
        (
            "The day of --as-of lies outside 2000-01-01 to 2100-01-01. "
            "Check the year; the contract allows no times outside this range."
        ),
    ),
    (
        BeforeAllDataError(datetime(2019, 1, 1, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC)),
        "No order is known as of 2019-01-01. Name 2024-01-03 or a later day, or add older data.",
    ),
    (
        AfterAllDataError(datetime(2062, 5, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)),
        (
            "The day 2062-05-01 is more than 31 days after 2026-05-01, the last day with complete "
            "orders. Name an earlier day, or add newer data."
        ),
    ),
    (
        NoOrderKnownError(),
        (
            "The column orders.available_at is null in all rows, so no order is known. "
            "Fill available_at in orders; if the source has only one time, repeat event_time."
        ),
    ),
]
