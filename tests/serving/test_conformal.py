from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.declarations import FloatArray
from serving.artefact_errors import BrokenFileError
from serving.cells import BoolArray
from serving.conformal import (
    LEAST_CELL_ROWS,
    MOST_STORED,
    Cell,
    CellResiduals,
    ConformalResiduals,
    learn_residuals,
    spread,
)

shares = st.floats(0, 1)
levels = st.floats(0.5, 0.95)


@cache
def _learned(seed: int, rows: int = 3_000) -> ConformalResiduals:
    rng = np.random.default_rng(seed)
    estimate, outcome, is_cold = _world(rng, rows)
    return learn_residuals(estimate, outcome, is_cold)


def _world(rng: np.random.Generator, rows: int) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Draw exchangeable rows: true shares of few units, badly predicted, worse when cold."""
    is_cold = rng.random(rows) < 0.3
    truth = rng.beta(2, 5, rows)
    noise = rng.normal(0, np.where(is_cold, 0.2, 0.05))
    units = np.where(is_cold, 3, 40)
    return np.clip(truth + noise, 0, 1), rng.binomial(units, truth) / units, is_cold


def _naive_bounds(residuals: FloatArray, level: float) -> tuple[float, float]:
    """Take the finite-sample ranks of all residuals, one by one."""
    ordered = sorted(residuals.tolist())
    rank = math.ceil((len(ordered) + 1) * (1 + level) / 2)
    if rank > len(ordered):
        return -math.inf, math.inf
    return min(ordered[len(ordered) - rank], 0.0), max(ordered[rank - 1], 0.0)


@pytest.mark.parametrize("count", [1, 5, 38, 39, 200, MOST_STORED])
@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_bounds_of_unthinned_residuals_are_those_of_the_naive_ranks(
    count: int, level: float
) -> None:
    residuals = np.random.default_rng(count).normal(0.1, 1, count)
    assert CellResiduals.of(residuals).bounds(level) == _naive_bounds(residuals, level)


@pytest.mark.parametrize("count", [MOST_STORED + 1, 5_000, 123_457])
@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_bounds_of_thinned_residuals_err_to_the_safe_side_by_a_thousandth(
    count: int, level: float
) -> None:
    residuals = np.random.default_rng(count).normal(0.1, 1, count)
    cell = CellResiduals.of(residuals)
    low, high = cell.bounds(level)
    exact_low, exact_high = _naive_bounds(residuals, level)
    more_low, more_high = _naive_bounds(residuals, level + 0.002 + 2 / count)
    assert cell.values.size == MOST_STORED
    assert more_low <= low <= exact_low <= 0 <= exact_high <= high <= more_high


def test_bounds_beyond_what_the_rows_can_tell_are_infinite() -> None:
    assert CellResiduals.of(np.linspace(-1, 1, 10)).bounds(0.95) == (-math.inf, math.inf)


@given(estimate=shares, level=levels, is_cold=st.booleans(), seed=st.integers(0, 5))
def test_interval_holds_the_estimate_within_the_shares(
    *, estimate: float, level: float, is_cold: bool, seed: int
) -> None:
    low, high = _learned(seed).interval(np.array([estimate]), np.array([is_cold]), level=level)
    assert 0 <= low[0] <= estimate <= high[0] <= 1


@given(estimate=shares, first=levels, second=levels, is_cold=st.booleans())
def test_interval_of_a_higher_level_holds_that_of_a_lower(
    *, estimate: float, first: float, second: float, is_cold: bool
) -> None:
    narrow, wide = (
        _learned(0).interval(np.array([estimate]), np.array([is_cold]), level=level)
        for level in sorted((first, second))
    )
    assert wide[0][0] <= narrow[0][0]
    assert narrow[1][0] <= wide[1][0]


@given(first=shares, second=shares, level=levels, threshold=st.floats(0.01, 1))
def test_interval_and_probability_grow_with_the_estimate(
    first: float, second: float, level: float, threshold: float
) -> None:
    residuals = _learned(1)
    estimates = np.array(sorted((first, second)))
    is_cold = np.zeros(2, dtype=np.bool_)
    low, high = residuals.interval(estimates, is_cold, level=level)
    probability = residuals.prob_at_least(estimates, is_cold, threshold=threshold)
    slack = 1e-12  # two estimates one rounding apart may swap in the last bit
    assert low[0] <= low[1] + slack
    assert high[0] <= high[1] + slack
    assert probability[0] <= probability[1] + 1 / MOST_STORED


@given(estimate=shares, level=levels, seed=st.integers(0, 5))
def test_interval_of_a_cold_start_holds_that_of_a_warm_one(
    estimate: float, level: float, seed: int
) -> None:
    pair = np.array([estimate, estimate])
    low, high = _learned(seed).interval(pair, np.array([True, False]), level=level)
    assert low[0] <= low[1]
    assert high[0] >= high[1]


@given(estimate=shares, is_cold=st.booleans(), thresholds=st.lists(st.floats(0.01, 1), min_size=2))
def test_probability_falls_with_the_threshold(
    *, estimate: float, is_cold: bool, thresholds: list[float]
) -> None:
    residuals = _learned(2)
    found = [
        residuals.prob_at_least(np.array([estimate]), np.array([is_cold]), threshold=t)[0]
        for t in sorted(thresholds)
    ]
    assert found == sorted(found, reverse=True)
    assert all(0 < probability < 1 for probability in found)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_interval_covers_exchangeable_outcomes_as_often_as_it_says(level: float) -> None:
    rng = np.random.default_rng(7)
    covered: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(60):
        residuals = learn_residuals(*_world(rng, 2_000))
        estimate, outcome, is_cold = _world(rng, 2_000)
        low, high = residuals.interval(estimate, is_cold, level=level)
        inside = (low <= outcome) & (outcome <= high)
        for cell, found in covered.items():
            found.append(float(inside[is_cold == cell].mean()))
    for found in covered.values():
        error = np.std(found) / math.sqrt(len(found))
        assert np.mean(found) >= level - 3 * error
    assert np.mean(covered[False]) <= level + 0.1


def test_probability_of_what_came_is_uniform() -> None:
    rng = np.random.default_rng(8)
    estimate, _, is_cold = _world(rng, 6_000)
    outcome = np.clip(estimate + rng.normal(0, 0.05 + 0.1 * is_cold, 6_000), 0.001, 0.999)
    known, fresh = slice(0, 4_000), slice(4_000, 6_000)
    residuals = learn_residuals(estimate[known], outcome[known], is_cold[known])
    found = [
        residuals.prob_at_least(one, cold, threshold=float(threshold))[0]
        for one, cold, threshold in zip(
            estimate[fresh, None], is_cold[fresh, None], outcome[fresh], strict=True
        )
    ]
    expected = np.linspace(0.1, 0.9, 9)
    np.testing.assert_allclose(np.quantile(found, expected), expected, rtol=0, atol=0.04)


@pytest.mark.parametrize(
    ("cold", "is_merged"), [(LEAST_CELL_ROWS, False), (LEAST_CELL_ROWS - 1, True)]
)
def test_learning_with_a_small_cell_merges_it(cold: int, *, is_merged: bool) -> None:
    rng = np.random.default_rng(3)
    is_cold = np.arange(2_000) < cold
    learned = learn_residuals(rng.random(2_000), rng.random(2_000), is_cold)
    assert learned.is_merged == is_merged
    assert sum(cell.count for cell in learned.cells.values()) == 2_000


def test_spread_is_symmetric_and_positive() -> None:
    estimate = np.linspace(0, 1, 11)
    np.testing.assert_allclose(spread(estimate), spread(1 - estimate))
    assert spread(np.array([0.0]))[0] == 0.1


@pytest.mark.parametrize(
    ("values", "count", "fault"),
    [
        ([], 0, "no residuals"),
        ([0.0, np.nan], 2, "isn't finite"),
        ([1.0, 0.0], 2, "out of order"),
        ([0.0, 1.0], 3, "wrong count"),
    ],
)
def test_residuals_of_another_form_are_refused(values: list[float], count: int, fault: str) -> None:
    with pytest.raises(BrokenFileError) as caught:
        CellResiduals(np.array(values), count)
    assert fault in caught.value.found


@pytest.mark.parametrize("cells", [set(), {Cell.WARM}, {Cell.WARM, Cell.COLD, Cell.MERGED}])
def test_residuals_of_other_cells_are_refused(cells: set[Cell]) -> None:
    one = CellResiduals.of(np.array([0.0]))
    with pytest.raises(BrokenFileError):
        ConformalResiduals(dict.fromkeys(cells, one))
