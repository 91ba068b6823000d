"""Units wanted as negative binomial counts, of which a sold-out lot says only "at least".

With mean m and size r, the variance of the count D is m + m²/r. A lot of q units that sold n < q
shows D = n; one that sold out shows D >= q. The log likelihood is that of a censored count (Terza
1985, "A Tobit-type estimator for the censored Poisson regression model").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import betainc, betaln, expit, gammaln, hyp2f1

from features.runtime.arrays import FloatArray

MIN_HESSIAN: Final = 1e-6


@dataclass(frozen=True)
class CensoredCounts:
    """Negative binomial counts of one size; arrays have shape (rows,)."""

    size: float

    def loss(self, log_mean: FloatArray, units: FloatArray, lot: FloatArray) -> FloatArray:
        """Return minus the log probability of what each lot shows."""
        r = self.size
        log_p, log_rest = (
            -np.logaddexp(0.0, sign * (log_mean - np.log(r))) for sign in (1.0, -1.0)
        )
        mass = gammaln(units + r) - gammaln(r) - gammaln(units + 1) + r * log_p + units * log_rest
        return np.asarray(-np.where(units < lot, mass, self._log_tail(log_mean, lot)), np.float64)

    def derivatives(
        self, log_mean: FloatArray, units: FloatArray, lot: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the first and second derivative of each row's loss by the log mean."""
        r = self.size
        x = expit(log_mean - np.log(r))  # mean / (size + mean)
        hazard = np.exp(self._log_density(log_mean, lot) - self._log_tail(log_mean, lot))
        sold_out = -hazard, hazard * (hazard - lot * (1 - x) + r * x)
        counted = (r + units) * x - units, (r + units) * x * (1 - x)
        gradient, hessian = (
            np.where(units < lot, one, other) for one, other in zip(counted, sold_out, strict=True)
        )
        return gradient, np.maximum(hessian, MIN_HESSIAN)

    def share(self, log_mean: FloatArray, lot: FloatArray) -> FloatArray:
        """Return the expected share of each lot that sells, E[min(D, q)] / q.

        n P(D = n) is m times the mass of n - 1 at size + 1, so that the sum over all n < q is a
        single probability.
        """
        r, mean = self.size, np.exp(log_mean)
        p = expit(np.log(r) - log_mean)
        fewer = np.where(lot > 1, betainc(r + 1, np.maximum(lot - 1, 1.0), p), 0.0)
        return np.asarray(mean * fewer / lot + betainc(lot, r, 1 - p), np.float64)

    def _log_density(self, log_mean: FloatArray, lot: FloatArray) -> FloatArray:
        """Return the logarithm of the derivative of P(D >= lot) by the log mean."""
        r = self.size
        log_x, log_p = (-np.logaddexp(0.0, sign * (log_mean - np.log(r))) for sign in (-1.0, 1.0))
        return np.asarray(lot * log_x + r * log_p - betaln(lot, r), np.float64)

    def _log_tail(self, log_mean: FloatArray, lot: FloatArray) -> FloatArray:
        """Return log P(D >= lot), where it is too small for a number by its series.

        The series is equation 8.17.8 of the NIST Digital Library of Mathematical Functions.
        """
        x = expit(log_mean - np.log(self.size))
        tail = betainc(lot, self.size, x)
        is_small = tail < np.finfo(np.float64).tiny
        series = np.ones_like(tail)
        few = lot[is_small]
        series[is_small] = hyp2f1(few + self.size, 1.0, few + 1, x[is_small])
        leading = self._log_density(log_mean, lot) - np.log(lot) + np.log(series)
        return np.where(is_small, leading, np.log(np.where(is_small, 1.0, tail)))
