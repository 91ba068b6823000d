"""Outlooks: shares, intervals and probabilities of one kind of model each."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.conformal.cell_residuals import CellResiduals
from serving.conformal.cells import ROOT, IntervalContext, leaf_cells
from serving.conformal.demand_tails import DemandTails
from serving.conformal.intervals import ConformalResiduals
from serving.demand.lot_demand import LotDemand
from serving.prediction.outlook import DemandOutlook, ShareOutlook
from tests.worlds.conformal import DIFFICULTY

TAILS = DemandTails({ROOT: CellResiduals.from_residuals(np.linspace(0.0, 0.99, 200))})


def _context(lot: float) -> IntervalContext:
    return IntervalContext(np.ones(1, np.int64), leaf_cells(("DE",)), np.array([lot]))


def _outlook(lot: int, demand: float = 20.0) -> DemandOutlook:
    return DemandOutlook(
        LotDemand(np.array([demand]), np.array([float(lot)]), np.ones(1), 1.5), TAILS
    )


@given(lot=st.integers(1, 400), threshold=st.integers(1, 100))
def test_probability_of_a_share_is_that_of_the_fewest_units_that_make_it(
    lot: int, threshold: int
) -> None:
    """7 of 100 units are 0.07, although 0.07 * 100 is more than 7 to a computer."""
    share = Fraction(threshold, 100)
    units = next(units for units in range(1, lot + 1) if Fraction(units, lot) >= share)
    outlook = _outlook(lot)
    actual = outlook.prob_at_least(_context(lot), threshold=threshold / 100)
    np.testing.assert_array_equal(actual, outlook.demand.prob_at_least(np.array([float(units)])))


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
def test_outlook_of_demand_has_the_share_and_the_interval_of_its_demand(coverage: float) -> None:
    outlook, context = _outlook(30), _context(30)
    np.testing.assert_array_equal(outlook.share, outlook.demand.share())
    actual = outlook.interval(context, coverage=coverage)
    expected = TAILS.interval(outlook.demand, context, coverage=coverage)
    np.testing.assert_array_equal(actual, expected)
    assert actual[0][0] <= outlook.share[0] <= actual[1][0]


def test_outlook_of_a_share_has_the_interval_and_probability_of_its_residuals() -> None:
    cells = {ROOT: CellResiduals.from_residuals(np.linspace(-2, 2, 200))}
    residuals, context = ConformalResiduals(cells, DIFFICULTY), _context(9)
    outlook = ShareOutlook(np.array([0.3]), residuals)
    np.testing.assert_array_equal(
        outlook.interval(context, coverage=0.8),
        residuals.interval(outlook.share, context, coverage=0.8),
    )
    np.testing.assert_array_equal(
        outlook.prob_at_least(context, threshold=0.4),
        residuals.prob_at_least(outlook.share, context, threshold=0.4),
    )
