"""What the plan lets expect: sell-through of a lot, return rate and profit over the horizon.

The truth knows the plan and the stock. It doesn't know the dice: how many buy, weekly shocks
included, what comes back, and whether the listing is taken down. No forecaster can know more, so
none can lose less.

Units ordered in the horizon are close to negative binomial: a sum of days that are so exactly,
with a gamma shock a week whose variance is matched. What a lot of S units sells is E[min(D, S)],
in closed form by incomplete beta functions (Johnson, Kemp and Kotz, Univariate Discrete
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
"""Points at which the demand before an arrival is taken where a lot comes in two parts."""
HALF: Final = 0.5
RISKY: Final = 0.02
"""Chance of a takedown in the horizon from which on its moment is taken more closely."""
PARTS: Final = 7
MIN_UNITS: Final = 1e-9


@dataclass(frozen=True)
class Lot:
    """What is on sale: units on hand, and units that arrive on a day (0 units: none do)."""

    on_hand: FloatArray
    inbound: FloatArray
    arrival_day: IntArray

    @property
    def units(self) -> FloatArray:
        """Return the units offered."""
        return self.on_hand + self.inbound

    def select(self, rows: BoolArray) -> Lot:
        """Return some of the lots."""
        return Lot(self.on_hand[rows], self.inbound[rows], self.arrival_day[rows])


@dataclass(frozen=True)
class ExpectedOutcome:
    """Truth for the horizon of each (row of the plan, day).

    `units` is the demand were stock endless, `variance` its variance; `survival` the chance not
    to be taken down. `sell_through` and `return_rate` are the expected targets.
    """

    units: FloatArray
    variance: FloatArray
    survival: FloatArray
    sell_through: FloatArray
    return_rate: FloatArray
    profit_minor: FloatArray


class Outlook:
    """A plan summed up so that any horizon can be asked for at once."""

    def __init__(self, world: World, candidates: Candidates, plan: ChunkPlan) -> None:
        """Sum the plan over its days."""
        self._world, self._candidates, self._plan = world, candidates, plan
        market = world.market
        self._units = _cumulate(plan.units)
        self._hazard = _cumulate(plan.hazard)
        coming_back = add_lateness(market, plan.return_rate, plan.late_share)
        self._returned = _cumulate(plan.units * coming_back)
        self._revenue = _cumulate(plan.units * np.exp(plan.log_price))

    def expect(self, row: IntArray, day: IntArray, lot: Lot) -> ExpectedOutcome:
        """Return the truth for the lots on sale at the midnights that begin some days."""
        horizons = self._world.horizons
        stop = day + horizons.horizon_days
        units, variance = self._moments(row, day, stop)
        survival = np.exp(-self._sum_days(self._hazard, row, day, stop))
        sold = self._expected_sales(row, day, stop, lot)
        some = np.maximum(units, MIN_UNITS)
        in_time = share_in_window(self._world.market, horizons.return_window_days)
        back = self._sum_days(self._returned, row, day, stop) / some
        price = self._sum_days(self._revenue, row, day, stop) / some
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
        """Return mean and variance of the units wanted from `day` to before `stop`."""
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

    def _expected_sales(self, row: IntArray, day: IntArray, stop: IntArray, lot: Lot) -> FloatArray:
        """Return the expected units sold of each lot, which a takedown may cut short."""
        survival = np.exp(-self._sum_days(self._hazard, row, day, stop))
        sold = survival * self._expected_sales_alive(row, day, stop, lot)
        is_risky = survival < 1 - RISKY
        for rows, parts in ((~is_risky, 1), (is_risky, PARTS)):
            cut = (row[rows], day[rows], stop[rows], lot.select(rows))
            sold[rows] += self._expected_sales_before_takedown(*cut, parts=parts)
        return np.asarray(sold, dtype=np.float64)

    def _expected_sales_before_takedown(
        self, row: IntArray, day: IntArray, stop: IntArray, lot: Lot, *, parts: int
    ) -> FloatArray:
        """Return what is sold before a takedown, times its chance, taken in the middle of parts."""
        sold = np.zeros(row.size)
        for part in range(parts):
            start, end = (day + (stop - day) * edge // parts for edge in (part, part + 1))
            alive, still = (
                np.exp(-self._sum_days(self._hazard, row, day, edge)) for edge in (start, end)
            )
            sold += (alive - still) * self._expected_sales_alive(row, day, (start + end) // 2, lot)
        return sold

    def _expected_sales_alive(
        self, row: IntArray, day: IntArray, stop: IntArray, lot: Lot
    ) -> FloatArray:
        comes = (lot.inbound > 0) & (lot.arrival_day < stop)
        mean, variance = self._moments(row, day, stop)
        sold = expected_sales(mean, variance, lot.on_hand)
        if comes.any():
            two = (row[comes], day[comes], stop[comes], lot.select(comes))
            sold[comes] = self._expected_sales_in_two_parts(*two)
        return sold

    def _expected_sales_in_two_parts(
        self, row: IntArray, day: IntArray, stop: IntArray, lot: Lot
    ) -> FloatArray:
        """Return the expected units sold where a part of the lot arrives within the horizon."""
        arrival = np.maximum(lot.arrival_day, day)
        mean, variance = self._moments(row, day, arrival)
        later_mean, later_variance = self._moments(row, arrival, stop)
        sold = expected_sales(mean, variance, lot.on_hand)
        for node in (np.arange(NODES) + HALF) / NODES:
            wanted = _gamma_quantile(mean, variance, float(node))
            left = np.maximum(lot.on_hand - wanted, 0) + lot.inbound
            sold += expected_sales(later_mean, later_variance, left) / NODES
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
        rate = np.array([place.per_dollar for place in self._world.market.simulated_places])
        return np.asarray(100 * dollars * rate[self._candidates.place[rows]], dtype=np.float64)


def _cumulate(values: FloatArray) -> FloatArray:
    """Return sums over the days before each day (rows, days + 1)."""
    return np.cumsum(np.c_[np.zeros(len(values)), values], axis=1)


def expected_sales(mean: FloatArray, variance: FloatArray, lot: FloatArray) -> FloatArray:
    """Return E[min(D, lot)] for negative binomial D of this mean and variance.

    A lot that isn't whole is read off between its neighbours.
    """
    floor = np.floor(lot)
    low, high = (_expected_whole_sales(mean, variance, units) for units in (floor, floor + 1))
    return np.asarray(low + (lot - floor) * (high - low), dtype=np.float64)


def _expected_whole_sales(mean: FloatArray, variance: FloatArray, lot: FloatArray) -> FloatArray:
    some = np.maximum(mean, MIN_UNITS)
    spread = np.maximum(variance - some, 1e-6 * some)
    size = some**2 / spread
    share = size / (size + some)
    units = np.maximum(lot, 1)
    at_least = 1 - betainc(size, units, share)
    below = np.where(units > 1, betainc(size + 1, np.maximum(units - 1, 1), share), 0.0)
    sold = some * below + units * at_least
    return np.where((lot >= 1) & (mean > MIN_UNITS), np.minimum(sold, lot), 0.0)


def _gamma_quantile(mean: FloatArray, variance: FloatArray, probability: float) -> FloatArray:
    """Return a quantile of the gamma of this mean and variance (Wilson and Hilferty, 1931)."""
    some = np.maximum(mean, MIN_UNITS)
    ninth = variance / some**2 / 9
    root = 1 - ninth + ndtri(probability) * np.sqrt(ninth)
    return np.asarray(some * np.maximum(root, 0) ** 3, dtype=np.float64)
