"""What a contestant answers about the latest slice, and the intervals that plain models get."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from features.runtime.arrays import FloatArray
from serving.conformal.cell_residuals import CellResiduals
from training.data.sample import Sample


@dataclass(frozen=True)
class Slices:
    """The rows that every contestant learns from and is judged on, without cold-start copies.

    A contestant may judge itself on the calibration rows, which `train` was final before, and then
    learn from `known`: all rows that were final when the latest slice began. The calibration rows
    are two halves of different products: a plain model is stopped and calibrated on the first half,
    and its intervals are made on the second.
    """

    train: Sample
    known: Sample
    curve_fit: Sample
    residual_fit: Sample
    latest: Sample
    latest_masked: Sample
    """Copies of latest rows that know as much as a candidate does; judged apart."""


@dataclass(frozen=True)
class ContestantForecast:
    """Estimates of the latest rows, (rows,), with intervals where the contestant has them."""

    estimate: FloatArray
    low: FloatArray | None
    high: FloatArray | None
    seconds: float = field(compare=False)
    """Processor time of the fit, all threads, without the time of the features; NaN if it has no
    fit of its own."""
    masked: FloatArray | None = None
    """Estimates of the cold-start copies of latest rows; None if it can't score them."""


def add_equal_intervals(
    estimate: FloatArray, residuals: FloatArray, *, coverage: float
) -> tuple[FloatArray, FloatArray]:
    """Return split-conformal intervals of one width (Lei et al. 2018), cut off at 0 and 1."""
    width = CellResiduals.from_residuals(residuals).quantile(coverage)
    return np.maximum(estimate - width, 0.0), np.minimum(estimate + width, 1.0)
