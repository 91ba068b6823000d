"""Labels: what happened after `as_of`. No other file looks ahead.

A label is computed from events with `as_of < event_time <= as_of + horizon`. It can be used once it
is mature: once the last event that can change it lies before the data's cut-off. For return risk
this is the end of the last return window of the horizon's order lines; a row with an undelivered
line isn't mature.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.dataset.dataset import Dataset
from features.dataset.days import day_number
from features.dataset.horizons import Horizons
from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.visibility import AS_OF
from features.signals.cancellations import cancellations
from features.signals.orders import order_lines_with_end, returns_within_window


def labels_looking_ahead(signals: SignalRows, spine: ir.Table) -> ir.Table:
    """Return both labels for each row of `spine`.

    Adds to (listing_id, as_of_day): `units_ordered_label` (float64, units ordered in the
    horizon), `sell_through` (share of the units offered, at most 1; null while immature),
    `return_risk` (share of the units ordered that were returned in time; null while immature,
    without an order, or where the data have no returns) and `{target}_is_mature`.
    """
    horizons, cut_off = signals.horizons, signals.dataset.cut_off_day()
    ahead = signals.store(_sum_ahead(spine, signals.dataset, horizons))
    rows = spine.select("listing_id", AS_OF, "units_offered").left_join(
        ahead, ["listing_id", AS_OF]
    )
    ordered = rows.ahead_units.coalesce(0).cast("float64")
    rows = rows.select(
        "listing_id",
        AS_OF,
        "units_offered",
        "ahead_returned",
        units_ordered_label=ordered,
        sell_through_is_mature=rows[AS_OF] + horizons.sell_through_maturity_days <= cut_off,
        return_risk_is_mature=(rows[AS_OF] + horizons.return_risk_maturity_days <= cut_off)
        & (rows.ahead_open.coalesce(0) == 0)
        & (rows.ahead_over_day.coalesce(0) + horizons.reporting_lag_days <= cut_off),
    )
    sold_share = ibis.least(rows.units_ordered_label / rows.units_offered, 1.0)
    returned_share = rows.ahead_returned / rows.units_ordered_label
    has_return_risk = rows.return_risk_is_mature & (rows.units_ordered_label > 0)
    return rows.select(
        "listing_id",
        AS_OF,
        "units_ordered_label",
        "sell_through_is_mature",
        "return_risk_is_mature",
        sell_through=ibis.ifelse(rows.sell_through_is_mature, sold_share, None),
        return_risk=ibis.ifelse(has_return_risk, returned_share, None),
    )


def _sum_ahead(spine: ir.Table, dataset: Dataset, horizons: Horizons) -> ir.Table:
    """Sum the units ordered in the horizon of each row, and how many of them were returned."""
    lines = _join_returns(dataset, horizons).rename(line_listing_id="listing_id")
    pairs = spine.select("listing_id", AS_OF).inner_join(
        lines,
        [
            ibis._.listing_id == lines.line_listing_id,
            lines.event_day > ibis._[AS_OF],
            lines.event_day <= ibis._[AS_OF] + horizons.horizon_days,
        ],
    )
    return pairs.group_by("listing_id", AS_OF).agg(
        ahead_units=pairs.units.sum().cast("int64"),
        ahead_returned=pairs.returned_units.sum().cast("int64"),
        ahead_open=pairs.over_day.isnull().sum(),
        ahead_over_day=pairs.over_day.max(),
    )


def _join_returns(dataset: Dataset, horizons: Horizons) -> ir.Table:
    """Return order lines without cancelled units, the end of their return window, and returns.

    A line of which nothing is left is no order.
    """
    orders = dataset.knowable_rows("orders")
    lines = orders.select(
        "order_line_id", "listing_id", "units", event_day=day_number(orders.event_time)
    )
    ends = order_lines_with_end(dataset, horizons)
    over = ends.select("order_line_id", over_day=day_number(ends.over_at))
    lines = lines.left_join(over, "order_line_id").drop("order_line_id_right")
    if not dataset.has("returns"):
        return lines.mutate(returned_units=ibis.null("int64"))
    returned = returns_within_window(dataset, horizons, ends).group_by("order_line_id")
    back = returned.agg(returned_units=ibis._.returned_units.sum().cast("int64"))
    undone = cancellations(dataset, horizons).group_by("order_line_id")
    cancelled = undone.agg(cancelled_units=ibis._.units.sum().cast("int64"))
    joined = lines.left_join(back, "order_line_id").drop("order_line_id_right")
    joined = joined.left_join(cancelled, "order_line_id")
    left = joined.units - joined.cancelled_units.coalesce(0)
    rows = joined.mutate(units=left, returned_units=joined.returned_units.coalesce(0))
    return rows.filter(rows.units > 0).select(*lines.columns, "returned_units")
