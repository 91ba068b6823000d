"""Adjust sell-through for days whose season no model has learned from, by a calendar.

A model of a market's first year can't know its first holidays, but a calendar can. No training is
needed to use it: the model of sell-through predicts demand, and on such days demand is m times the
usual one. Return risk isn't adjusted, because the calendar is one of sales. Without a calendar, m
is 1.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta

from features.dataset.days import DaySpan
from features.declarations.targets import Target
from features.runtime.arrays import BoolArray, FloatArray, IntArray

YEAR: Final = 365.2425
"""Days in an average year."""
MAX_CACHED: Final = 1_024
"""Markets and moments whose demand is kept."""


def has_unseen_season(learned: DaySpan, as_of_day: IntArray, horizon_days: int) -> BoolArray:
    """Return True where the horizon after a moment has a day of an unseen season.

    `learned` are the days whose outcomes a model learned from. A season is seen on these days and
    whole years after them. `as_of_day` and the result have shape (rows,).
    """
    ahead = as_of_day[:, None] + np.arange(1, horizon_days + 1)
    return np.asarray(is_unseen_season(learned, ahead).any(axis=1))


@lru_cache(MAX_CACHED)
def looks_at_unseen_season(learned: DaySpan, as_of_day: int, horizon_days: int) -> bool:
    """Return `has_unseen_season` of one moment."""
    return bool(has_unseen_season(learned, np.array([as_of_day]), horizon_days)[0])


def is_unseen_season(learned: DaySpan, days: IntArray) -> BoolArray:
    """Return True for days whose season no model learned from; `days` has any shape."""
    years = np.maximum(np.floor((days - learned.last) / YEAR), 0)
    years = years + (days - np.round(years * YEAR) > learned.last)  # the first whole year back
    return np.asarray(days - np.round(years * YEAR) < learned.first)


SEASONAL_TARGET: Final[Target] = "sell_through"
"""The target that a calendar adjusts."""
TRAILING_DAYS: Final = 28
"""The middle one of the windows of demand's features (7, 28 and 84 days)."""
MIN_UPLIFT: Final = -0.9
MAX_UPLIFT: Final = 10.0
MAX_UPLIFTS: Final = 50

MonthDay = Annotated[str, Meta(pattern=r"\A(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\Z")]


class Uplift(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Days of every year on which more or less sells than on ordinary days."""

    name: str
    first: MonthDay
    """The first day, as month and day in UTC. If it is after `last`, the days span new year."""
    last: MonthDay
    """The last day, inclusive."""
    uplift: Annotated[float, Meta(ge=MIN_UPLIFT, le=MAX_UPLIFT)]
    """How much more sells on such a day: 0.4 is 40 % more than on an ordinary day."""
    markets: tuple[str, ...]
    """The markets concerned; empty for every market."""

    def holds(self, days: IntArray) -> BoolArray:
        """Return True for day numbers that are such a day; `days` has any shape."""
        # A day number stands for the end of a day (features/dataset/days.py).
        date = (days - 1).astype("datetime64[D]")
        month = date.astype("datetime64[M]")
        month_day = (month.astype(np.int64) % 12 + 1) * 100 + (date - month).astype(np.int64) + 1
        first, last = (int(text.replace("-", "")) for text in (self.first, self.last))
        since, until = month_day >= first, month_day <= last
        return np.asarray(since & until if first <= last else since | until)

    def has_market(self, market: str) -> bool:
        """Return whether the uplift concerns a market."""
        return not self.markets or market in self.markets


class Seasons(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The days that a model learned from, and a calendar for other days."""

    learned: DaySpan
    uplifts: Annotated[tuple[Uplift, ...], Meta(max_length=MAX_UPLIFTS)]
    """If several hold on a day, the last one counts."""

    def demand(
        self,
        as_of_day: IntArray,
        market_index: IntArray,
        markets: tuple[str, ...],
        *,
        horizon_days: int,
    ) -> FloatArray:
        """Return the demand ahead as a multiple of recent demand, by the calendar; shape (rows,).

        It is the mean over the days ahead, divided by the mean over the days behind that the
        features saw. `market_index` is the index of each row's market in `markets`.

        Days that the model has learned from, and days whole years after them, count as ordinary,
        because the model knows their effect. If all days are such days, the result is exactly 1.
        The learned days ahead are those of outcomes. The learned days behind are those that the
        features of the same moments looked back on, which end a horizon earlier.
        """
        days, moment = np.unique(as_of_day, return_inverse=True)
        behind = days[:, None] - np.arange(TRAILING_DAYS)
        ahead = days[:, None] + np.arange(1, horizon_days + 1)
        looked_back = DaySpan(self.learned.first, self.learned.last - horizon_days)
        applies = [
            tuple(uplift.has_market(market) for uplift in self.uplifts) for market in markets
        ]
        groups = list(dict.fromkeys(applies))
        ratios = self._mean_demand(ahead, self.learned, groups) / self._mean_demand(
            behind, looked_back, groups
        )
        group_index = np.array([groups.index(group) for group in applies], dtype=np.int64)
        return np.asarray(ratios[group_index[market_index], moment], dtype=np.float64)

    @lru_cache(MAX_CACHED)  # noqa: B019 - requests of one moment ask for few markets again and again
    def demand_of_market(self, as_of_day: int, market: str, *, horizon_days: int) -> float:
        """Return `demand` of one moment and market."""
        days, index = np.array([as_of_day]), np.zeros(1, np.int64)
        return float(self.demand(days, index, (market,), horizon_days=horizon_days)[0])

    def _mean_demand(
        self, days: IntArray, known: DaySpan, groups: list[tuple[bool, ...]]
    ) -> FloatArray:
        """Return the mean demand of days as a multiple of an ordinary day's, (groups, moments).

        `days` has shape (moments, days). A group says of each uplift whether it applies.
        """
        is_unknown = (days > known.last) & is_unseen_season(known, days)
        holds = [uplift.holds(days) & is_unknown for uplift in self.uplifts]
        means = np.ones((len(groups), len(days)))
        for row, group in enumerate(groups):
            demand = np.ones(days.shape)
            for uplift, is_held, does_apply in zip(self.uplifts, holds, group, strict=True):
                if does_apply:
                    demand[is_held] = 1 + uplift.uplift
            means[row] = demand.mean(axis=1)
        return means
