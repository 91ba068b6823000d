"""Functions of derived features, in tables of inputs and results."""

from __future__ import annotations

import numpy as np
import pytest

from features.declarations.functions import order_size, pace
from features.declarations.stock_cover import in_stock_pace, on_hand_cover

NULL = np.nan


@pytest.mark.parametrize(
    ("units", "days_on_sale", "expected"),
    [(56, 100, 56), (56, 14, 112), (56, 0, 1568), (0, 3, 0), (56, NULL, NULL), (NULL, 5, NULL)],
)
def test_pace_is_the_demand_of_28_days_at_the_daily_rate(
    units: float, days_on_sale: float, expected: float
) -> None:
    actual = pace(np.array([units]), np.array([days_on_sale]), 28.0)
    np.testing.assert_array_equal(actual, [expected])


@pytest.mark.parametrize(
    ("sold_outs", "observations", "expected"), [(0, 4, 10), (2, 4, 20), (4, 4, 100), (0, 0, 10)]
)
def test_demand_in_stock_leaves_out_the_days_without_stock(
    sold_outs: float, observations: float, expected: float
) -> None:
    counts = [np.array([value]) for value in (30.0, 400.0, sold_outs, observations)]
    np.testing.assert_allclose(in_stock_pace(*counts), [expected])


def test_no_unit_on_hand_counts_as_one() -> None:
    actual = on_hand_cover(np.array([6.0, 6.0, 6.0]), np.array([3.0, 0.0, NULL]))
    np.testing.assert_array_equal(actual, [2.0, 6.0, NULL])


@pytest.mark.parametrize(
    ("units", "lines", "wide_units", "wide_lines", "expected"),
    [
        (0, 0, 0, 0, 1),
        (0, 0, 60, 20, 3),
        (48, 6, 60, 20, 6.75),
        (NULL, NULL, 60, 20, 3),
        (5, 5, NULL, NULL, 1),
        (0, 6, 60, 20, 1),
    ],
)
def test_order_size_is_known_for_every_listing(
    units: float, lines: float, wide_units: float, wide_lines: float, expected: float
) -> None:
    counts = [np.array([float(value)]) for value in (units, lines, wide_units, wide_lines)]
    np.testing.assert_array_equal(order_size(*counts), [expected])
