"""How far stock reaches: demand while there was something to sell, against what there is now."""

from __future__ import annotations

from typing import Final

import numpy as np

from features.declarations import FloatArray
from features.derived import cover

LEAST_IN_STOCK: Final = 0.1
"""Of a listing that was hardly ever in stock too little is known to scale its demand up further."""


def in_stock_share(sold_outs: FloatArray, observations: FloatArray) -> FloatArray:
    """Return the share of observations that found something on hand, null without any."""
    nothing = np.full_like(observations, np.nan)
    share = np.divide(sold_outs, observations, out=nothing, where=observations > 0)
    return np.asarray(1.0 - np.minimum(share, 1.0))


def in_stock_cover(  # noqa: PLR0913 - one array an input
    units: FloatArray,
    days_on_sale: FloatArray,
    sold_outs: FloatArray,
    observations: FloatArray,
    available: FloatArray,
    *,
    window: int,
) -> FloatArray:
    """Return the cover of `available` units at the demand of the days with something on hand.

    Orders stop when nothing is left, and so say less than what would have been ordered. Without
    any observation something was always on hand.
    """
    share = np.nan_to_num(in_stock_share(sold_outs, observations), nan=1.0)
    seen = cover(units, days_on_sale, available, window=window)
    return np.asarray(seen / np.maximum(share, LEAST_IN_STOCK))


def in_stock_cover_of_month(
    units: FloatArray,
    days_on_sale: FloatArray,
    sold_outs: FloatArray,
    observations: FloatArray,
    offered: FloatArray,
) -> FloatArray:
    """Return the cover of units offered at the demand of 28 days."""
    return in_stock_cover(units, days_on_sale, sold_outs, observations, offered, window=28)


def in_stock_cover_of_season(
    units: FloatArray,
    days_on_sale: FloatArray,
    sold_outs: FloatArray,
    observations: FloatArray,
    offered: FloatArray,
) -> FloatArray:
    """Return the cover of units offered at the demand of 84 days."""
    return in_stock_cover(units, days_on_sale, sold_outs, observations, offered, window=84)


def on_hand_cover_of_month(
    units: FloatArray,
    days_on_sale: FloatArray,
    sold_outs: FloatArray,
    observations: FloatArray,
    on_hand: FloatArray,
) -> FloatArray:
    """Return the cover of units on hand, at least one, at the demand of 28 days."""
    return in_stock_cover(
        units, days_on_sale, sold_outs, observations, np.maximum(on_hand, 1.0), window=28
    )


def on_hand_cover_of_season(
    units: FloatArray,
    days_on_sale: FloatArray,
    sold_outs: FloatArray,
    observations: FloatArray,
    on_hand: FloatArray,
) -> FloatArray:
    """Return the cover of units on hand, at least one, at the demand of 84 days."""
    return in_stock_cover(
        units, days_on_sale, sold_outs, observations, np.maximum(on_hand, 1.0), window=84
    )


IN_STOCK_COVERS: Final = {28: in_stock_cover_of_month, 84: in_stock_cover_of_season}
ON_HAND_COVERS: Final = {28: on_hand_cover_of_month, 84: on_hand_cover_of_season}
"""Window in days to the function of its cover."""


def days_until(inbound: FloatArray, lead_days: FloatArray, waited: FloatArray) -> FloatArray:
    """Return the days that are left of a lead time, null where nothing is on its way."""
    return np.where(inbound > 0, lead_days - waited, np.nan)
