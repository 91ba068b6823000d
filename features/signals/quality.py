"""Signals of quality: buyers' reviews, suppliers' audits and policy events."""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

from features.dataset.dataset import Dataset
from features.dataset.horizons import Horizons
from features.signals.signal import Keys, add_level_keys, count_one, indicator

MAX_LOW_STARS: Final = 2
"""Up to so many stars a review is a bad one."""


def reviews(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return buyers' reviews."""
    written = add_level_keys(dataset, dataset.knowable_rows("reviews"), keys)
    return written.select(
        *keys,
        "event_time",
        "available_at",
        reviews=count_one(),
        stars=written.rating,
        low_star_reviews=indicator(written.rating <= MAX_LOW_STARS),
        media_reviews=indicator(written.has_media),
    )


def audits(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return quality inspections of suppliers."""
    made = dataset.knowable_rows("supplier_audits")
    return made.select(
        *keys,
        "event_time",
        "available_at",
        "score",
        "lead_time_days",
        "inspected_units",
        audits=count_one(),
        # A source may count defects of units beyond those inspected: a share stays a share.
        defective_units=ibis.least(made.defective_units, made.inspected_units),
    )


def policy_events(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return violations and safety cases."""
    events = add_level_keys(dataset, dataset.knowable_rows("policy_events"), keys)
    return events.select(
        *keys,
        "event_time",
        "available_at",
        "severity",
        policy_events=count_one(),
        safety_events=indicator(events.kind == "safety"),
    )
