"""Demand while a listing was in stock, and the stock of now."""

from __future__ import annotations

from typing import Final

import numpy as np

from features.declarations.functions import pace, share
from features.runtime.arrays import FloatArray

DEMAND_DAYS: Final = 84
"""The window is long, so that a few sold-out days don't hide the demand."""
MIN_IN_STOCK_SHARE: Final = 0.1
"""Demand is scaled up as if a listing was in stock at least this share of the time."""


def in_stock_share(sold_outs: FloatArray, observations: FloatArray) -> FloatArray:
    """Return the share of stock observations above zero, null without observations."""
    return 1.0 - share(sold_outs, observations)


def in_stock_pace(
    units: FloatArray, days_on_sale: FloatArray, sold_outs: FloatArray, observations: FloatArray
) -> FloatArray:
    """Return the pace of the in-stock part of `DEMAND_DAYS`.

    Orders stop when a listing sells out, so they understate the demand. A listing without stock
    observations counts as always in stock.
    """
    observed_share = in_stock_share(sold_outs, observations)
    in_stock = np.where(np.isnan(observed_share), 1.0, observed_share)
    return pace(units, days_on_sale, DEMAND_DAYS) / np.maximum(in_stock, MIN_IN_STOCK_SHARE)


def on_hand_cover(in_stock_demand: FloatArray, on_hand: FloatArray) -> FloatArray:
    """Return the demand per unit on hand; no unit on hand counts as one."""
    return in_stock_demand / np.maximum(on_hand, 1.0)


def days_until(inbound: FloatArray, lead_days: FloatArray, waited: FloatArray) -> FloatArray:
    """Return the remaining days of a lead time, null where nothing is inbound."""
    return np.where(inbound > 0, lead_days - waited, np.nan)
