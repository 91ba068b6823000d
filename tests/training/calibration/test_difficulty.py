from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.runtime.arrays import FloatArray
from training.calibration.difficulty import (
    ESTIMATE_BANDS,
    MIN_SIZE,
    TARGET_COVERAGE,
    UNIT_BANDS,
    binomial_difficulty,
    fit_difficulty,
)


@pytest.mark.parametrize(("estimate", "expected"), [(0.0, 0.1), (1.0, 0.1), (0.5, math.sqrt(0.26))])
def test_difficulty_of_one_trial_is_its_deviation(estimate: float, expected: float) -> None:
    assert binomial_difficulty().sigma(np.array([estimate]), np.ones(1))[0] == pytest.approx(
        expected
    )


@given(estimate=st.floats(0, 1))
def test_difficulty_of_one_trial_is_its_deviation_between_knots_too(estimate: float) -> None:
    expected = math.sqrt(estimate * (1 - estimate) + 0.01)
    found = binomial_difficulty().sigma(np.array([estimate]), np.ones(1))[0]
    assert found == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("lasting", [0.05, 0.2, 0.6])
def test_spread_of_beta_binomial_shares_is_learned_as_they_fall(lasting: float) -> None:
    """Many units leave the part that lasts."""
    rng = np.random.default_rng(1)
    rows = 60_000
    mean = rng.uniform(0.2, 0.8, rows)
    units = np.exp(rng.uniform(1, 6, rows)).astype(np.int64).astype(np.float64)
    strength = 1 / lasting - 1
    chance = rng.beta(mean * strength, (1 - mean) * strength)
    outcome = rng.binomial(units.astype(int), chance) / units
    difficulty = fit_difficulty(mean, outcome, units)
    is_held = np.abs(outcome - mean) <= difficulty.sigma(mean, units)
    for least, most in ((2, 6), (6, 20), (20, 80), (80, 500)):
        band = (units >= least) & (units < most)
        assert is_held[band].mean() == pytest.approx(TARGET_COVERAGE, abs=0.08)
    deviation = np.sqrt(lasting + (1 - lasting) / difficulty.units)
    found = difficulty.factors / difficulty.factors[0]
    np.testing.assert_allclose(found, deviation / deviation[0], rtol=0.05)


def test_spread_of_nothing_but_dice_falls_with_the_root_of_the_units() -> None:
    rng = np.random.default_rng(2)
    units = rng.integers(20, 400, 40_000).astype(np.float64)
    outcome = rng.binomial(units.astype(int), 0.3) / units
    difficulty = fit_difficulty(np.full(40_000, 0.3), outcome, units)
    np.testing.assert_allclose(
        difficulty.factors / difficulty.factors[0],
        np.sqrt(difficulty.units[0] / difficulty.units),
        rtol=0.05,
    )


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_spread_doesnt_fall_where_units_change_nothing(noise: float) -> None:
    rng = np.random.default_rng(3)
    units = rng.integers(1, 20, 20_000).astype(np.float64)
    share = np.full(20_000, 0.5)
    outcome = share + noise * rng.choice([-1.0, 1.0], 20_000)
    factors = fit_difficulty(share, outcome, units).factors
    assert factors.min() == pytest.approx(factors.max())


@pytest.mark.parametrize(
    "width",
    [
        lambda estimate: 0.02 + 0.3 * estimate,
        lambda estimate: 0.5 * estimate * (1 - estimate) + 0.05,
        lambda estimate: np.full_like(estimate, 0.1),
    ],
)
def test_spread_holds_the_same_share_at_all_estimates(
    width: Callable[[FloatArray], FloatArray],
) -> None:
    rng = np.random.default_rng(4)
    estimate, units = rng.uniform(0.1, 0.9, 40_000), np.ones(40_000)
    outcome = estimate + width(estimate) * rng.uniform(-1, 1, estimate.size)
    known, fresh = np.arange(20_000), np.arange(20_000, 40_000)
    difficulty = fit_difficulty(estimate[known], outcome[known], units[known])
    distance = np.abs(outcome - estimate)[fresh]
    is_held = distance <= difficulty.sigma(estimate[fresh], units[fresh])
    for low in np.arange(0.1, 0.9, 0.1):
        band = (estimate[fresh] >= low) & (estimate[fresh] < low + 0.1)
        assert is_held[band].mean() == pytest.approx(TARGET_COVERAGE, abs=0.06)


@given(
    rows=st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(1, 9)), min_size=1, max_size=40
    ),
    first=st.floats(0, 1),
    second=st.floats(0, 1),
    reach=st.floats(0, 50),
)
def test_intervals_in_a_learned_spread_grow_with_the_estimate(
    rows: list[tuple[float, float, int]], first: float, second: float, reach: float
) -> None:
    estimate, outcome, units = np.array(rows, dtype=np.float64).T
    difficulty = fit_difficulty(estimate, outcome, units)
    assert difficulty.sizes.size <= ESTIMATE_BANDS
    assert difficulty.factors.size <= UNIT_BANDS
    assert difficulty.sizes.min() >= MIN_SIZE
    lower, higher = sorted((first, second))
    asked = np.array([lower, higher])
    width = reach * difficulty.sigma(asked, np.ones(2))
    low, high = np.maximum(asked - width, 0), np.minimum(asked + width, 1)
    slack = 1e-7  # the ratios are held up to rounding, and so many times the size
    assert low[0] <= low[1] + slack
    assert high[0] <= high[1] + slack


def test_spread_of_one_estimate_is_the_distance_that_most_rows_keep() -> None:
    outcome = np.linspace(0.5, 0.9, 101)
    difficulty = fit_difficulty(np.full(101, 0.5), outcome, np.ones(101))
    assert difficulty.estimates.tolist() == [0.5]
    assert difficulty.sizes[0] == pytest.approx(0.4 * TARGET_COVERAGE)


def test_spread_where_nothing_was_missed_is_the_least() -> None:
    share = np.linspace(0.1, 0.9, 50)
    assert set(fit_difficulty(share, share, np.ones(50)).sizes.tolist()) == {MIN_SIZE}
