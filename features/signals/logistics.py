"""Signals of logistics: delivered parcels, their delivery times and delays."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.dataset.dataset import Dataset
from features.dataset.horizons import Horizons
from features.signals.orders import MICROSECONDS_PER_DAY, count_microseconds, count_started_days
from features.signals.signal import Keys, add_level_keys, count_one, indicator


def parcels(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return order lines at the time of their delivery.

    `delivery_days` are whole days from order to delivery; a started day counts as one.
    `promised_parcels` counts the lines with a promised time.
    """
    lines = dataset.knowable_rows("orders").select(
        "order_line_id",
        "listing_id",
        "promised_days",
        ordered_at="event_time",
        line_known_at="available_at",
    )
    delivered = dataset.knowable_rows("deliveries").select(
        "order_line_id", "event_time", delivery_known_at="available_at"
    )
    joined = add_level_keys(dataset, delivered.inner_join(lines, "order_line_id"), keys)
    promised = (joined.promised_days * MICROSECONDS_PER_DAY).round().cast("int64")
    delivery_time = count_microseconds(joined.ordered_at, joined.event_time)
    return joined.select(
        *keys,
        "event_time",
        available_at=ibis.greatest(joined.line_known_at, joined.delivery_known_at),
        parcels=count_one(),
        delivery_days=count_started_days(joined.ordered_at, joined.event_time),
        promised_parcels=indicator(joined.promised_days.notnull()),
        late_parcels=indicator(delivery_time > promised),
    )
