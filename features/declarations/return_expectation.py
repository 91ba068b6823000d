"""The return rate that all evidence leads to expect, learned as one short formula.

A listing's own returns say little until we know what its gaps led to expect, and shrinkage needs a
better start than the mean. So the category's rate in the market is multiplied by a factor for the
listing's gaps. A relative risk (returns against expectation) is then shrunk from audits and stars
through supplier and product to the listing: the gamma-Poisson model of standardised ratios (Clayton
and Kaldor 1987, "Empirical Bayes estimates of age-standardized relative risks").

Units whose return window isn't over count too, each as the share of returns usually known by its
age: a listing sells for weeks before the first return window ends, and most returns come early
(the reporting delays of Kalbfleisch and Lawless 1991, "Regression models for right truncated data
with applications to AIDS incubation times and reporting lags").

Elementary arithmetic only, as in features/declarations/functions.py. Inputs that are treated alike
are stacked: in a request, a numpy call costs more than its rows.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from features.declarations.functions import gap, ratio
from features.declarations.levels import Level
from features.declarations.return_evidence import (
    INPUTS,
    NARROW_LEVELS,
    WIDE_LEVELS,
    QualityInputs,
    QualityParameters,
    ReturnInputs,
    ReturnParameters,
    fill_null,
    name_inputs,
    name_parameters,
)
from features.declarations.shrinkage import CHAIN, RateCounts, shrink
from features.runtime.arrays import FloatArray

NAME: Final = "expected_return_rate_180d"
MIN_RISK: Final = 0.1
"""Audits and stars alone can't promise less than a tenth of the usual returns."""


def expected_return_rate(*values: FloatArray) -> FloatArray:
    """Return the rate from a column for each of `INPUTS`, then one for each of `PARAMETERS`.

    All have the same number of dimensions and broadcast together. The rate is never null: unknown
    gaps, audits and reviews count as average, and null counts as no evidence.
    """
    inputs, learned = values[: len(INPUTS)], values[len(INPUTS) :]
    return expected_rate(name_inputs(inputs), name_parameters(learned))


def expected_rate(inputs: ReturnInputs, learned: ReturnParameters) -> FloatArray:
    """Return the rate from named inputs and parameters, as `expected_return_rate` does."""
    returned, mature = _add_open_units(inputs, learned)
    usual = learned.mean
    for level in WIDE_LEVELS:
        usual = shrink(returned[level], mature[level], usual, learned.strength[level])
    own = usual * _gap_factor(inputs, learned)
    risk = _quality_risk(inputs.quality, learned.quality)
    for level in NARROW_LEVELS:
        expected = mature[level] * (own if level is Level.LISTING else usual)
        risk = shrink(returned[level], expected, risk, learned.strength[level])
    return np.minimum(own * risk, 1.0)


def _add_open_units(inputs: ReturnInputs, learned: ReturnParameters) -> RateCounts:
    """Return returned and mature units by level; narrow levels also count the open ones."""
    wide = len(WIDE_LEVELS)
    returned = inputs.returned[wide:] + inputs.open_returned
    mature = inputs.mature[wide:]
    for units, share in zip(inputs.open_units, learned.known_shares, strict=True):
        mature = mature + share * units
    return RateCounts(
        dict(zip(CHAIN, (*inputs.returned[:wide], *returned), strict=True)),
        dict(zip(CHAIN, (*inputs.mature[:wide], *mature), strict=True)),
    )


def _gap_factor(inputs: ReturnInputs, learned: ReturnParameters) -> FloatArray:
    """Return the factor of each row's gaps against those usual where the attribute is required."""
    missing = gap(inputs.required, inputs.met)
    worth = (1.0 + learned.gap_effect * missing) / (1.0 + learned.usual_gap * (inputs.required > 0))
    factor: FloatArray = np.ones_like(inputs.required[0])
    for attribute_worth in np.where(np.isnan(missing), 1.0, worth):
        factor = factor * attribute_worth
    return factor


def _quality_risk(inputs: QualityInputs, learned: QualityParameters) -> FloatArray:
    """Return the risk relative to the usual one that audits and stars lead to expect."""
    defect_rate = ratio(inputs.defective_units, inputs.inspected_units)
    audit_worse, more_defects = fill_null(
        np.array((learned.audit_mean - inputs.audit_result, defect_rate - learned.defect_mean))
    )
    low_supplier, all_supplier, low_product, all_product = fill_null(
        np.array(
            (
                inputs.low_stars_supplier,
                inputs.reviews_supplier,
                inputs.low_stars_product,
                inputs.reviews_product,
            )
        )
    )
    low = shrink(
        low_supplier, all_supplier, learned.low_star_mean, learned.low_star_strength_supplier
    )
    low = shrink(low_product, all_product, low, learned.low_star_strength_product)
    risk: FloatArray = 1.0 + learned.low_star_effect * (low - learned.low_star_mean)
    risk = risk + learned.audit_effect * audit_worse
    risk = risk + learned.defect_effect * more_defects
    return np.maximum(risk, MIN_RISK)
