"""Days of the year that outcomes were learned from: what a season does can't be known without it.

On simulated markets of one year the latest decisions look ahead to the first holidays of the data.
Sell-through's calibration would be off by 0.04, a few months later it is by 0.005
(docs/benchmarks.md). No model can know what its data never showed: so answers say it, and a
calendar may speak instead (serving/season_rises.py).
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from features.runtime.arrays import BoolArray

YEAR: Final = 365.2425
"""Days, on average."""
Day = Annotated[int, Meta(ge=0, le=100_000)]


class LearnedDays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The days whose outcomes a model learned from, first to last, as day numbers.

    Decisions of the first moment have their outcome from the day after it on.
    """

    first: Day
    last: Day

    def leave_out(self, as_of_day: npt.NDArray[np.int64], horizon_days: int) -> BoolArray:
        """Tell whether the days after each moment hold one whose season was never learned from.

        A day's season was learned from if the day is among the learned ones or lies whole years
        after one of them. `as_of_day` has shape (rows,), as the result.
        """
        ahead = as_of_day[:, None] + np.arange(1, horizon_days + 1)
        return np.asarray(self.not_of(ahead).any(axis=1))

    def not_of(self, days: npt.NDArray[np.int64]) -> BoolArray:
        """Tell of each day whether its season was never learned from; `days` has any shape."""
        years = np.maximum(np.floor((days - self.last) / YEAR), 0)
        years = years + (days - np.round(years * YEAR) > self.last)  # the first whole year back
        return np.asarray(days - np.round(years * YEAR) < self.first)
