"""Impute the stock of data without a stock table by an order-up-to rule.

A retailer who reviews stock once a week and orders up to a level is the textbook periodic-review
base-stock policy (Silver, Pyke and Thomas, "Inventory and Production Management in Supply
Chains"). Here the retailer orders up to `cover_days` of the trailing demand known at the moment,
times a safety factor. A listing without orders in the trailing days has no units on sale. The
table is marked as imputed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import ibis

from features.dataset.dataset import Dataset
from features.dataset.days import SECONDS_PER_DAY
from features.dataset.horizons import Horizons
from features.declarations.kinds import FeatureFamily, SignalName, Windowed
from features.declarations.levels import Level
from features.point_in_time.interpreter import level_values
from features.point_in_time.signal_rows import build_lazy_rows
from features.point_in_time.spine import listing_days
from features.point_in_time.visibility import AS_OF


@dataclass(frozen=True)
class OrderUpTo:
    """The rule: order up to `ceil(safety * cover_days / trailing_days * units)`."""

    trailing_days: int = 56
    cover_days: int = 28
    safety: float = 1.5
    min_units: int = 12
    """The smallest lot worth a shipment."""

    def __str__(self) -> str:
        """Return the rule as text for cards and summaries."""
        return (
            f"units offered = {self.safety:g} x {self.cover_days} days of the demand of the last "
            f"{self.trailing_days} days, at least {self.min_units}"
        )


RULE: Final = OrderUpTo()


def ensure_stock(dataset: Dataset, horizons: Horizons, rule: OrderUpTo = RULE) -> Dataset:
    """Return the data set with a stock table: its own, or one imputed by the rule.

    Imputed observations happen at the moments of the spine and are known at once.
    """
    if dataset.has("stock"):
        return dataset
    demand = Windowed(
        name="trailing_units",
        description=f"Units ordered in the last {rule.trailing_days} days.",
        unit="units",
        family=FeatureFamily.DEMAND,
        level=Level.LISTING,
        signal=SignalName.ORDERS,
        measure="units",
        days=rule.trailing_days,
    )
    moments = listing_days(dataset, horizons)
    known = level_values(build_lazy_rows(dataset, horizons), (demand,), moments)
    needed = (known.trailing_units * (rule.safety * rule.cover_days / rule.trailing_days)).ceil()
    target_units = ibis.greatest(needed.cast("int64"), rule.min_units)
    moment = (known[AS_OF] * SECONDS_PER_DAY).as_timestamp("s")
    stock = known.select(
        "listing_id",
        on_hand_units=ibis.ifelse(known.trailing_units > 0, target_units, 0).cast("int64"),
        inbound_units=ibis.literal(0, "int64"),
        event_time=moment.cast("timestamp"),
        available_at=moment.cast("timestamp"),
    )
    return dataset.with_imputed_table("stock", dataset.persist(stock))
