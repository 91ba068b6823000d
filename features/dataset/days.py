"""Day numbers: the unit of all time comparisons.

An event belongs to the first UTC midnight at or after it, and an `as_of` is a UTC midnight. So
`event_time <= as_of` holds exactly when `day(event_time) <= day(as_of)`. Comparing day numbers
and adding up events by day is therefore exact.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from features.runtime.arrays import BoolArray, IntArray
from features.runtime.errors import DataError

if TYPE_CHECKING:  # the service counts days and never loads an engine
    import ibis.expr.types as ir

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ONE_DAY: Final = timedelta(days=1)
SECONDS_PER_DAY: Final = 86_400

Day = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
"""A day number as stored in files: days since 1970-01-01."""


class DaySpan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The days from `first` to `last`, both included."""

    first: Day
    last: Day

    def contains(self, day: IntArray) -> BoolArray:
        """Return True for each day of an array that lies in the span."""
        return (day >= self.first) & (day <= self.last)


class NotAMidnightError(DataError):
    """Refuse an `as_of` that lies within a day."""

    def __init__(self, moment: datetime) -> None:
        super().__init__(
            problem=f"The as_of {moment.isoformat()} isn't a UTC midnight.",
            hint="Name the day alone, such as 2026-03-01.",
        )


def to_day(moment: datetime) -> int:
    """Return the number of the first UTC midnight at or after an aware `moment`."""
    return -((EPOCH - moment) // ONE_DAY)


def as_of_to_day(as_of: datetime) -> int:
    """Return the day number of an `as_of`.

    Raises:
        NotAMidnightError: the moment lies within a day.
    """
    day = to_day(as_of)
    if to_datetime(day) != as_of:
        raise NotAMidnightError(as_of)
    return day


def to_date(day: int) -> str:
    """Return the ISO date of the UTC midnight of a day number."""
    return to_datetime(day).date().isoformat()


def to_datetime(day: int) -> datetime:
    """Return the UTC midnight of a day number."""
    return EPOCH + day * ONE_DAY


def day_number(moment: ir.TimestampValue) -> ir.IntegerValue:
    """Return the day number of the first midnight at or after a naive UTC time."""
    midnight = moment.truncate("D")
    day = midnight.epoch_seconds() // SECONDS_PER_DAY
    return (day + (moment > midnight).cast("int64")).cast("int64")


def midnight_before(moment: ir.TimestampValue) -> ir.IntegerValue:
    """Return the day number of the last midnight at or before a naive UTC time."""
    return (moment.truncate("D").epoch_seconds() // SECONDS_PER_DAY).cast("int64")
