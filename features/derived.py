"""The functions of derived features, and the design matrix they complete.

Everything here is used unchanged by training and by requests. Elementary arithmetic only: IEEE
754 fixes its result for each row, whatever the length or layout of the array.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from features.declarations import Derived, FloatArray

if TYPE_CHECKING:
    from features.catalogue import Catalogue


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide, with null where there is nothing to divide by."""
    nothing = np.full_like(numerator, np.nan)
    return np.divide(numerator, denominator, out=nothing, where=denominator > 0)


def relative_price(price: FloatArray, revenue: FloatArray, units: FloatArray) -> FloatArray:
    """Divide a price by the mean price paid, `revenue / units`."""
    return ratio(price, ratio(revenue, units))


def trend(recent: FloatArray, longer: FloatArray) -> FloatArray:
    """Return the share of the longer window's sum that fell into the recent one, 0 to 1."""
    return ratio(recent, longer)


def design_matrix(
    catalogue: Catalogue,
    columns: Mapping[str, FloatArray],
    parameters: Mapping[str, float],
) -> FloatArray:
    """Return the matrix that models see: shape (rows, inputs), C order, null as NaN.

    `columns` holds each base feature and request field as an array of shape (rows,), in the unit
    of its declaration; `parameters` holds what the bundle learned for pooling.

    Raises:
        KeyError: a column or a parameter is missing, which is a fault of the caller.
    """
    known = dict(columns)
    for feature in catalogue.derived:
        known[feature.name] = _derive(feature, known, parameters)
    return np.column_stack([known[name] for name in catalogue.model_inputs])


def _derive(
    feature: Derived, known: Mapping[str, FloatArray], parameters: Mapping[str, float]
) -> FloatArray:
    inputs = [known[name] for name in feature.inputs]
    return feature.function(*inputs, *(parameters[name] for name in feature.parameters))
