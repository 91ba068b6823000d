"""Signals of quality: buyers' reviews, suppliers' audits and policy events."""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

from features.dataset.dataset import Dataset
from features.dataset.horizons import Horizons
from features.signals.signal import Keys, counted, keyed, one

MOST_LOW_STARS: Final = 2
"""Up to so many stars a review is a bad one."""


def reviews(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return buyers' reviews."""
    written = keyed(dataset, dataset.knowable("reviews"), keys)
    return written.select(
        *keys,
        "event_time",
        "available_at",
        reviews=one(),
        stars=written.rating,
        low_star_reviews=counted(written.rating <= MOST_LOW_STARS),
        media_reviews=counted(written.has_media),
    )


def audits(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return quality inspections of suppliers."""
    made = dataset.knowable("supplier_audits")
    return made.select(
        *keys,
        "event_time",
        "available_at",
        "score",
        "lead_time_days",
        "inspected_units",
        audits=one(),
        # A source may count defects of units beyond those inspected: a share stays a share.
        defective_units=ibis.least(made.defective_units, made.inspected_units),
    )


def policy_events(dataset: Dataset, _: Horizons, keys: Keys) -> ir.Table:
    """Return violations and safety cases."""
    events = keyed(dataset, dataset.knowable("policy_events"), keys)
    return events.select(
        *keys,
        "event_time",
        "available_at",
        "severity",
        policy_events=one(),
        safety_events=counted(events.kind == "safety"),
    )
