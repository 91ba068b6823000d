"""The return rate that all evidence at hand lets expect, learned as one short formula.

What a listing returned says little as long as nobody asks what its gaps led to expect, and pooling
has to begin somewhere better than at the mean. So the category's rate in the market is multiplied
by what the listing's gaps are worth, and a relative risk (returns beyond expectation) is shrunk
from audits and stars through supplier and product to the listing: the gamma-Poisson model of
standardised ratios (Clayton and Kaldor 1987, "Empirical Bayes estimates of age- standardized
relative risks"). Elementary arithmetic only, as in features/declarations/functions.py; what is done
to several inputs alike is done to all at once, for a call costs a request more than its rows.

Units whose return window isn't over count as well, as so much of a unit as returns are usually
known by then: a listing sells for five weeks before the first of its units is ripe, and most that
come back do so within two (the delays of reporting in Kalbfleisch and Lawless 1991, "Regression
models for right truncated data with applications to AIDS incubation times and reporting lags").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from features.declarations.functions import gap, ratio
from features.declarations.levels import Level, name_feature
from features.declarations.shrinkage import CHAIN, RETURN_RATE
from features.runtime.arrays import FloatArray

NAME: Final = "expected_return_rate_180d"
ATTRIBUTES: Final = ("size_chart", "plug_voltage", "language")
"""Attributes whose lack may make buyers return."""
WIDE_LEVELS: Final = (Level.MARKET, Level.CATEGORY_MARKET)
"""Levels whose own rates count; narrower ones count against expectation."""
NARROW_LEVELS: Final = tuple(level for level in CHAIN if level not in WIDE_LEVELS)
OPEN_DAYS: Final = (7, 14)
AGES: Final = ("old", "middle", "young")
"""Ages of units since delivery between which the known share of their returns changes."""
MIN_RISK: Final = 0.1
"""Audits and stars alone can't promise less than a tenth of the usual returns."""

OPEN_UNITS: Final = "units_open"
OPEN_RETURNED: Final = "units_open_returned"
OPEN_MEASURES: Final = (
    (OPEN_RETURNED, RETURN_RATE.days),
    (OPEN_UNITS, RETURN_RATE.days),
    *((OPEN_UNITS, days) for days in reversed(OPEN_DAYS)),
)
"""What is counted of open units at each narrow level: measures and their windows in days."""

OPEN_INPUTS: Final = tuple(
    name_feature(name, level, days) for name, days in OPEN_MEASURES for level in NARROW_LEVELS
)
_COUNTS: Final = 2 * len(CHAIN)
_OPEN: Final = len(OPEN_INPUTS)
_GAPS: Final = 2 * len(ATTRIBUTES)
INPUTS: Final = (
    *RETURN_RATE.inputs,
    *OPEN_INPUTS,
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
    *(f"expected_return_known_share_{age}" for age in AGES),
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
    counts, known = values[: _COUNTS + _OPEN], values[_COUNTS + _OPEN : len(INPUTS)]
    mean, *learned = values[len(INPUTS) :]
    strengths, rest = learned[: len(CHAIN)], learned[len(CHAIN) :]
    known_shares, rest = rest[: len(AGES)], rest[len(AGES) :]
    usual = mean
    seen = _add_open_units(_fill_missing(np.array(counts)), known_shares)
    levels = list(zip(seen[::2], seen[1::2], strengths, strict=True))
    for returned, ripe, strength in levels[: len(WIDE_LEVELS)]:
        usual = (returned + strength * usual) / (ripe + strength)
    own = usual * _gap_factor(known[:_GAPS], rest[:_GAPS])
    risk = _quality_risk(known[_GAPS:], rest[_GAPS:])
    narrow = zip(levels[len(WIDE_LEVELS) :], (usual, usual, own), strict=True)
    for (returned, ripe, strength), expected in narrow:
        risk = (returned + strength * risk) / (ripe * expected + strength)
    return np.minimum(own * risk, 1.0)


def _add_open_units(counts: FloatArray, known_shares: Sequence[FloatArray]) -> FloatArray:
    """Return returned and ripe units of each level, at narrow ones with those that are open."""
    seen, open_counts = counts[:_COUNTS], counts[_COUNTS:]
    returned, *units = np.split(open_counts, len(OPEN_MEASURES))
    narrow = seen[2 * len(WIDE_LEVELS) :]
    narrow[::2] += returned
    for older, younger, share in zip(units, (*units[1:], None), known_shares, strict=True):
        narrow[1::2] += share * (older if younger is None else older - younger)
    return seen


def _gap_factor(inputs: Sequence[FloatArray], learned: Sequence[FloatArray]) -> FloatArray:
    """Return the factor of each row's gaps, against those that are usual where it is required."""
    required, met = np.array(inputs[::2]), np.array(inputs[1::2])
    usual, effect = np.array(learned[::2]), np.array(learned[1::2])
    missing = gap(required, met)
    worth = (1.0 + effect * missing) / (1.0 + usual * (required > 0))
    factor: FloatArray = np.ones_like(inputs[0])
    for one in np.where(np.isnan(missing), 1.0, worth):
        factor = factor * one
    return factor


def _quality_risk(inputs: Sequence[FloatArray], learned: Sequence[FloatArray]) -> FloatArray:
    audit, defective, inspected, *stars = inputs
    audit_mean, audit_effect, defect_mean, defect_effect, *of_stars = learned
    low_mean, low_effect, strength_supplier, strength_product = of_stars
    deviation = np.array((audit_mean - audit, ratio(defective, inspected) - defect_mean))
    audit_worse, more_defects = _fill_missing(deviation)
    low_supplier, all_supplier, low_product, all_product = _fill_missing(np.array(stars))
    low = (low_supplier + strength_supplier * low_mean) / (all_supplier + strength_supplier)
    low = (low_product + strength_product * low) / (all_product + strength_product)
    risk: FloatArray = 1.0 + low_effect * (low - low_mean)
    risk = risk + audit_effect * audit_worse
    risk = risk + defect_effect * more_defects
    return np.maximum(risk, MIN_RISK)


def _fill_missing(value: FloatArray) -> FloatArray:
    """Return 0, no evidence, for null."""
    return np.where(np.isnan(value), 0.0, value)
