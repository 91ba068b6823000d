"""The functions of derived features.

Everything here is used unchanged by training and by requests. Elementary arithmetic only: IEEE
754 fixes its result for each row, whatever the length or layout of the array.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from features.runtime.arrays import FloatArray

DAYS_A_YEAR: Final = 365
COVERED_DAYS: Final = 28


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide, with null where there is nothing to divide by."""
    return numerator / np.where(denominator > 0, denominator, np.nan)


def relative_price(price: FloatArray, revenue: FloatArray, units: FloatArray) -> FloatArray:
    """Divide a price by the mean price paid, `revenue / units`."""
    return ratio(price, ratio(revenue, units))


def share(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Divide a part by its whole, at most 1: sources may count more parts than wholes."""
    return np.minimum(ratio(part, whole), 1.0)


def cover(
    units: FloatArray, days_on_sale: FloatArray, offered: FloatArray, window: FloatArray | float
) -> FloatArray:
    """Return what `COVERED_DAYS` at a window's daily rate would sell, per unit offered.

    The rate is over the window, in days, or, where that is shorter, over the days on sale so far,
    at least one; null where nothing is known of them.
    """
    days = np.maximum(np.minimum(days_on_sale, window), 1.0)
    return ratio(units / days * COVERED_DAYS, offered)


def depth(price: FloatArray, highest: FloatArray) -> FloatArray:
    """Return how far a price lies below the highest, 0 where it lies above it."""
    return np.maximum(1.0 - ratio(price, highest), 0.0)


def margin(price: FloatArray, cost: FloatArray) -> FloatArray:
    """Return what is left of a price after a cost, as a share of the price."""
    return 1.0 - ratio(cost, price)


def gap(required: FloatArray, met: FloatArray) -> FloatArray:
    """Return how far something required isn't met, 0 where it isn't required."""
    return np.where(required == 0.0, 0.0, required * (1.0 - met))


def missing(required: FloatArray, held: FloatArray) -> FloatArray:
    """Return how many of the required are not held."""
    return required - held


def mean_of_parts(total: FloatArray, count: FloatArray, parts: FloatArray) -> FloatArray:
    """Return the mean of what was summed in parts of a unit, so many to one."""
    return ratio(total, count) / parts


def coming_season(year: FloatArray, later: FloatArray, days_known: FloatArray) -> FloatArray:
    """Return the share of a year's sum that fell before its later part, null in the first year."""
    known = np.where(days_known >= DAYS_A_YEAR, 1.0, np.nan)
    return ratio(year - later, year) * known
