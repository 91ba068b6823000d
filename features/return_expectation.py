"""The return rate that all evidence at hand lets expect, learned as one short formula.

What a listing returned says little as long as nobody asks what its gaps led to expect, and
pooling has to begin somewhere better than at the mean. So the category's rate in the market is
multiplied by what the listing's gaps are worth, and a relative risk (returns beyond expectation)
is shrunk from audits and stars through supplier and product to the listing: the gamma-Poisson
model of standardised ratios (Clayton and Kaldor 1987, "Empirical Bayes estimates of age-
standardized relative risks"). Elementary arithmetic only, as in features/derived.py; what is done
to several inputs alike is done to all at once, for a call costs a request more than its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from features.declarations import FloatArray
from features.derived import gap, ratio
from features.levels import Level
from features.pooling import CHAIN, RETURN_RATE

NAME: Final = "expected_return_rate_180d"
ATTRIBUTES: Final = ("size_chart", "plug_voltage", "language")
"""Attributes whose lack may make buyers return."""
WIDE: Final = (Level.MARKET, Level.CATEGORY_MARKET)
"""Levels whose own rates count; narrower ones count against expectation."""
LEAST_RISK: Final = 0.1
"""Audits and stars alone can't promise less than a tenth of the usual returns."""

_COUNTS: Final = 2 * len(CHAIN)
_GAPS: Final = 2 * len(ATTRIBUTES)
INPUTS: Final = (
    *RETURN_RATE.inputs,
    *(
        name
        for attribute in ATTRIBUTES
        for name in (f"is_{attribute}_required_category_market", f"{attribute}_met_share")
    ),
    "audit_result_supplier",
    "defective_units_supplier_365d",
    "inspected_units_supplier_365d",
    "low_star_reviews_supplier_180d",
    "reviews_supplier_180d",
    "low_star_reviews_product_180d",
    "reviews_product_180d",
)
PARAMETERS: Final = (
    "expected_return_mean",
    *(f"expected_return_strength_{level.value}" for level in CHAIN),
    *(
        name
        for attribute in ATTRIBUTES
        for name in (f"expected_return_usual_{attribute}", f"expected_return_effect_{attribute}")
    ),
    "expected_return_audit_mean",
    "expected_return_audit_effect",
    "expected_return_defect_mean",
    "expected_return_defect_effect",
    "expected_return_low_star_mean",
    "expected_return_low_star_effect",
    "expected_return_low_star_strength_supplier",
    "expected_return_low_star_strength_product",
)


def expected_return_rate(*values: FloatArray) -> FloatArray:
    """Return the rate from `INPUTS`, then `PARAMETERS`; it is never null.

    All are arrays with the same number of dimensions, that broadcast together. Of what isn't known
    (gaps, audits, reviews) the mean is assumed, and counts that are null say nothing.
    """
    counts, known = values[:_COUNTS], values[_COUNTS : len(INPUTS)]
    mean, *learned = values[len(INPUTS) :]
    strengths, rest = learned[: len(CHAIN)], learned[len(CHAIN) :]
    usual = mean
    seen = _known(np.array(counts))
    levels = list(zip(seen[::2], seen[1::2], strengths, strict=True))
    for returned, ripe, strength in levels[: len(WIDE)]:
        usual = (returned + strength * usual) / (ripe + strength)
    own = usual * _worth_of_gaps(known[:_GAPS], rest[:_GAPS])
    risk = _risk_by_quality(known[_GAPS:], rest[_GAPS:])
    narrow = zip(levels[len(WIDE) :], (usual, usual, own), strict=True)
    for (returned, ripe, strength), expected in narrow:
        risk = (returned + strength * risk) / (ripe * expected + strength)
    return np.minimum(own * risk, 1.0)


def _worth_of_gaps(inputs: Sequence[FloatArray], learned: Sequence[FloatArray]) -> FloatArray:
    """Return the factor of each row's gaps, against those that are usual where it is required."""
    required, met = np.array(inputs[::2]), np.array(inputs[1::2])
    usual, effect = np.array(learned[::2]), np.array(learned[1::2])
    missing = gap(required, met)
    worth = (1.0 + effect * missing) / (1.0 + usual * (required > 0))
    factor: FloatArray = np.ones_like(inputs[0])
    for one in np.where(np.isnan(missing), 1.0, worth):
        factor = factor * one
    return factor


def _risk_by_quality(inputs: Sequence[FloatArray], learned: Sequence[FloatArray]) -> FloatArray:
    audit, defective, inspected, *stars = inputs
    audit_mean, audit_effect, defect_mean, defect_effect, *of_stars = learned
    low_mean, low_effect, strength_supplier, strength_product = of_stars
    deviation = np.array((audit_mean - audit, ratio(defective, inspected) - defect_mean))
    audit_worse, more_defects = _known(deviation)
    low_supplier, all_supplier, low_product, all_product = _known(np.array(stars))
    low = (low_supplier + strength_supplier * low_mean) / (all_supplier + strength_supplier)
    low = (low_product + strength_product * low) / (all_product + strength_product)
    risk: FloatArray = 1.0 + low_effect * (low - low_mean)
    risk = risk + audit_effect * audit_worse
    risk = risk + defect_effect * more_defects
    return np.maximum(risk, LEAST_RISK)


def _known(value: FloatArray) -> FloatArray:
    """Return 0, no evidence, for null."""
    return np.where(np.isnan(value), 0.0, value)
