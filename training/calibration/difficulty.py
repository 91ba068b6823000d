"""Fit how far shares usually fall from their estimates, by estimate and by number of units.

The distances are learned instead of taken from a binomial or beta-binomial distribution, because
coverage then varies less with the estimate: docs/decisions/learned-difficulty.md.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from features.runtime.arrays import BoolArray, FloatArray
from serving.conformal.difficulty import DifficultyEstimate

ESTIMATE_BANDS: Final = 8
UNIT_BANDS: Final = 4
"""Bands hold about equal numbers of rows; rows of equal values are in one band."""

ROUNDS: Final = 3
"""How often sizes are fitted given the factors, and factors given the sizes."""

TARGET_COVERAGE: Final = 0.8
"""The size of a band is this quantile of its distances: the default coverage of intervals. Mean
distances would be too large where few outcomes are far off."""

MIN_SIZE: Final = 1e-3

_GRID: Final[FloatArray] = (1 - np.cos(np.pi * np.arange(65) / 64)) / 2


def binomial_difficulty() -> DifficultyEstimate:
    """Return the standard deviation of one trial, whatever the number of units.

    It needs no rows to learn from. 0.01 more than the variance p(1-p) keeps it positive.
    """
    sizes = np.sqrt(_GRID * (1 - _GRID) + 0.01)
    return DifficultyEstimate(_GRID, sizes, np.ones(1), np.ones(1))


def fit_difficulty(
    estimate: FloatArray, outcome: FloatArray, units: FloatArray
) -> DifficultyEstimate:
    """Fit the difficulty on rows that give no residuals; each array has shape (rows,).

    Sizes and factors are raised where an interval would otherwise move down while its estimate
    grows, or widen as the units grow.
    """
    distance = np.abs(outcome - estimate)
    # Units that differ by rounding alone make one knot.
    logs = np.round(np.log(units), 9).astype(np.float64)
    by_estimate, by_units = _split_bands(estimate, ESTIMATE_BANDS), _split_bands(logs, UNIT_BANDS)
    estimates = _band_means(estimate, by_estimate)
    knots = np.maximum(np.exp(_band_means(logs, by_units)), 1.0)
    difficulty = DifficultyEstimate(estimates, np.ones_like(estimates), knots, np.ones_like(knots))
    for _ in range(ROUNDS):
        factor = difficulty.sigma(estimate, units) / np.interp(
            estimate, estimates, difficulty.sizes
        )
        sizes = _make_monotone(estimates, _band_quantiles(distance / factor, by_estimate))
        relative = _band_quantiles(distance / np.interp(estimate, estimates, sizes), by_units)
        factors = np.maximum.accumulate(relative[::-1])[::-1]
        difficulty = DifficultyEstimate(estimates, sizes, knots, factors)
    return difficulty


def _split_bands(values: FloatArray, bands: int) -> list[BoolArray]:
    """Return the mask of each band in the order of values; no band is empty."""
    edges = np.unique(np.quantile(values, np.arange(1, bands) / bands))
    band = np.searchsorted(edges, values)
    return [band == number for number in np.unique(band)]


def _band_means(values: FloatArray, bands: list[BoolArray]) -> FloatArray:
    """Return the mean of each band, clipped into the band: rounding may push it beyond."""
    in_bands = [values[rows] for rows in bands]
    return np.array([np.clip(band.mean(), band.min(), band.max()) for band in in_bands])


def _band_quantiles(distance: FloatArray, bands: list[BoolArray]) -> FloatArray:
    """Return the quantile `TARGET_COVERAGE` of each band's distances, at least `MIN_SIZE`."""
    sizes: FloatArray = np.array([np.quantile(distance[rows], TARGET_COVERAGE) for rows in bands])
    return np.maximum(sizes, MIN_SIZE)


def _make_monotone(estimates: FloatArray, sizes: FloatArray) -> FloatArray:
    """Raise sizes, as little as possible, until intervals grow with the estimate."""
    raised = sizes.copy()
    for index in range(sizes.size - 2, -1, -1):
        share, next_share = estimates[index], estimates[index + 1]
        raised[index] = max(raised[index], raised[index + 1] * share / next_share)
    for index in range(1, sizes.size):
        share, previous = estimates[index], estimates[index - 1]
        raised[index] = max(raised[index], raised[index - 1] * (1 - share) / (1 - previous))
    return raised
