"""Compute the plan's expectations: sell-through of a lot, return rate and profit over the horizon.

The truth knows the plan and the stock. It doesn't know the dice: the number of buyers (weekly
shocks included), the returns, and the takedown. No forecaster can know more, so no forecaster
has a smaller expected loss.

Units ordered in the horizon are almost negative binomial: those of a day are exactly, and the
variance of the gamma shock of each week is matched. A lot of S units sells E[min(D, S)] units, in
closed form by incomplete beta functions (Johnson, Kemp and Kotz, Univariate Discrete
Distributions, chapter 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import betainc, ndtri

from experiments.simulator.configuration.clock import WEEK
from experiments.simulator.mechanisms.candidates import Candidates
from experiments.simulator.mechanisms.plan import ChunkPlan, World
from experiments.simulator.mechanisms.return_risk import add_lateness, share_in_window
from features.runtime.arrays import BoolArray, FloatArray, IntArray

NODES: Final = 8
"""Quantiles of the demand before an arrival, for a lot that comes in two parts."""
HALF: Final = 0.5
RISKY: Final = 0.02
"""Above this chance of a takedown, its day is resolved to one of `PARTS` parts."""
PARTS: Final = 7
MIN_UNITS: Final = 1e-9


@dataclass(frozen=True)
class Lot:
    """The units on sale: units on hand, and units that arrive on a day (possibly 0)."""

    on_hand: FloatArray
    inbound: FloatArray
    arrival_day: IntArray

    @property
    def units(self) -> FloatArray:
        """Return the units offered, arrivals included."""
        return self.on_hand + self.inbound

    def select(self, rows: BoolArray) -> Lot:
        """Return some of the lots."""
        return Lot(self.on_hand[rows], self.inbound[rows], self.arrival_day[rows])


@dataclass(frozen=True)
class ExpectedOutcome:
    """The truth for the horizon of each (row of the plan, day).

    `units` and `variance` are mean and variance of demand with unlimited stock. `survival` is the
    chance of no takedown. `sell_through` and `return_rate` are the expected targets.
    """

    units: FloatArray
    variance: FloatArray
    survival: FloatArray
    sell_through: FloatArray
    return_rate: FloatArray
    profit_minor: FloatArray


class Outlook:
    """A plan with cumulated sums, so that the expectations of any horizon are quick."""

    def __init__(self, world: World, candidates: Candidates, plan: ChunkPlan) -> None:
        """Cumulate the plan over its days."""
        self._world, self._candidates, self._plan = world, candidates, plan
        market = world.market
        self._units = _cumulate(plan.units)
        self._hazard = _cumulate(plan.hazard)
        return_rate = add_lateness(market, plan.return_rate, plan.late_share)
        self._returned = _cumulate(plan.units * return_rate)
        self._revenue = _cumulate(plan.units * np.exp(plan.log_price))

    def expect(self, row: IntArray, day: IntArray, lot: Lot) -> ExpectedOutcome:
        """Return the truth for lots on sale at the midnights that begin the days."""
        horizons = self._world.horizons
        stop = day + horizons.horizon_days
        units, variance = self._moments(row, day, stop)
        survival = np.exp(-self._sum_days(self._hazard, row, day, stop))
        sold = self._mean_sales(row, day, stop, lot)
        divisor = np.maximum(units, MIN_UNITS)
        in_time = share_in_window(self._world.market, horizons.return_window_days)
        back = self._sum_days(self._returned, row, day, stop) / divisor
        price = self._sum_days(self._revenue, row, day, stop) / divisor
        return ExpectedOutcome(
            units=units,
            variance=variance,
            survival=survival,
            sell_through=sold / np.maximum(lot.units, 1),
            return_rate=back * in_time,
            profit_minor=self._profit_minor(row, lot, sold=sold, back=back, price=price),
        )

    def _sum_days(
        self, summed: FloatArray, row: IntArray, day: IntArray, stop: IntArray
    ) -> FloatArray:
        return np.asarray(summed[row, stop] - summed[row, day], dtype=np.float64)

    def _moments(
        self, row: IntArray, day: IntArray, stop: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance of the units demanded from `day` to before `stop`."""
        market, clock = self._world.market, self._world.clock
        mean = self._sum_days(self._units, row, day, stop)
        squares = np.zeros_like(mean)
        start = day
        for _ in range(int((stop - day).max(initial=0)) // WEEK + 2):
            next_monday = clock.monday(clock.to_week(start) + 1)
            end = np.minimum(np.maximum(next_monday, start), stop)
            squares += self._sum_days(self._units, row, start, end) ** 2
            start = end
        counting = 1 / (1 - market.demand.units_theta)
        return mean, mean * counting + market.demand.shock_variance * squares

    def _mean_sales(self, row: IntArray, day: IntArray, stop: IntArray, lot: Lot) -> FloatArray:
        """Return the expected units sold of each lot; a takedown may end the sale."""
        survival = np.exp(-self._sum_days(self._hazard, row, day, stop))
        sold = survival * self._mean_sales_without_takedown(row, day, stop, lot)
        is_risky = survival < 1 - RISKY
        for rows, parts in ((~is_risky, 1), (is_risky, PARTS)):
            sold[rows] += self._mean_sales_before_takedown(
                row[rows], day[rows], stop[rows], lot.select(rows), parts=parts
            )
        return np.asarray(sold, dtype=np.float64)

    def _mean_sales_before_takedown(
        self, row: IntArray, day: IntArray, stop: IntArray, lot: Lot, *, parts: int
    ) -> FloatArray:
        """Return mean sales before a takedown times its chance; it falls mid-way in a part."""
        sold = np.zeros(row.size)
        for part in range(parts):
            start, end = (day + (stop - day) * edge // parts for edge in (part, part + 1))
            survival_before, survival_after = (
                np.exp(-self._sum_days(self._hazard, row, day, edge)) for edge in (start, end)
            )
            sold += (survival_before - survival_after) * self._mean_sales_without_takedown(
                row, day, (start + end) // 2, lot
            )
        return sold

    def _mean_sales_without_takedown(
        self, row: IntArray, day: IntArray, stop: IntArray, lot: Lot
    ) -> FloatArray:
        arrives = (lot.inbound > 0) & (lot.arrival_day < stop)
        mean, variance = self._moments(row, day, stop)
        sold = mean_sales(mean, variance, lot.on_hand)
        if arrives.any():
            sold[arrives] = self._mean_sales_in_two_parts(
                row[arrives], day[arrives], stop[arrives], lot.select(arrives)
            )
        return sold

    def _mean_sales_in_two_parts(
        self, row: IntArray, day: IntArray, stop: IntArray, lot: Lot
    ) -> FloatArray:
        """Return the expected units sold of lots with an arrival within the horizon."""
        arrival = np.maximum(lot.arrival_day, day)
        mean, variance = self._moments(row, day, arrival)
        later_mean, later_variance = self._moments(row, arrival, stop)
        sold = mean_sales(mean, variance, lot.on_hand)
        for node in (np.arange(NODES) + HALF) / NODES:
            demand = _gamma_quantile(mean, variance, float(node))
            left = np.maximum(lot.on_hand - demand, 0) + lot.inbound
            sold += mean_sales(later_mean, later_variance, left) / NODES
        return sold

    def _profit_minor(
        self, row: IntArray, lot: Lot, *, sold: FloatArray, back: FloatArray, price: FloatArray
    ) -> FloatArray:
        """Return the expected profit of the lot in minor units of the market's currency."""
        sizes = self._world.market.profit
        rows = self._plan.rows[row]
        cost = self._candidates.cost[rows]
        earned = price * ((1 - sizes.fee_share) * (1 - back) - sizes.return_cost_share * back)
        unsold_worth = (lot.units - sold) * sizes.unsold_worth_share
        returned_worth = sold * back * sizes.returned_worth_share
        dollars = sold * earned + (unsold_worth + returned_worth - lot.units) * cost
        rate = np.array([place.per_dollar for place in self._world.market.market_places])
        return np.asarray(100 * dollars * rate[self._candidates.place[rows]], dtype=np.float64)


def _cumulate(values: FloatArray) -> FloatArray:
    """Return sums over the days before each day, shape (rows, days + 1)."""
    return np.cumsum(np.c_[np.zeros(len(values)), values], axis=1)


def mean_sales(mean: FloatArray, variance: FloatArray, lot: FloatArray) -> FloatArray:
    """Return E[min(D, lot)] for negative binomial D with a mean and a variance.

    A fractional lot is interpolated between its whole neighbours.
    """
    floor = np.floor(lot)
    low, high = (_mean_whole_lot_sales(mean, variance, units) for units in (floor, floor + 1))
    return np.asarray(low + (lot - floor) * (high - low), dtype=np.float64)


def _mean_whole_lot_sales(mean: FloatArray, variance: FloatArray, lot: FloatArray) -> FloatArray:
    positive_mean = np.maximum(mean, MIN_UNITS)
    excess = np.maximum(variance - positive_mean, 1e-6 * positive_mean)
    size = positive_mean**2 / excess
    share = size / (size + positive_mean)
    units = np.maximum(lot, 1)
    at_least = 1 - betainc(size, units, share)
    below = np.where(units > 1, betainc(size + 1, np.maximum(units - 1, 1), share), 0.0)
    sold = positive_mean * below + units * at_least
    return np.where((lot >= 1) & (mean > MIN_UNITS), np.minimum(sold, lot), 0.0)


def _gamma_quantile(mean: FloatArray, variance: FloatArray, probability: float) -> FloatArray:
    """Return a gamma quantile, given mean and variance (Wilson and Hilferty, 1931)."""
    positive_mean = np.maximum(mean, MIN_UNITS)
    ninth = variance / positive_mean**2 / 9
    root = 1 - ninth + ndtri(probability) * np.sqrt(ninth)
    return np.asarray(positive_mean * np.maximum(root, 0) ** 3, dtype=np.float64)
