"""Name the order of day and month in dates whose year comes last."""

from __future__ import annotations

from enum import StrEnum


class DateOrder(StrEnum):
    """Which number comes first."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"
