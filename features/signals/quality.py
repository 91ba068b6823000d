"""Signals of quality: buyers' reviews and suppliers' audits."""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

from features.dataset.dataset import Dataset
from features.dataset.horizons import Horizons
from features.signals.signal import Keys, add_level_keys, count_one, indicator

MAX_LOW_STARS: Final = 2
"""A review with at most this number of stars is bad."""


def reviews(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return buyers' reviews."""
    rows = add_level_keys(dataset, dataset.knowable_rows("reviews"), keys)
    return rows.select(
        *keys,
        "event_time",
        "available_at",
        reviews=count_one(),
        low_star_reviews=indicator(rows.rating <= MAX_LOW_STARS),
    )


def audits(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return quality audits of suppliers."""
    rows = dataset.knowable_rows("supplier_audits")
    return rows.select(
        *keys,
        "event_time",
        "available_at",
        "score",
        "lead_time_days",
        "inspected_units",
        # A source may count defects of units beyond those inspected; the share must not exceed 1.
        defective_units=ibis.least(rows.defective_units, rows.inspected_units),
    )
