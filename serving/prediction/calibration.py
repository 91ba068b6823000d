"""Calibration: a raw prediction becomes a share that is met on average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.runtime.arrays import FloatArray
from serving.errors import BrokenFileError


@dataclass(frozen=True)
class CalibrationCurve:
    """A non-decreasing curve through (x, y), straight between knots and constant beyond them.

    Isotonic regression's thresholds are such knots, and `apply` gives the same bits as
    scikit-learn's `IsotonicRegression(out_of_bounds="clip").predict`.
    """

    x: FloatArray
    y: FloatArray

    def __post_init__(self) -> None:
        """Refuse what isn't a curve from raw predictions to shares."""
        faults = {
            "no knots": self.x.ndim != 1 or self.x.size == 0 or self.x.shape != self.y.shape,
            "a knot that isn't finite": not np.isfinite([*self.x, *self.y]).all(),
            "x that doesn't increase": bool((np.diff(self.x) <= 0).any()),
            "y that decreases": bool((np.diff(self.y) < 0).any()),
            "y outside [0, 1]": bool(((self.y < 0) | (self.y > 1)).any()),
        }
        for fault, is_found in faults.items():
            if is_found:
                raise BrokenFileError("calibration knots", fault)

    def apply(self, raw: FloatArray) -> FloatArray:
        """Return the calibrated share for each raw prediction."""
        return np.interp(raw, self.x, self.y)
