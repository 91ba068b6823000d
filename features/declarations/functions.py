"""The functions of derived features.

Training and serving call the same functions. They use elementary arithmetic only: IEEE 754 fixes
the result of each row, independent of the length and layout of the array.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from features.runtime.arrays import FloatArray

DAYS_A_YEAR: Final = 365
PACE_DAYS: Final = 28
PRIOR_LINES: Final = 2.0
"""Order lines that the usual size of an order in the category counts for."""


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide; the result is null where the denominator is null or not positive."""
    return numerator / np.where(denominator > 0, denominator, np.nan)


def relative_price(price: FloatArray, revenue: FloatArray, units: FloatArray) -> FloatArray:
    """Divide a price by the mean price paid, `revenue / units`."""
    return ratio(price, ratio(revenue, units))


def share(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Divide a part by its whole, at most 1; a source may count more parts than wholes."""
    return np.minimum(ratio(part, whole), 1.0)


def pace(units: FloatArray, days_on_sale: FloatArray, window: FloatArray | float) -> FloatArray:
    """Return the units that `PACE_DAYS` would sell at the daily rate.

    The daily rate is `units` over `window` days, or over `days_on_sale` where fewer, and at least
    over one day. The result is null where `days_on_sale` is null.
    """
    days = np.maximum(np.minimum(days_on_sale, window), 1.0)
    return units / days * PACE_DAYS


def expect(trials: FloatArray, rate: FloatArray) -> FloatArray:
    """Return the successes that a rate lets expect."""
    return trials * rate


def order_size(
    units: FloatArray, lines: FloatArray, wide_units: FloatArray, wide_lines: FloatArray
) -> FloatArray:
    """Return the mean units of an order line, shrunk towards that of the wider level, at least 1.

    It is never null: without any known order an order is of one unit.
    """
    wide = ratio(wide_units, wide_lines)
    wide = np.where(np.isnan(wide), 1.0, wide)
    seen_units, seen_lines = (np.where(np.isnan(seen), 0.0, seen) for seen in (units, lines))
    return np.maximum((seen_units + PRIOR_LINES * wide) / (seen_lines + PRIOR_LINES), 1.0)


def depth(price: FloatArray, highest: FloatArray) -> FloatArray:
    """Return the discount from the highest price as a share of it, 0 where the price is higher."""
    return np.maximum(1.0 - ratio(price, highest), 0.0)


def margin(price: FloatArray, cost: FloatArray) -> FloatArray:
    """Return price minus cost as a share of the price."""
    return 1.0 - ratio(cost, price)


def gap(required: FloatArray, met: FloatArray) -> FloatArray:
    """Return the unmet share of a requirement, 0 where nothing is required."""
    return np.where(required == 0.0, 0.0, required * (1.0 - met))


def missing(required: FloatArray, held: FloatArray) -> FloatArray:
    """Return the number of required items that aren't held."""
    return required - held


def mean_of_parts(total: FloatArray, count: FloatArray, parts: FloatArray) -> FloatArray:
    """Return the mean in whole units of a total that was summed in parts, `parts` to a unit."""
    return ratio(total, count) / parts


def coming_season(year: FloatArray, later: FloatArray, days_known: FloatArray) -> FloatArray:
    """Return the share of a year's sum before its later part, null in the first year of data."""
    known = np.where(days_known >= DAYS_A_YEAR, 1.0, np.nan)
    return ratio(year - later, year) * known
