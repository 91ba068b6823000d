"""Build the spine: each listing on its first day, then weekly while it has units to sell."""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

from features.dataset.dataset import Dataset
from features.dataset.days import day_number
from features.dataset.horizons import Horizons
from features.declarations.kinds import FeatureFamily, Latest, SignalName
from features.declarations.levels import Level
from features.point_in_time.interpreter import key_values, level_values
from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.visibility import AS_OF

DAYS_A_WEEK: Final = 7
MONDAY: Final = 4
"""1970-01-01 was a Thursday, so day 4 and every seventh day after it are Mondays."""

DECISION_FEATURES: Final = (
    Latest(
        name="list_price_minor",
        description="The list price in force.",
        unit="minor currency units",
        family=FeatureFamily.PRICE,
        level=Level.LISTING,
        signal=SignalName.PRICES,
        measure="price_minor",
    ),
    Latest(
        name="units_offered",
        description="Units on hand and on their way, as last observed.",
        unit="units",
        family=FeatureFamily.DEMAND,
        level=Level.LISTING,
        signal=SignalName.STOCK,
        measure="units_offered",
    ),
)
"""The decision of a past row, read with the time rule like every feature."""


def listing_days(dataset: Dataset, horizons: Horizons) -> ir.Table:
    """Return (listing_id, as_of_day): each listing's first midnight, then every Monday.

    All listings share the weekday, so that wide levels have one row a week instead of one a day.
    No day is so early that its horizon ends before the data begin.
    """
    order_days = dataset.order_days()
    cut_off = order_days.cut_off_day
    earliest = order_days.covered.span.first - horizons.horizon_days
    listings = dataset.tables["listings"]
    starts = listings.select("listing_id", first_day=day_number(listings.listed_at))
    starts = starts.filter(starts.first_day <= cut_off)
    begin = ibis.greatest(starts.first_day, earliest)
    first_monday = begin + _days_to_monday(begin)
    mondays = ibis.range(first_monday, cut_off + 1, DAYS_A_WEEK).unnest()
    weekly = starts.select("listing_id", as_of_day=mondays)
    first = starts.filter(starts.first_day >= earliest)
    first = first.select("listing_id", as_of_day="first_day")
    rows = first.union(weekly, distinct=True)
    return rows.select("listing_id", as_of_day=rows[AS_OF].cast("int64"))


def _days_to_monday(day: ir.IntegerValue) -> ir.IntegerValue:
    return (DAYS_A_WEEK - (day - MONDAY) % DAYS_A_WEEK) % DAYS_A_WEEK


def live_listings(dataset: Dataset, day: int) -> ir.Table:
    """Return (listing_id, as_of_day): the listings that were live on a day, on that day."""
    listings = dataset.tables["listings"]
    live = listings.filter(day_number(listings.listed_at) <= day)
    return live.select("listing_id", as_of_day=ibis.literal(day, "int64"))


def build_spine(rows: SignalRows) -> ir.Table:
    """Return the spine at all moments of training."""
    return filter_spine(rows, listing_days(rows.dataset, rows.horizons))


def filter_spine(rows: SignalRows, moments: ir.Table) -> ir.Table:
    """Return the (listing_id, as_of_day) of `moments` that had units to sell.

    Columns: listing_id, as_of_day, the keys of all levels, list_price_minor (float64) and
    units_offered (float64). The creator is the one of the listing's latest video.
    """
    decided = level_values(rows, DECISION_FEATURES, rows.store(moments))
    on_sale = rows.store(decided.filter(decided.units_offered > 0))
    with_creators = key_values(rows, SignalName.VIDEOS, "creator_id", on_sale)
    return with_creators.inner_join(rows.dataset.listing_facts(), "listing_id")
