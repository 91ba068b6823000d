"""Decide whether a source table still arrives as usual.

A table's usual gap is learned from the table itself: the 99th percentile of the gaps between days
on which rows became known. The table is stale if its newest row is older than twice that gap. For a
regular table, this means that two deliveries in a row are missing. For a table that arrives at
random (a memoryless process), such a gap has the chance 0.01 squared. A multiple of the mean or the
median would raise false alarms for random tables; a larger multiple of the percentile would notice
the end of a monthly table too late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from features.contract.tables import TABLES
from features.dataset.covered_days import DailyRows, find_covered_days
from features.dataset.dataset import Dataset
from features.dataset.days import day_number

GAP_QUANTILE: Final = 0.99
GAP_FACTOR: Final = 2
MIN_LIMIT: Final = 3
"""Days: a daily table may skip a night or a Sunday."""

MIN_GAPS: Final = 10
"""With fewer gaps, the usual gap is unknown."""


@dataclass(frozen=True)
class Arrivals:
    """The distinct days on which rows of a table became known, in order.

    No day lies after the day of the check.
    """

    table: str
    days: Sequence[int]


@dataclass(frozen=True)
class TableAge:
    """The age of a table's newest row in days, and its limit; None if the limit is unknown."""

    table: str
    days: int
    limit: int | None

    @property
    def is_stale(self) -> bool:
        """Return whether the table is older than its limit."""
        return self.limit is not None and self.days > self.limit


def compute_age(arrivals: Arrivals, as_of_day: int, limit: int | None = None) -> TableAge:
    """Return the age of a table at a day; `limit` replaces the learned limit.

    A table without a row known by that day has no limit.
    """
    if not arrivals.days:
        return TableAge(arrivals.table, 0, None)
    gaps = np.diff(arrivals.days)
    if limit is None and len(gaps) >= MIN_GAPS:
        usual = float(np.quantile(gaps, GAP_QUANTILE, method="higher"))
        limit = max(MIN_LIMIT, int(GAP_FACTOR * usual))
    return TableAge(arrivals.table, as_of_day - arrivals.days[-1], limit)


def find_arrivals(dataset: Dataset, as_of_day: int) -> list[Arrivals]:
    """Return the arrivals of each event table up to a day, without imputed tables."""
    names = [table.name for table in TABLES if table.is_event and dataset.has(table.name)]
    return [
        Arrivals(name, _days(dataset, name, as_of_day))
        for name in names
        if name not in dataset.imputed
    ]


def _days(dataset: Dataset, name: str, as_of_day: int) -> list[int]:
    """Return the covered days: a few far rows neither make a table fresh nor its gaps usual."""
    daily = dataset.daily_rows(name, day_number)
    is_known = daily.days <= as_of_day
    known = DailyRows(daily.days[is_known], daily.rows[is_known])
    if not known.days.size:
        return []
    span = find_covered_days(known).span
    return [int(day) for day in known.days[span.contains(known.days)]]
