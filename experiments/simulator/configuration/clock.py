"""Days, weeks and microseconds of simulated time, counted from the market's first day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from experiments.simulator.configuration.configuration import Simulation
from features.runtime.arrays import BoolArray, IntArray

DAY_US: Final = 86_400_000_000
SECOND_US: Final = 1_000_000
HOUR_US: Final = 3_600 * SECOND_US
WEEK: Final = 7
MONDAY: Final = 4
"""Day 4 since 1970-01-01 was a Monday."""
AHEAD: Final = 35
"""Days planned beyond the end, so that the truth covers the targets' horizons."""
FIRST_SECOND: Final = 300
LAST_SECOND: Final = 84_900
"""Orders come between 00:05 and 23:35; warehouses count stock after that."""
COUNTED_BEFORE_MIDNIGHT_US: Final = 1_200 * SECOND_US


@dataclass(frozen=True)
class Clock:
    """The days 0 … `days` - 1 of the data, the days planned ahead, and their weeks.

    Day d lasts from its midnight to the next. Week w begins on the Monday `monday(w)`; week 0
    holds day 0.
    """

    first_day: int
    days: int

    @property
    def total_days(self) -> int:
        """Return the number of days, those planned ahead included."""
        return self.days + AHEAD

    @property
    def offset(self) -> int:
        """Return the number of days of week 0 before day 0."""
        return (self.first_day - MONDAY) % WEEK

    @property
    def weeks(self) -> int:
        """Return the number of weeks with planned days."""
        return (self.total_days - 1 + self.offset) // WEEK + 1

    def to_week(self, day: IntArray) -> IntArray:
        """Return the week of each day."""
        return (day + self.offset) // WEEK

    def monday(self, week: IntArray) -> IntArray:
        """Return the first day of each week; week 0 may start before day 0, on a negative day."""
        return week * WEEK - self.offset

    @property
    def day_of_year(self) -> IntArray:
        """Return the day of the year, 1 to 366, of each planned day."""
        days = np.arange(self.first_day, self.first_day + self.total_days).astype("datetime64[D]")
        new_year = days.astype("datetime64[Y]").astype("datetime64[D]")
        return np.asarray((days - new_year).astype(np.int64) + 1, dtype=np.int64)


def build_clock(market: Simulation) -> Clock:
    """Return the clock of a market."""
    return Clock(first_day=market.first_day, days=market.days)


def sort_columns(columns: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Return columns sorted by keys, the first one first; equal rows keep their order."""
    order = np.lexsort([columns[key] for key in reversed(keys)])
    return {name: values[order] for name, values in columns.items()}


def select_rows(columns: dict[str, Any], keep: IntArray | BoolArray) -> dict[str, Any]:
    """Return the rows of columns that a mask or an index selects."""
    return {name: values[keep] for name, values in columns.items()}
