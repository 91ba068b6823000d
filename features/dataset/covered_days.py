"""Find the days that a table's rows cover, without a few rows of a broken clock.

A source can hold a few rows years before or after all others: a sentinel such as 2099, a month and
a day exchanged. The covered days begin with those that hold all but a few rows. From there they
grow in both directions, from one day with rows to the next, until the rows break off. So neither
one far row nor many thinly spread ones extend them, while a slow start or end belongs to them, and
so do the days on which trade goes on after a break.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from features.dataset.days import DaySpan
from features.runtime.arrays import IntArray

FAR_SHARE: Final = 0.05
"""Most rows, as a share of all, that may lie before the covered days, and after them.

A check warns of far times up to the same share (features/validation/far_values.py).
"""
FAIR_SHARE: Final = 0.05
"""Least rows of a window, as a share of those of the window before; fewer break off."""
MIN_WINDOW_DAYS: Final = 14
MIN_WINDOW_ROWS: Final = 20
"""Usual rows of a window: with fewer, chance alone could empty it."""
GAP_QUANTILE: Final = 0.99
RESUMED_SHARE: Final = 0.02
MIN_RESUMED_ROWS: Final = 5
"""Least rows of the window after a break, of which the first as a share of usual ones: trade that
goes on after a stock-out or a holiday. A broken clock's few rows are thinner."""
MIN_SPAN_DAYS: Final = 365
"""A break is longer than any stock-out if it exceeds this and the days that most rows hold."""


@dataclass(frozen=True)
class DailyRows:
    """The distinct days with rows, in order, and the number of rows on each; shape (days,)."""

    days: IntArray
    rows: IntArray

    def reversed(self) -> DailyRows:
        """Return the same rows with time running backwards."""
        return DailyRows(-self.days[::-1], self.rows[::-1])


@dataclass(frozen=True)
class CoveredDays:
    """The days that a table's rows cover, and the number of rows before and after them."""

    span: DaySpan
    rows_before: int = 0
    rows_after: int = 0


def find_covered_days(daily: DailyRows) -> CoveredDays:
    """Return the days that rows cover; `daily` must have at least one day."""
    known = np.cumsum(daily.rows)
    few = max(1, int(known[-1] * FAR_SHARE))
    start = min(int(np.searchsorted(known, few, side="right")), known.size - 1)
    end = max(int(np.searchsorted(known, known[-1] - few)), start)
    core = DailyRows(daily.days[start : end + 1], daily.rows[start : end + 1])
    start = known.size - 1 - _extend(daily.reversed(), known.size - 1 - start, core)
    end = _extend(daily, end, core)
    return CoveredDays(
        DaySpan(int(daily.days[start]), int(daily.days[end])),
        rows_before=int(known[start] - daily.rows[start]),
        rows_after=int(known[-1] - known[end]),
    )


def _extend(daily: DailyRows, end: int, core: DailyRows) -> int:
    """Return the last position that rows reach from `end` before they break off.

    They break off where a window holds no row and they don't resume, or far fewer rows than the
    window before: exchanged months and days lie thinly behind the last day without a gap.
    """
    known = np.concatenate([[0], np.cumsum(daily.rows)])
    span = core.days[-1] - core.days[0] + 1
    per_day = core.rows.sum() / span
    window = _window_days(core, per_day)
    resumed = max(MIN_RESUMED_ROWS, RESUMED_SHARE * per_day * window)
    for position in range(end + 1, daily.days.size):
        limits = daily.days[position] + np.array([-2 * window, -window, 0, window])
        before, recent, ahead = np.diff(known[np.searchsorted(daily.days, limits)])
        gap = daily.days[position] - daily.days[position - 1]
        resumes = gap > window and ahead >= resumed and gap <= max(MIN_SPAN_DAYS, span)
        if recent < max(1, FAIR_SHARE * before) and not resumes:
            return position - 1
    return int(daily.days.size) - 1


def _window_days(core: DailyRows, per_day: float) -> int:
    """Return a length in days that neither chance nor the usual gaps leave empty."""
    gaps = np.diff(core.days)
    gap = int(np.quantile(gaps, GAP_QUANTILE, method="higher")) if gaps.size else 0
    return int(max(MIN_WINDOW_DAYS, math.ceil(MIN_WINDOW_ROWS / per_day), 2 * gap))
