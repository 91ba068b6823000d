"""What a calendar says of days that a model never learned from: how much more sells on them.

A model of a market's first year can't know its first holidays, but its users do: the calendar
holds it. A model needs no training to heed it. If demand is m times as great, the share of a lot
that sells is that of a lot of 1/m the units at the usual demand, up to the noise of small numbers;
and how sell-through answers to the lot is what every model here has learned. So in such days models
are asked about units offered / m, and nothing else changes. Without a calendar m is 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from features.column_stacks import ColumnStacks
from features.declarations import FloatArray
from serving.cells import BoolArray, IntArray
from serving.season import LearnedDays

TRAILING_DAYS: Final = 28
"""Of the windows that demand's features look back over (7, 28 and 84 days), the middle one."""

MonthDay = Annotated[str, Meta(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]


class SeasonRise(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Days of every year on which more, or less, sells than on ordinary ones."""

    name: str
    first: MonthDay
    """The first day, as month and day; days are UTC. After `last`, the days span new year."""
    last: MonthDay
    """The last day, which counts."""
    rise: Annotated[float, Meta(gt=-1, le=10)]
    """How much more sells on such a day: 0.4 is 40 % more than on an ordinary one."""
    markets: tuple[str, ...]
    """Where; none named is everywhere."""

    def holds(self, days: IntArray) -> BoolArray:
        """Tell of each day number whether it is such a day; `days` has any shape."""
        date = (days - 1).astype("datetime64[D]")  # a day number ends its day (features/days.py)
        month = date.astype("datetime64[M]")
        month_day = (month.astype(np.int64) % 12 + 1) * 100 + (date - month).astype(np.int64) + 1
        first, last = (int(text.replace("-", "")) for text in (self.first, self.last))
        since, until = month_day >= first, month_day <= last
        return np.asarray(since & until if first <= last else since | until)


class Seasons(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The days that a model learned from, and what a calendar says of the others."""

    learned: LearnedDays
    rises: tuple[SeasonRise, ...]

    def demand(
        self, as_of_day: IntArray, place: IntArray, markets: tuple[str, ...], *, horizon_days: int
    ) -> FloatArray:
        """Return how many times as great as lately demand will be, by the calendar; shape (rows,).

        `place` is each row's market in `markets`. It is the mean over the days ahead, divided by
        that over the days before, in which features saw what sells; exactly 1 for whatever models
        learned from. Days that were learned from, or come a year after such, count as ordinary:
        what they do is in the model.
        """
        days, moment = np.unique(as_of_day, return_inverse=True)
        ahead = days[:, None] + np.arange(1, horizon_days + 1)
        lately = days[:, None] - np.arange(TRAILING_DAYS)
        ratios = [self._of(market, ahead) / self._of(market, lately) for market in markets]
        return np.asarray(np.array(ratios)[place, moment], dtype=np.float64)

    def _of(self, market: str, days: IntArray) -> FloatArray:
        """Return the mean demand of days, of shape (moments, days), against ordinary ones."""
        demand = np.ones(days.shape)
        for rise in self.rises:
            if not rise.markets or market in rise.markets:
                demand = demand * np.where(rise.holds(days), 1 + rise.rise, 1.0)
        is_news = (days > self.learned.last) & self.learned.not_of(days)
        return np.asarray(np.where(is_news, demand, 1.0).mean(axis=1))


def at_usual_demand(
    columns: Mapping[str, FloatArray], demand: npt.NDArray[np.float64]
) -> Mapping[str, FloatArray]:
    """Return columns with the lot that sells at the usual demand as the real one does at `demand`.

    `demand` has shape (rows,), as every column. Where it is 1 nothing changes by a bit.
    """
    offered = {"units_offered": columns["units_offered"] / demand}
    if isinstance(columns, ColumnStacks):
        return columns.beside(offered)
    return {**columns, **offered}
