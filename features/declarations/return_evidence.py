"""What the expected return rate is computed from: its inputs and learned numbers, by name.

A design matrix calls a feature's function with one array for each of `INPUTS` and `PARAMETERS`, in
this order; `name_inputs` and `name_parameters` give them their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

import numpy as np

from features.declarations.levels import Level, name_feature
from features.declarations.shrinkage import CHAIN, COUNTS, RETURN_RATE
from features.runtime.arrays import FloatArray

ATTRIBUTES: Final = ("size_chart", "plug_voltage", "language")
"""Attributes whose gaps may make buyers return units."""
WIDE_LEVELS: Final = (Level.MARKET, Level.CATEGORY_MARKET)
"""Levels with a rate; narrower levels have a risk relative to the expected returns."""
NARROW_LEVELS: Final = tuple(level for level in CHAIN if level not in WIDE_LEVELS)
OPEN_DAYS: Final = (7, 14)
AGES: Final = ("old", "middle", "young")
"""Ages of open units since delivery; the known share of their returns differs by age."""

OPEN_UNITS: Final = "units_open"
OPEN_RETURNED: Final = "units_open_returned"
OPEN_MEASURES: Final = (
    (OPEN_RETURNED, RETURN_RATE.days),
    (OPEN_UNITS, RETURN_RATE.days),
    *((OPEN_UNITS, days) for days in reversed(OPEN_DAYS)),
)
"""Measures of open units at each narrow level, with their windows in days."""

OPEN_INPUTS: Final = tuple(
    name_feature(name, level, days) for name, days in OPEN_MEASURES for level in NARROW_LEVELS
)
GAP_INPUTS: Final = tuple(
    name
    for attribute in ATTRIBUTES
    for name in (f"is_{attribute}_required_category_market", f"{attribute}_met_share")
)
QUALITY_INPUTS: Final = (
    "audit_result_supplier",
    "defective_units_supplier_365d",
    "inspected_units_supplier_365d",
    "low_star_reviews_supplier_180d",
    "reviews_supplier_180d",
    "low_star_reviews_product_180d",
    "reviews_product_180d",
)
INPUTS: Final = (*RETURN_RATE.inputs, *OPEN_INPUTS, *GAP_INPUTS, *QUALITY_INPUTS)
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


class QualityInputs(NamedTuple):
    """`QUALITY_INPUTS` by name."""

    audit_result: FloatArray
    defective_units: FloatArray
    inspected_units: FloatArray
    low_stars_supplier: FloatArray
    reviews_supplier: FloatArray
    low_stars_product: FloatArray
    reviews_product: FloatArray


class ReturnInputs(NamedTuple):
    """`INPUTS` by name.

    Counts of units have an axis of levels before the given ones, and 0 for null: no evidence. Gaps
    have an axis of attributes (`ATTRIBUTES`).
    """

    returned: FloatArray
    """Returns of mature units, by level of `CHAIN`."""
    mature: FloatArray
    """Units whose return window is over, by level of `CHAIN`."""
    open_returned: FloatArray
    """Returns of units whose return window isn't over, by level of `NARROW_LEVELS`."""
    open_units: tuple[FloatArray, FloatArray, FloatArray]
    """Units whose return window isn't over, for each of `AGES`, by level of `NARROW_LEVELS`."""
    required: FloatArray
    met: FloatArray
    quality: QualityInputs


class QualityParameters(NamedTuple):
    """What training learned about audits and reviews."""

    audit_mean: FloatArray
    audit_effect: FloatArray
    defect_mean: FloatArray
    defect_effect: FloatArray
    low_star_mean: FloatArray
    low_star_effect: FloatArray
    low_star_strength_supplier: FloatArray
    low_star_strength_product: FloatArray


class ReturnParameters(NamedTuple):
    """`PARAMETERS` by name; those of gaps have an axis of attributes before the given ones."""

    mean: FloatArray
    strength: Mapping[Level, FloatArray]
    known_shares: Sequence[FloatArray]
    """Share of the returns of open units that is known already, for each of `AGES`."""
    usual_gap: FloatArray
    gap_effect: FloatArray
    quality: QualityParameters


def name_inputs(values: Sequence[FloatArray]) -> ReturnInputs:
    """Name the columns of `INPUTS`."""
    left = iter(values)
    counts = fill_null(np.array([*islice(left, COUNTS + len(OPEN_INPUTS))]))
    closed, opened = counts[:COUNTS], counts[COUNTS:]
    open_returned, older, middle, young = opened.reshape(
        len(OPEN_MEASURES), len(NARROW_LEVELS), *opened.shape[1:]
    )
    gaps = [*islice(left, len(GAP_INPUTS))]
    return ReturnInputs(
        returned=closed[::2],
        mature=closed[1::2],
        open_returned=open_returned,
        open_units=(older - middle, middle - young, young),
        required=np.array(gaps[::2]),
        met=np.array(gaps[1::2]),
        quality=QualityInputs(*left),
    )


def name_parameters(values: Sequence[FloatArray]) -> ReturnParameters:
    """Name the numbers of `PARAMETERS`."""
    left = iter(values)
    mean, *strengths = islice(left, 1 + len(CHAIN))
    known_shares = [*islice(left, len(AGES))]
    gaps = [*islice(left, 2 * len(ATTRIBUTES))]
    return ReturnParameters(
        mean=mean,
        strength=dict(zip(CHAIN, strengths, strict=True)),
        known_shares=known_shares,
        usual_gap=np.array(gaps[::2]),
        gap_effect=np.array(gaps[1::2]),
        quality=QualityParameters(*left),
    )


def fill_null(values: FloatArray) -> FloatArray:
    """Return 0, no evidence, for null."""
    return np.where(np.isnan(values), 0.0, values)
