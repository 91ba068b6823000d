"""The scale of residuals: how far a share usually falls from its estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.runtime.arrays import FloatArray
from serving.errors import BrokenFileError

MAX_KNOTS: Final = 128
MIN_VALUE: Final = 1e-6
MAX_VALUE: Final = 1e6
"""Bounds of sizes and factors: a product of two of them is far from overflow and underflow."""
ROUNDING_SLACK: Final = 1e-9
"""Relative error that rounding may cause in a ratio."""


@dataclass(frozen=True)
class DifficultyEstimate:
    """A size by estimate times a factor by units: lines between knots, constant beyond them.

    An interval p ± c·size(p), cut off at 0 and 1, moves up with p for every c as long as size(p)/p
    never rises and size(p)/(1-p) never falls. Between knots both hold if they hold at the knots.
    Curves that break either rule are refused, and so are factors that grow with the units: a share
    of more units varies less.
    """

    estimates: FloatArray
    """The knots of sizes, increasing within [0, 1]."""
    sizes: FloatArray
    """From `MIN_VALUE` to `MAX_VALUE`, as factors are."""
    units: FloatArray
    """The knots of factors, increasing from 1; factors are linear in their logarithm."""
    factors: FloatArray
    """Non-increasing."""

    def __post_init__(self) -> None:
        """Check the knots and both rules of the sizes.

        Raises:
            BrokenFileError: the curves can't be a difficulty.
        """
        x, y, units, factors = self.estimates, self.sizes, self.units, self.factors
        for knots, values in ((x, y), (units, factors)):
            if knots.ndim != 1 or not 0 < knots.size <= MAX_KNOTS or knots.shape != values.shape:
                fault = f"a difficulty without 1 to {MAX_KNOTS} knots"
                raise BrokenFileError("conformal.json", fault)
            if not ((values >= MIN_VALUE) & (values <= MAX_VALUE)).all():
                fault = f"a difficulty outside {MIN_VALUE:g} to {MAX_VALUE:g}"
                raise BrokenFileError("conformal.json", fault)
        rises = y[1:] * x[:-1] > y[:-1] * x[1:] * (1 + ROUNDING_SLACK)
        falls = y[1:] * (1 - x[:-1]) * (1 + ROUNDING_SLACK) < y[:-1] * (1 - x[1:])
        faults = {
            "a knot outside the shares": not ((x >= 0) & (x <= 1)).all(),
            "a knot of less than a unit": not ((units >= 1) & np.isfinite(units)).all(),
            "knots that don't increase": any((np.diff(knots) <= 0).any() for knots in (x, units)),
            "sizes that let intervals fall while estimates grow": bool((rises | falls).any()),
            "factors that grow with the units": bool((np.diff(factors) > 0).any()),
        }
        for fault, is_present in faults.items():
            if is_present:
                raise BrokenFileError("conformal.json", f"a difficulty with {fault}")

    def sigma(self, estimate: FloatArray, units: FloatArray) -> FloatArray:
        """Return the scale of the residual of a share of `units` units, shape (rows,)."""
        factor = np.interp(np.log(units), np.log(self.units), self.factors)
        return np.interp(estimate, self.estimates, self.sizes) * factor
