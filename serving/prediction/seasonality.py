"""What a calendar says of days that a model never learned from: how much more sells on them.

A model of a market's first year can't know its first holidays, but its users do: the calendar
holds it. A model needs no training to heed it. If demand is m times as great, the share of a lot
that sells is that of a lot of 1/m the units at the usual demand, up to the noise of small numbers;
and how sell-through answers to the lot is what its model has learned. So for such days that model
is asked about units offered / m, and nothing else changes; return risk isn't asked otherwise, for
the calendar is one of sales. Without a calendar m is 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from features.dataset.days import DaySpan
from features.declarations.column_blocks import ColumnBlocks
from features.declarations.targets import Target
from features.runtime.arrays import BoolArray, FloatArray, IntArray

YEAR: Final = 365.2425
"""Days, on average."""


def has_unseen_season(learned: DaySpan, as_of_day: IntArray, horizon_days: int) -> BoolArray:
    """Return whether the days after each moment hold one whose season no model learned from.

    `learned` are the days whose outcomes a model learned from. A day's season was learned from if
    the day is one of them or lies whole years after one of them. `as_of_day` has shape (rows,), as
    the result.
    """
    ahead = as_of_day[:, None] + np.arange(1, horizon_days + 1)
    return np.asarray(is_unseen_season(learned, ahead).any(axis=1))


def is_unseen_season(learned: DaySpan, days: IntArray) -> BoolArray:
    """Return whether no model learned from the season of each day; `days` has any shape."""
    years = np.maximum(np.floor((days - learned.last) / YEAR), 0)
    years = years + (days - np.round(years * YEAR) > learned.last)  # the first whole year back
    return np.asarray(days - np.round(years * YEAR) < learned.first)


SEASONAL_TARGET: Final[Target] = "sell_through"
"""The target that a calendar moves."""
TRAILING_DAYS: Final = 28
"""Of the windows that demand's features look back over (7, 28 and 84 days), the middle one."""
MIN_UPLIFT: Final = -0.9
MAX_UPLIFT: Final = 10.0
MAX_UPLIFTS: Final = 50

MonthDay = Annotated[str, Meta(pattern=r"\A(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\Z")]


class Uplift(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Days of every year on which more, or less, sells than on ordinary ones."""

    name: str
    first: MonthDay
    """The first day, as month and day; days are UTC. After `last`, the days span new year."""
    last: MonthDay
    """The last day, which counts."""
    uplift: Annotated[float, Meta(ge=MIN_UPLIFT, le=MAX_UPLIFT)]
    """How much more sells on such a day: 0.4 is 40 % more than on an ordinary one."""
    markets: tuple[str, ...]
    """Where; none named is everywhere."""

    def holds(self, days: IntArray) -> BoolArray:
        """Tell of each day number whether it is such a day; `days` has any shape."""
        date = (days - 1).astype(
            "datetime64[D]"
        )  # a day number ends its day (features/dataset/days.py)
        month = date.astype("datetime64[M]")
        month_day = (month.astype(np.int64) % 12 + 1) * 100 + (date - month).astype(np.int64) + 1
        first, last = (int(text.replace("-", "")) for text in (self.first, self.last))
        since, until = month_day >= first, month_day <= last
        return np.asarray(since & until if first <= last else since | until)

    def has_market(self, market: str) -> bool:
        """Tell whether it is about a market."""
        return not self.markets or market in self.markets


class Seasons(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The days that a model learned from, and what a calendar says of the others."""

    learned: DaySpan
    uplifts: Annotated[tuple[Uplift, ...], Meta(max_length=MAX_UPLIFTS)]
    """Where several hold, the last of them counts."""

    def demand(
        self, as_of_day: IntArray, place: IntArray, markets: tuple[str, ...], *, horizon_days: int
    ) -> FloatArray:
        """Return how many times as great as lately demand will be, by the calendar; shape (rows,).

        `place` is each row's market in `markets`. It is the mean over the days ahead, divided by
        that over the days behind, in which features saw what sells; exactly 1 for whatever models
        learned from. Days that were learned from, or come whole years after such, count as
        ordinary: what they do is in the model. Of the days behind that goes for those that the
        features of learned moments looked back on, of the days ahead for those that their outcomes
        looked ahead to, which end a horizon later.
        """
        days, moment = np.unique(as_of_day, return_inverse=True)
        behind = days[:, None] - np.arange(TRAILING_DAYS)
        ahead = days[:, None] + np.arange(1, horizon_days + 1)
        looked_back = DaySpan(self.learned.first, self.learned.last - horizon_days)
        applies = [
            tuple(uplift.has_market(market) for uplift in self.uplifts) for market in markets
        ]
        different = list(dict.fromkeys(applies))
        ratios = self._mean_demand(ahead, self.learned, different) / self._mean_demand(
            behind, looked_back, different
        )
        of_market = np.array([different.index(one) for one in applies], dtype=np.int64)
        return np.asarray(ratios[of_market[place], moment], dtype=np.float64)

    def _mean_demand(
        self, days: IntArray, known: DaySpan, applies: list[tuple[bool, ...]]
    ) -> FloatArray:
        """Return the mean demand of days, (moments, days), against ordinary ones.

        One row a choice of rises that apply, one column a moment.
        """
        is_news = (days > known.last) & is_unseen_season(known, days)
        held = [uplift.holds(days) & is_news for uplift in self.uplifts]
        means = np.ones((len(applies), len(days)))
        for row, choice in enumerate(applies):
            demand = np.ones(days.shape)
            for uplift, holds, does_apply in zip(self.uplifts, held, choice, strict=True):
                if does_apply:
                    demand[holds] = 1 + uplift.uplift
            means[row] = demand.mean(axis=1)
        return means


def rescale_to_baseline_demand(
    columns: Mapping[str, FloatArray], demand: npt.NDArray[np.float64]
) -> Mapping[str, FloatArray]:
    """Return columns with the lot that sells at the usual demand as the real one does at `demand`.

    `demand` has shape (rows,), as every column. Where it is 1 nothing changes by a bit.
    """
    offered = {"units_offered": columns["units_offered"] / demand}
    if isinstance(columns, ColumnBlocks):
        return columns.with_columns(offered)
    return {**columns, **offered}
