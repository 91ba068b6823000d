"""Tell cancelled units from returned ones: units taken back at once were never sold.

Units whose return is known within `cancellation_days` of their order were taken back before they
could reach the buyer: a mistyped number, a second click, a refused payment. They are neither sold
nor returned. Until the cancellation is known, the order counts in full.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.dataset.dataset import Dataset
from features.dataset.horizons import Horizons
from features.signals.signal import count_zero, indicator


def join_returns(dataset: Dataset, horizons: Horizons, lines: ir.Table) -> ir.Table:
    """Join to order lines their returns, one row a return.

    Adds `returned_at`, `return_known_at`, and the units as `cancelled_units` or as
    `returned_units`; the other of the two is 0.
    """
    returned = dataset.knowable_rows("returns").select(
        "order_line_id",
        returned_at="event_time",
        return_known_at="available_at",
        units_back="units",
    )
    rows = lines.inner_join(returned, "order_line_id")
    last_moment = rows.event_time + ibis.interval(days=horizons.cancellation_days)
    is_cancelled = indicator(rows.return_known_at <= last_moment)
    if not horizons.cancellation_days:
        is_cancelled = count_zero()
    return rows.mutate(
        cancelled_units=is_cancelled * rows.units_back,
        returned_units=(1 - is_cancelled) * rows.units_back,
    ).drop("units_back")


def cancellations(dataset: Dataset, horizons: Horizons) -> ir.Table:
    """Return the cancelled units of order lines, one row for each moment at which some are known.

    `event_time` is the time of the order.
    """
    lines = dataset.knowable_rows("orders").select(
        "order_line_id", "listing_id", "event_time", line_known_at="available_at"
    )
    rows = join_returns(dataset, horizons, lines).filter(ibis._.cancelled_units > 0)
    known_at = ibis.greatest(rows.line_known_at, rows.return_known_at)
    by_moment = rows.group_by("order_line_id", "listing_id", "event_time", available_at=known_at)
    return by_moment.agg(units=rows.cancelled_units.sum().cast("int64"))


def believed_lines(dataset: Dataset, horizons: Horizons) -> ir.Table:
    """Return order lines as they were believed at any time, a version for each state of knowledge.

    A version is known from `available_at` until `ends_at`, null for the last one, and has the units
    that weren't known to be cancelled. Data without returns have no cancellations and no `ends_at`.
    """
    lines = dataset.knowable_rows("orders")
    if not dataset.has("returns"):
        return lines
    cancelled = cancellations(dataset, horizons).select(
        "order_line_id", cancelled_units="units", known_at="available_at"
    )
    affected = lines.semi_join(cancelled, "order_line_id")
    versions = affected.inner_join(_add_up(affected, cancelled), "order_line_id")
    versions = versions.mutate(
        units=versions.units - versions.cancelled_so_far, available_at=versions.known_at
    ).filter(ibis._.units > 0)
    untouched = lines.anti_join(cancelled, "order_line_id")
    untouched = untouched.mutate(ends_at=ibis.null(versions.ends_at.type()))
    return untouched.union(versions.select(*untouched.columns))


def _add_up(lines: ir.Table, cancelled: ir.Table) -> ir.Table:
    """Return for each moment of knowledge of a line the units cancelled so far, and its end."""
    start = lines.select("order_line_id", cancelled_units=count_zero(), known_at="available_at")
    moments = start.union(cancelled).group_by("order_line_id", "known_at")
    sums = moments.agg(cancelled_units=ibis._.cancelled_units.sum().cast("int64"))
    line = {"group_by": "order_line_id", "order_by": "known_at"}
    so_far = sums.cancelled_units.sum().over(rows=(None, 0), **line)
    return sums.select(
        "order_line_id",
        "known_at",
        cancelled_so_far=so_far.cast("int64"),
        ends_at=sums.known_at.lead().over(**line),
    )
