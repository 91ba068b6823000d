"""Turn a raw prediction into a calibrated share, which outcomes meet on average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.runtime.arrays import FloatArray
from serving.errors import BrokenFileError


@dataclass(frozen=True)
class CalibrationCurve:
    """A non-decreasing curve through knots (x, y), linear between them and constant beyond.

    The knots may be the thresholds of isotonic regression. Then `apply` gives the same bits as
    scikit-learn's `IsotonicRegression(out_of_bounds="clip").predict`.
    """

    x: FloatArray
    y: FloatArray

    def __post_init__(self) -> None:
        """Refuse knots that don't make a curve from raw predictions to shares."""
        faults = {
            "it has no knots, or x and y of unequal length": self.x.ndim != 1
            or self.x.size == 0
            or self.x.shape != self.y.shape,
            "a knot isn't finite": not np.isfinite([*self.x, *self.y]).all(),
            "x doesn't increase": bool((np.diff(self.x) <= 0).any()),
            "y decreases": bool((np.diff(self.y) < 0).any()),
            "y lies outside [0, 1]": bool(((self.y < 0) | (self.y > 1)).any()),
        }
        for fault, is_present in faults.items():
            if is_present:
                raise BrokenFileError("a calibration curve", fault)

    def apply(self, raw: FloatArray) -> FloatArray:
        """Return the calibrated share for each raw prediction."""
        return np.interp(raw, self.x, self.y)
