"""What residuals are measured in: how far a share usually falls from its estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.declarations import FloatArray
from serving.artefact_errors import BrokenFileError

MOST_KNOTS: Final = 128
SLACK: Final = 1e-9
"""What rounding may do to a ratio."""

_GRID: Final[FloatArray] = (1 - np.cos(np.pi * np.arange(65) / 64)) / 2


@dataclass(frozen=True)
class Spread:
    """A size by estimate, straight between knots and constant beyond them, less for more units.

    The size may be learned from any residuals: an interval of p ± c·size(p), cut off at 0 and 1,
    grows with p for every c as long as size(p)/p never rises and size(p)/(1-p) never falls, and
    between knots both hold if they do at the knots. A curve for which they don't is refused.
    """

    lasting: float
    """The part of a single unit's variance that many units don't take away, in (0, 1]."""
    estimates: FloatArray
    """The knots, increasing in [0, 1]."""
    sizes: FloatArray
    """Of a share of one unit; above 0."""

    def __post_init__(self) -> None:
        """Refuse what can't be such a spread."""
        x, y = self.estimates, self.sizes
        if x.ndim != 1 or not 0 < x.size <= MOST_KNOTS or x.shape != y.shape:
            raise BrokenFileError("the spread of residuals", f"not 1 to {MOST_KNOTS} knots")
        rises = y[1:] * x[:-1] > y[:-1] * x[1:] * (1 + SLACK)
        falls = y[1:] * (1 - x[:-1]) * (1 + SLACK) < y[:-1] * (1 - x[1:])
        faults = {
            "a lasting part outside (0, 1]": not 0 < self.lasting <= 1,
            "a knot outside the shares": not ((x >= 0) & (x <= 1)).all(),
            "knots that don't increase": bool((np.diff(x) <= 0).any()),
            "a size that isn't above 0": not ((y > 0) & np.isfinite(y)).all(),
            "sizes that let intervals fall while estimates grow": bool((rises | falls).any()),
        }
        for fault, is_found in faults.items():
            if is_found:
                raise BrokenFileError("the spread of residuals", fault)

    @classmethod
    def binomial(cls, lasting: float) -> Spread:
        """Return the deviation of a beta-binomial share, for want of residuals to learn from.

        Of n units that each come back with a chance that itself varies around p, the share that
        does has the variance p(1-p)(lasting + (1-lasting)/n): a part that lasts however many
        units there are, and the dice of single units (Skellam 1948, "A probability distribution
        derived from the binomial distribution"). 0.01 more than p(1-p) keeps it positive.
        """
        return cls(lasting, _GRID, np.sqrt(_GRID * (1 - _GRID) + 0.01))

    def of(self, estimate: FloatArray, units: FloatArray) -> FloatArray:
        """Return the scale of the residual of a share of `units` units, shape (rows,)."""
        return np.interp(estimate, self.estimates, self.sizes) * np.sqrt(
            self.lasting + (1 - self.lasting) / units
        )
