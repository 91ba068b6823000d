from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.conformal.difficulty import MAX_KNOTS, DifficultyEstimate
from serving.errors import BrokenFileError
from tests.worlds.conformal import DIFFICULTY

ONE = [1.0]


@given(estimate=st.floats(0, 1), first=st.floats(1, 1e6), second=st.floats(1, 1e6))
def test_spread_of_more_units_is_no_larger(estimate: float, first: float, second: float) -> None:
    fewer, more = DIFFICULTY.sigma(np.full(2, estimate), np.array(sorted((first, second))))
    assert fewer >= more > 0


@pytest.mark.parametrize(
    ("estimate", "units", "expected"),
    [
        (0.0, 1.0, 0.1),
        (0.2, 1.0, 0.1),
        (0.3, 1.0, 0.15),
        (0.4, 1.0, 0.2),
        (0.9, 1.0, 0.2),
        (0.9, 2.0, 0.2),
        (0.9, 4.0, 0.15),
        (0.9, 8.0, 0.1),
        (0.9, 1e9, 0.1),
    ],
)
def test_spread_is_straight_between_knots_and_constant_beyond(
    estimate: float, units: float, expected: float
) -> None:
    curves = ([0.2, 0.4], [0.1, 0.2], [2.0, 8.0], [1.0, 0.5])
    difficulty = DifficultyEstimate(*(np.array(one) for one in curves))
    assert difficulty.sigma(np.array([estimate]), np.array([units]))[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("estimates", "sizes", "units", "factors", "fault"),
    [
        ([], [], ONE, ONE, "knots"),
        ([0.5], [0.1], [], [], "knots"),
        ([0.5], [0.1, 0.1], ONE, ONE, "knots"),
        ([0.5], [0.1], ONE, [1.0, 1.0], "knots"),
        (np.linspace(0, 1, MAX_KNOTS + 1), np.ones(MAX_KNOTS + 1), ONE, ONE, "knots"),
        ([-0.1], [0.1], ONE, ONE, "outside the shares"),
        ([0.5, math.nan], [0.1, 0.1], ONE, ONE, "outside the shares"),
        ([0.5], [0.1], [0.9], ONE, "less than a unit"),
        ([0.5], [0.1], [math.inf], ONE, "less than a unit"),
        ([0.5, 0.5], [0.1, 0.1], ONE, ONE, "don't increase"),
        ([0.5], [0.1], [2.0, 1.0], [1.0, 1.0], "don't increase"),
        ([0.5], [0.0], ONE, ONE, "outside 1e-06"),
        ([0.5], [math.inf], ONE, ONE, "outside 1e-06"),
        ([0.5], [math.nan], ONE, ONE, "outside 1e-06"),
        ([0.5], [0.1], ONE, [0.0], "outside 1e-06"),
        ([0.5], [1e308], ONE, ONE, "outside 1e-06"),
        ([0.5], [0.1], ONE, [1e-300], "outside 1e-06"),
        ([0.2, 0.4], [0.1, 0.201], ONE, ONE, "fall while estimates grow"),
        ([0.6, 0.8], [0.201, 0.1], ONE, ONE, "fall while estimates grow"),
        ([0.5], [0.1], [1.0, 2.0], [1.0, 1.1], "grow with the units"),
    ],
)
def test_spread_of_another_form_is_refused(
    estimates: list[float], sizes: list[float], units: list[float], factors: list[float], fault: str
) -> None:
    with pytest.raises(BrokenFileError) as caught:
        DifficultyEstimate(*(np.array(one) for one in (estimates, sizes, units, factors)))
    assert fault in caught.value.problem


@pytest.mark.parametrize(
    ("estimates", "sizes"),
    [([0.2, 0.4], [0.1, 0.2]), ([0.6, 0.8], [0.2, 0.1]), ([0.0, 1.0], [0.1, 0.1])],
)
def test_spread_at_the_edge_of_what_is_allowed_is_taken(
    estimates: list[float], sizes: list[float]
) -> None:
    difficulty = DifficultyEstimate(np.array(estimates), np.array(sizes), np.ones(1), np.ones(1))
    assert difficulty.sizes.tolist() == sizes
