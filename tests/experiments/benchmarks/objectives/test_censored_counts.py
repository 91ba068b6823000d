"""Censored counts: what lots show, its derivatives, and shares by plain sums."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import nbinom

from experiments.benchmarks.objectives.censored_counts import MIN_HESSIAN, CensoredCounts
from features.runtime.arrays import FloatArray

SIZES = (0.5, 1.0, 3.0, 40.0)
UNITS = np.array([0.0, 0.0, 3.0, 7.0, 40.0, 1.0, 5.0, 200.0])
LOTS = np.array([1.0, 9.0, 8.0, 7.0, 100.0, 1.0, 5.0, 200.0])
LARGEST = 700.0
"""Probabilities of larger losses are too small for a number to hold all their digits."""
LOG_MEANS = np.array([-3.0, -0.5, 0.0, 1.0, 2.5, 4.0, 6.0])


def _grid() -> tuple[FloatArray, FloatArray, FloatArray]:
    log_mean = np.repeat(LOG_MEANS, UNITS.size)
    return log_mean, np.tile(UNITS, LOG_MEANS.size), np.tile(LOTS, LOG_MEANS.size)


def _distribution(size: float, log_mean: float) -> nbinom:
    return nbinom(size, size / (size + np.exp(log_mean)))


@pytest.mark.parametrize("size", SIZES)
def test_loss_is_the_log_probability_of_what_a_lot_shows(size: float) -> None:
    log_mean, units, lot = _grid()
    expected = [
        -(_distribution(size, m).logpmf(n) if n < q else _distribution(size, m).logsf(q - 1))
        for m, n, q in zip(log_mean, units, lot, strict=True)
    ]
    is_computable = np.array(expected) < LARGEST
    found = CensoredCounts(size).loss(log_mean, units, lot)
    np.testing.assert_allclose(found[is_computable], np.array(expected)[is_computable], rtol=1e-6)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("size", SIZES)
def test_derivatives_are_those_of_finite_differences(size: float) -> None:
    counts, (log_mean, units, lot), step = CensoredCounts(size), _grid(), 1e-4

    def loss(shift: float) -> FloatArray:
        return counts.loss(log_mean + shift, units, lot)

    gradient, hessian = counts.derivatives(log_mean, units, lot)
    np.testing.assert_allclose(
        gradient, (loss(step) - loss(-step)) / (2 * step), rtol=1e-4, atol=1e-6
    )
    second = (loss(step) - 2 * loss(0.0) + loss(-step)) / step**2
    np.testing.assert_allclose(hessian, np.maximum(second, MIN_HESSIAN), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lot", [1, 2, 5, 60, 500])
def test_share_is_the_sum_over_all_units(size: float, lot: int) -> None:
    expected = []
    for log_mean in LOG_MEANS:
        demand = _distribution(size, log_mean)
        expected.append(sum(demand.sf(t - 1) for t in range(1, lot + 1)) / lot)
    found = CensoredCounts(size).share(LOG_MEANS, np.full(LOG_MEANS.size, float(lot)))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
