"""The fitted model of a target, with what its evaluation needs beside it."""

from __future__ import annotations

from dataclasses import dataclass

from features.runtime.arrays import FloatArray
from serving.conformal.cells import IntervalContext
from serving.prediction.target_model import TargetModel


@dataclass(frozen=True)
class FittedTarget:
    """A target's model; the arrays cover all rows of the training set."""

    model: TargetModel
    context: IntervalContext
    raw: FloatArray
    """Raw predictions of the calibration rows, each by the boosters of its origin; NaN for other
    rows."""
    forward: FloatArray
    """The same after calibration."""
