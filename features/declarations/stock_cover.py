"""How far stock reaches: demand while there was something to sell, against what there is now."""

from __future__ import annotations

from typing import Final

import numpy as np

from features.declarations.functions import cover, share
from features.runtime.arrays import FloatArray

DEMAND_DAYS: Final = 84
"""A window long enough that a few days sold out don't hide what is wanted."""
MIN_IN_STOCK_SHARE: Final = 0.1
"""Of a listing that was hardly ever in stock too little is known to scale its demand up further."""


def in_stock_share(sold_outs: FloatArray, observations: FloatArray) -> FloatArray:
    """Return the share of observations that found something on hand, null without any."""
    return 1.0 - share(sold_outs, observations)


def in_stock_cover(
    units: FloatArray,
    days_on_sale: FloatArray,
    sold_outs: FloatArray,
    observations: FloatArray,
    available: FloatArray,
) -> FloatArray:
    """Return the cover of `available` units at the demand of 84 days, but those without stock.

    Orders stop when nothing is left, and so say less than what would have been ordered. Without
    any observation something was always on hand; of no available unit it is that of one.
    """
    seen = in_stock_share(sold_outs, observations)
    in_stock = np.where(np.isnan(seen), 1.0, seen)
    reached = cover(units, days_on_sale, np.maximum(available, 1.0), DEMAND_DAYS)
    return reached / np.maximum(in_stock, MIN_IN_STOCK_SHARE)


def days_until(inbound: FloatArray, lead_days: FloatArray, waited: FloatArray) -> FloatArray:
    """Return the days that are left of a lead time, null where nothing is on its way."""
    return np.where(inbound > 0, lead_days - waited, np.nan)
