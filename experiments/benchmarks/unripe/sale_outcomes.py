"""Count sales and their outcomes plainly, without the features' signals.

Every table here has the columns listing_id, sold_day, known_day, over_day, trials and successes.
A trial becomes known with its sale, a success when both of its events are known. From `over_day`
on a trial can't become a success any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import ibis
import ibis.expr.types as ir

from features.dataset.dataset import Dataset
from features.dataset.days import day_number
from features.dataset.horizons import Horizons
from features.declarations.shrinkage import REPURCHASE_RATE, RETURN_RATE, Rate

MAX_TRANSIT_DAYS: Final = 60
"""Days after which a parcel without a delivery counts as lost and can't come back."""


def count_returned_units(dataset: Dataset, horizons: Horizons) -> ir.Table:
    """Return the units ordered, and the units that came back within their return window."""
    lines = _add_window_end(dataset, horizons)
    returned = dataset.knowable_rows("returns").select(
        "order_line_id", back_at="event_time", back_known_at="available_at", back="units"
    )
    back = lines.inner_join(returned, "order_line_id").filter(ibis._.back_at <= ibis._.over_at)
    sold = _count_outcomes(lines, known_at=lines.available_at, trials=lines.units, successes=0)
    return sold.union(
        _count_outcomes(
            back,
            known_at=ibis.greatest(back.available_at, back.back_known_at),
            trials=0,
            successes=back.back,
        )
    )


def count_returning_buyers(dataset: Dataset, horizons: Horizons) -> ir.Table:
    """Return the first-time buyers of listings, and those who bought again within the window."""
    lines = dataset.knowable_rows("orders").filter(ibis._.buyer_key.notnull())
    buyer = ["listing_id", "buyer_key"]
    by_time = ibis.window(group_by=buyer, order_by=["event_time", "order_line_id"])
    first = lines.mutate(position=ibis.row_number().over(by_time)).filter(ibis._.position == 0)
    window = ibis.interval(days=horizons.repurchase_window_days)
    first = first.mutate(over_at=first.event_time + window)
    again = lines.select(
        *buyer, again_id="order_id", again_at="event_time", again_known_at="available_at"
    )
    again = first.inner_join(again, buyer)
    again = again.filter(
        again.again_id != again.order_id,
        again.again_at > again.event_time,
        again.again_at <= again.over_at,
    )
    by_buyer = again.group_by("listing_id", "buyer_key", "event_time", "available_at", "over_at")
    back = by_buyer.aggregate(again_known_at=again.again_known_at.min())
    bought = _count_outcomes(first, known_at=first.available_at, trials=1, successes=0)
    return bought.union(
        _count_outcomes(
            back,
            known_at=ibis.greatest(back.available_at, back.again_known_at),
            trials=0,
            successes=1,
        )
    )


SALE_OUTCOMES: Final[dict[Rate, Callable[[Dataset, Horizons], ir.Table]]] = {
    RETURN_RATE: count_returned_units,
    REPURCHASE_RATE: count_returning_buyers,
}


def _add_window_end(dataset: Dataset, horizons: Horizons) -> ir.Table:
    lines = dataset.knowable_rows("orders")
    window = ibis.interval(days=horizons.return_window_days)
    if not dataset.has("deliveries"):
        assumed = ibis.interval(days=horizons.assumed_delivery_days)
        return lines.mutate(over_at=lines.event_time + assumed + window)
    arrived = dataset.knowable_rows("deliveries").select("order_line_id", delivered_at="event_time")
    lines = lines.left_join(arrived, "order_line_id")
    lost_at = lines.event_time + ibis.interval(days=MAX_TRANSIT_DAYS)
    return lines.mutate(over_at=lines.delivered_at.coalesce(lost_at) + window)


def _count_outcomes(
    sales: ir.Table,
    *,
    known_at: ir.TimestampValue,
    trials: ir.IntegerValue | int,
    successes: ir.IntegerValue | int,
) -> ir.Table:
    counts = {"trials": trials, "successes": successes}
    return sales.select(
        "listing_id",
        sold_day=day_number(sales.event_time),
        known_day=day_number(known_at),
        over_day=day_number(sales.over_at),
        **{
            name: ibis.literal(value) if isinstance(value, int) else value
            for name, value in counts.items()
        },
    ).cast(dict.fromkeys(counts, "int64"))
