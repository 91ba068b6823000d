"""What residuals are measured in: how far a share usually falls from its estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.runtime.arrays import FloatArray
from serving.errors import BrokenFileError

MAX_KNOTS: Final = 128
MIN_VALUE: Final = 1e-6
MAX_VALUE: Final = 1e6
"""Of sizes and factors: products of two stay far from what floats can't hold."""
ROUNDING_SLACK: Final = 1e-9
"""What rounding may do to a ratio."""

_GRID: Final[FloatArray] = (1 - np.cos(np.pi * np.arange(65) / 64)) / 2


@dataclass(frozen=True)
class DifficultyEstimate:
    """A size by estimate times a factor by units, both lines between knots, constant beyond them.

    They may be learned from any residuals: an interval of p ± c·size(p), cut off at 0 and 1, grows
    with p for every c as long as size(p)/p never rises and size(p)/(1-p) never falls, and between
    knots both hold if they do at the knots. A curve for which they don't is refused, and so are
    factors that grow with the units: the dice of single units even out.
    """

    estimates: FloatArray
    """The knots of sizes, increasing in [0, 1]."""
    sizes: FloatArray
    """From `MIN_VALUE` to `MAX_VALUE`, as factors are."""
    units: FloatArray
    """The knots of factors, increasing from 1 on; between them lines over their logarithm."""
    factors: FloatArray
    """Non-increasing."""

    def __post_init__(self) -> None:
        """Refuse what can't be such a spread."""
        x, y, units, factors = self.estimates, self.sizes, self.units, self.factors
        for knots, values in ((x, y), (units, factors)):
            if knots.ndim != 1 or not 0 < knots.size <= MAX_KNOTS or knots.shape != values.shape:
                raise BrokenFileError("the spread of residuals", f"not 1 to {MAX_KNOTS} knots")
            if not ((values >= MIN_VALUE) & (values <= MAX_VALUE)).all():
                fault = f"a value outside {MIN_VALUE:g} to {MAX_VALUE:g}"
                raise BrokenFileError("the spread of residuals", fault)
        rises = y[1:] * x[:-1] > y[:-1] * x[1:] * (1 + ROUNDING_SLACK)
        falls = y[1:] * (1 - x[:-1]) * (1 + ROUNDING_SLACK) < y[:-1] * (1 - x[1:])
        faults = {
            "a knot outside the shares": not ((x >= 0) & (x <= 1)).all(),
            "a knot of less than a unit": not ((units >= 1) & np.isfinite(units)).all(),
            "knots that don't increase": any((np.diff(one) <= 0).any() for one in (x, units)),
            "sizes that let intervals fall while estimates grow": bool((rises | falls).any()),
            "factors that grow with the units": bool((np.diff(factors) > 0).any()),
        }
        for fault, is_found in faults.items():
            if is_found:
                raise BrokenFileError("the spread of residuals", fault)

    @classmethod
    def binomial(cls) -> DifficultyEstimate:
        """Return the deviation of one trial, for want of residuals and units to learn from.

        0.01 more than the variance p(1-p) keeps it positive.
        """
        return cls(_GRID, np.sqrt(_GRID * (1 - _GRID) + 0.01), np.ones(1), np.ones(1))

    def sigma(self, estimate: FloatArray, units: FloatArray) -> FloatArray:
        """Return the scale of the residual of a share of `units` units, shape (rows,)."""
        factor = np.interp(np.log(units), np.log(self.units), self.factors)
        return np.interp(estimate, self.estimates, self.sizes) * factor
