"""How far stock reaches: demand while there was something to sell, against what there is now."""

from __future__ import annotations

from typing import Final

import numpy as np

from features.declarations import FloatArray
from features.derived import cover_of_season

LEAST_IN_STOCK: Final = 0.1
"""Of a listing that was hardly ever in stock too little is known to scale its demand up further."""


def in_stock_share(sold_outs: FloatArray, observations: FloatArray) -> FloatArray:
    """Return the share of observations that found something on hand, null without any."""
    nothing = np.full_like(observations, np.nan)
    share = np.divide(sold_outs, observations, out=nothing, where=observations > 0)
    return np.asarray(1.0 - np.minimum(share, 1.0))


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
    share = np.nan_to_num(in_stock_share(sold_outs, observations), nan=1.0)
    seen = cover_of_season(units, days_on_sale, np.maximum(available, 1.0))
    return np.asarray(seen / np.maximum(share, LEAST_IN_STOCK))


def days_until(inbound: FloatArray, lead_days: FloatArray, waited: FloatArray) -> FloatArray:
    """Return the days that are left of a lead time, null where nothing is on its way."""
    return np.where(inbound > 0, lead_days - waited, np.nan)
