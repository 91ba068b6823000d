"""Intervals of units sold hold as often as they say, however wrong the distribution of demand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from features.runtime.arrays import FloatArray
from serving.conformal.cell_residuals import CellResiduals
from serving.conformal.cells import ROOT, IntervalContext, leaf_cells
from serving.conformal.demand_tails import DemandTails
from serving.demand.lot_demand import LotDemand
from serving.errors import BrokenFileError
from tests.worlds.conformal import pick
from training.calibration.residuals import fit_tails

CELLS = leaf_cells(("DE",))


@dataclass(frozen=True)
class Sales:
    demand: LotDemand
    sold: FloatArray
    context: IntervalContext

    @property
    def share(self) -> FloatArray:
        return self.sold / self.demand.lot


def _draw(rng: np.random.Generator, rows: int) -> Sales:
    """Draw sales from a negative binomial around a demand that the model misses by half."""
    truth = np.exp(rng.normal(1.5, 1.2, rows))
    wanted = rng.poisson(truth * rng.gamma(0.7, 1 / 0.7, rows))
    lot = rng.integers(1, 60, rows).astype(np.float64)
    expected = truth * np.exp(rng.normal(0.3, 0.5, rows))
    demand = LotDemand(expected, lot, rng.choice([1.0, 1.0, 4.0], rows), 1.5)
    codes = rng.choice(3, rows, p=[0.2, 0.4, 0.4])
    return Sales(demand, np.minimum(wanted, lot), IntervalContext(codes, CELLS, lot))


def _learn(sales: Sales) -> DemandTails:
    listings = np.arange(sales.sold.size)
    return fit_tails(sales.demand, sales.share, sales.context, listings=listings)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
def test_interval_holds_just_the_units_whose_tail_is_among_the_nearest(coverage: float) -> None:
    """The slow way: each number of units, against the ranks of all calibration rows."""
    rng = np.random.default_rng(3)
    known, fresh = _draw(rng, 900), _draw(rng, 60)
    low, high = _learn(known).interval(fresh.demand, fresh.context, coverage=coverage)
    residuals = 1 - known.demand.tail(known.sold)
    for row in range(60):
        evidence = fresh.context.codes[row]
        reach = []
        for cell in range(3) if evidence == 0 else [evidence]:
            ordered = np.sort(residuals[known.context.codes == cell])
            reach.append(ordered[math.ceil((ordered.size + 1) * coverage) - 1])
        lot = int(fresh.demand.lot[row])
        alone = pick(fresh.demand, np.full(lot + 1, row))
        sold = np.arange(lot + 1.0)
        expected = fresh.demand.share()[row] * lot
        near = [*sold[1 - alone.tail(sold) <= max(reach) + 1e-12], expected]
        assert (low[row] * lot, high[row] * lot) == pytest.approx((min(near), max(near)))


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_interval_covers_exchangeable_sales_of_every_cell_as_often_as_it_says(
    coverage: float,
) -> None:
    rng = np.random.default_rng(11)
    covered = np.zeros((25, 3))
    for at in range(25):
        learned, fresh = _learn(_draw(rng, 2_000)), _draw(rng, 1_000)
        low, high = learned.interval(fresh.demand, fresh.context, coverage=coverage)
        inside = (low <= fresh.share) & (fresh.share <= high)
        covered[at] = [inside[fresh.context.codes == cell].mean() for cell in range(3)]
    error = covered.std(axis=0) / math.sqrt(len(covered))
    assert (covered.mean(axis=0) >= coverage - 3 * error).all()
    assert (covered.mean(axis=0)[1:] <= coverage + 0.08).all()  # whole units hold a little more


def test_rows_all_alike_are_covered_although_the_nearest_unit_is_the_end() -> None:
    """A rounding error of the stored tail must not shut out the units that it came from."""
    for demand in np.exp(np.linspace(-2, 6, 200)):
        row = LotDemand(np.array([demand]), np.array([50.0]), np.ones(1), 1.5)
        context = IntervalContext(np.ones(1, np.int64), CELLS, row.lot)
        for sold in (0.0, 1.0, 7.0, 49.0, 50.0):
            residual = 1 - row.tail(np.array([sold]))
            tails = DemandTails({ROOT: CellResiduals.from_residuals(np.repeat(residual, 30))})
            low, high = tails.interval(row, context, coverage=0.8)
            assert low[0] <= sold / 50 <= high[0]


def test_too_few_rows_hold_everything() -> None:
    row = LotDemand(np.array([5.0]), np.array([50.0]), np.ones(1), 1.5)
    context = IntervalContext(np.ones(1, np.int64), CELLS, row.lot)
    tails = DemandTails({ROOT: CellResiduals.from_residuals(np.array([0.3, 0.5]))})
    low, high = tails.interval(row, context, coverage=0.95)
    assert (low[0], high[0]) == (0.0, 1.0)


@pytest.mark.parametrize("values", [[-1e-9, 0.5], [0.5, 1.1]])
def test_values_that_are_no_tails_are_refused(values: list[float]) -> None:
    with pytest.raises(BrokenFileError, match=r"conformal.json: a tail outside \[0, 1\]"):
        DemandTails({ROOT: CellResiduals(np.array(values), len(values))})


def test_rows_that_count_at_several_drifts_cover_a_time_that_is_better_or_worse() -> None:
    """As if each calibration row had been seen at each of the drifts."""
    rng = np.random.default_rng(5)
    known, fresh = _draw(rng, 3_000), _draw(rng, 3_000)
    drifts = np.tile([-0.8, 0.0, 0.8], (3_000, 1))
    listings = np.arange(3_000)
    once = _learn(known)
    thrice = fit_tails(known.demand, known.share, known.context, listings=listings, drifts=drifts)
    covered: dict[str, list[float]] = {"once": [], "thrice": []}
    for by in (-0.8, 0.0, 0.8):
        demand = fresh.demand.drift(np.full(3_000, by))
        for name, tails in (("once", once), ("thrice", thrice)):
            low, high = tails.interval(demand, fresh.context, coverage=0.8)
            covered[name].append(float(((low <= fresh.share) & (fresh.share <= high)).mean()))
    assert np.mean(covered["thrice"]) == pytest.approx(0.8, abs=0.02)
    assert np.mean(covered["once"]) < 0.78
    assert all(wide > narrow for wide, narrow in zip(*reversed(covered.values()), strict=True))
    counts = {cell: tails.count for cell, tails in once.cells.items()}
    assert {cell: tails.count for cell, tails in thrice.cells.items()} == counts
