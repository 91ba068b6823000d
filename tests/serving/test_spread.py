from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.artefact_errors import BrokenFileError
from serving.spread import MOST_KNOTS, Spread


@pytest.mark.parametrize(
    ("estimate", "units", "lasting", "expected"),
    [
        (0.0, 1.0, 1.0, 0.1),
        (1.0, 1.0, 1.0, 0.1),
        (0.5, 1e9, 1.0, math.sqrt(0.26)),
        (0.5, 1.0, 0.2, math.sqrt(0.26)),
        (0.5, 4.0, 0.2, math.sqrt(0.26 * 0.4)),
        (0.5, 1e12, 0.25, math.sqrt(0.26) / 2),
    ],
)
def test_spread_is_that_of_a_share_of_so_many_units(
    estimate: float, units: float, lasting: float, expected: float
) -> None:
    assert Spread.binomial(lasting).of(np.array([estimate]), np.array([units]))[0] == pytest.approx(
        expected
    )


def test_spread_is_the_deviation_of_a_beta_binomial_share() -> None:
    """Of 5 units, with a chance that varies by a beta distribution around 0.3."""
    rng = np.random.default_rng(0)
    lasting, units = 0.25, 5
    strength = 1 / lasting - 1
    chance = rng.beta(0.3 * strength, 0.7 * strength, 400_000)
    share = rng.binomial(units, chance) / units
    floor = 0.01 / (0.3 * 0.7) + 1
    found = Spread.binomial(lasting).of(np.array([0.3]), np.array([float(units)]))[0]
    assert share.std() == pytest.approx(found / math.sqrt(floor), rel=0.01)


@given(
    estimate=st.floats(0, 1),
    first=st.floats(1, 1e6),
    second=st.floats(1, 1e6),
    lasting=st.floats(0.01, 1),
)
def test_spread_of_more_units_is_no_larger(
    estimate: float, first: float, second: float, lasting: float
) -> None:
    units = np.array(sorted((first, second)))
    fewer, more = Spread.binomial(lasting).of(np.full(2, estimate), units)
    assert fewer >= more > 0


@pytest.mark.parametrize(
    ("estimate", "expected"), [(0.0, 0.1), (0.2, 0.1), (0.3, 0.15), (0.4, 0.2), (0.9, 0.2)]
)
def test_spread_is_straight_between_knots_and_constant_beyond(
    estimate: float, expected: float
) -> None:
    spread = Spread(1.0, np.array([0.2, 0.4]), np.array([0.1, 0.2]))
    assert spread.of(np.array([estimate]), np.ones(1))[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("lasting", "estimates", "sizes", "fault"),
    [
        (0.0, [0.5], [0.1], "lasting"),
        (1.5, [0.5], [0.1], "lasting"),
        (math.nan, [0.5], [0.1], "lasting"),
        (1.0, [], [], "knots"),
        (1.0, [0.5], [0.1, 0.1], "knots"),
        (1.0, np.linspace(0, 1, MOST_KNOTS + 1), np.ones(MOST_KNOTS + 1), "knots"),
        (1.0, [-0.1], [0.1], "outside the shares"),
        (1.0, [0.5, math.nan], [0.1, 0.1], "outside the shares"),
        (1.0, [0.5, 0.5], [0.1, 0.1], "don't increase"),
        (1.0, [0.5], [0.0], "above 0"),
        (1.0, [0.5], [math.inf], "above 0"),
        (1.0, [0.5], [math.nan], "above 0"),
        (1.0, [0.2, 0.4], [0.1, 0.201], "fall while estimates grow"),
        (1.0, [0.6, 0.8], [0.201, 0.1], "fall while estimates grow"),
    ],
)
def test_spread_of_another_form_is_refused(
    lasting: float, estimates: list[float], sizes: list[float], fault: str
) -> None:
    with pytest.raises(BrokenFileError) as caught:
        Spread(lasting, np.array(estimates), np.array(sizes))
    assert fault in caught.value.found


@pytest.mark.parametrize(
    ("estimates", "sizes"),
    [([0.2, 0.4], [0.1, 0.2]), ([0.6, 0.8], [0.2, 0.1]), ([0.0, 1.0], [0.1, 0.1])],
)
def test_spread_at_the_edge_of_what_is_allowed_is_taken(
    estimates: list[float], sizes: list[float]
) -> None:
    assert Spread(1.0, np.array(estimates), np.array(sizes)).sizes.tolist() == sizes
