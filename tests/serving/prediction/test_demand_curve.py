from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import BrokenFileError
from serving.prediction.demand_curve import MAX_LOG_DEMAND, MAX_STRETCH, DemandCurve

ONE = np.ones(1)


@pytest.mark.parametrize(
    ("curve", "fault"),
    [
        ((math.nan, 1.0, 1.0), "a shift that isn't finite"),
        ((-math.inf, 1.0, 1.0), "a shift that isn't finite"),
        ((0.0, math.nan, 1.0), "a stretch outside 0 to 20"),
        ((0.0, -0.1, 1.0), "a stretch outside 0 to 20"),
        ((0.0, 20.1, 1.0), "a stretch outside 0 to 20"),
        ((0.0, 1.0, math.nan), "a sharpness outside 0.2 to 10"),
        ((0.0, 1.0, 0.1), "a sharpness outside 0.2 to 10"),
        ((0.0, 1.0, 11.0), "a sharpness outside 0.2 to 10"),
        ((0.0, 1.0, 1.0, 0.0), "a chance outside 0.01 to 1"),
        ((0.0, 1.0, 1.0, 1.1), "a chance outside 0.01 to 1"),
        ((0.0, 1.0, 1.0, math.nan), "a chance outside 0.01 to 1"),
    ],
)
def test_numbers_that_make_no_demand_are_refused(curve: tuple[float, ...], fault: str) -> None:
    with pytest.raises(BrokenFileError, match=f"a demand curve: it has {fault}"):
        DemandCurve(*curve)


def test_demand_is_the_exponential_of_the_line_times_the_calendars() -> None:
    raw, uplift = np.array([-1.0, 0.0, 2.0]), np.array([1.0, 1.4, 0.5])
    lot, order_size = np.array([1.0, 2.0, 3.0]), np.array([1.0, np.nan, 4.0])
    demand = DemandCurve(0.5, 2.0, 1.5, 0.7).apply(raw, lot, order_size, uplift=uplift)
    np.testing.assert_allclose(demand.demand, np.exp(0.5 + 2.0 * raw) * uplift, rtol=1e-12)
    np.testing.assert_array_equal(demand.lot, lot)
    np.testing.assert_array_equal(demand.order_size, order_size)
    assert (demand.sharpness, demand.chance) == (1.5, 0.7)


@given(
    shift=st.floats(-1e300, 1e300),
    stretch=st.floats(0, MAX_STRETCH),
    first=st.floats(-1e300, 1e300),
    second=st.floats(-1e300, 1e300),
)
def test_demand_never_falls_with_the_sum_of_trees_and_stays_in_bounds(
    shift: float, stretch: float, first: float, second: float
) -> None:
    curve, sums = DemandCurve(shift, stretch, 1.0), np.array(sorted((first, second)))
    pair = np.ones(2)
    demand = curve.apply(sums, pair, pair, uplift=pair).demand
    assert demand[0] <= demand[1]
    assert (np.abs(np.log(demand)) <= MAX_LOG_DEMAND * (1 + 1e-12)).all()
