"""Freshness: whether a source table still arrives as it used to.

How often a table should arrive is learned from the table itself: its usual gap is the 99th
percentile of the gaps between days on which any row became known, and it is stale when its newest
row is older than twice that. If it arrives regularly, that is when the second delivery in a row is
missing; if it arrives at random (a memoryless process), a gap so long has chance 0.01 squared, once
in ten thousand. A multiple of the mean or the median would cry wolf over the latter, and a larger
multiple of the percentile would notice the end of a monthly table after half a year.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from features.contract.tables import TABLES
from features.dataset.dataset import Dataset
from features.dataset.days import day_number

GAP_QUANTILE: Final = 0.99
GAP_FACTOR: Final = 2
MIN_LIMIT: Final = 3
"""Days: a daily table that skips a night or a Sunday isn't dead."""

MIN_GAPS: Final = 10
"""Fewer gaps don't tell what is usual."""


@dataclass(frozen=True)
class Arrivals:
    """The days on which rows of a table became known, in order and each once.

    None lies after the day for which the table is judged.
    """

    table: str
    days: Sequence[int]


@dataclass(frozen=True)
class TableAge:
    """How old a table's newest row is, in days, and how old it may be; None: nobody can tell."""

    table: str
    days: int
    limit: int | None

    @property
    def is_stale(self) -> bool:
        """Tell whether the table is older than it may be."""
        return self.limit is not None and self.days > self.limit


def compute_age(arrivals: Arrivals, as_of_day: int, limit: int | None = None) -> TableAge:
    """Return the age of a table at a day; a `limit` given by the user takes the usual one's place.

    Of a table without a row that was known by then nobody can tell how old it may be.
    """
    if not arrivals.days:
        return TableAge(arrivals.table, 0, None)
    gaps = np.diff(arrivals.days)
    if limit is None and len(gaps) >= MIN_GAPS:
        usual = float(np.quantile(gaps, GAP_QUANTILE, method="higher"))
        limit = max(MIN_LIMIT, int(GAP_FACTOR * usual))
    return TableAge(arrivals.table, as_of_day - arrivals.days[-1], limit)


def find_arrivals(dataset: Dataset, as_of_day: int) -> list[Arrivals]:
    """Return the arrivals of each event table of a data set up to a day; not of imputed ones."""
    names = [table.name for table in TABLES if table.is_event and dataset.has(table.name)]
    return [
        Arrivals(name, _days(dataset, name, as_of_day))
        for name in names
        if name not in dataset.imputed
    ]


def _days(dataset: Dataset, name: str, as_of_day: int) -> list[int]:
    rows = dataset.knowable_rows(name)
    days = rows.select(day=day_number(rows.available_at)).distinct()
    known = days.filter(days.day <= as_of_day).order_by("day")
    return [int(day) for day in dataset.connection.to_pyarrow(known)["day"].to_pylist()]
