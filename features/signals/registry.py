"""The explicit list of signals."""

from __future__ import annotations

from typing import Final

from features.declarations.kinds import SignalName
from features.signals import creators, listings, localisation, logistics, lots, orders, quality
from features.signals.signal import LISTING_AND_CREATOR, Signal

SIGNALS: Final[dict[SignalName, Signal]] = {
    SignalName.ORDERS: Signal(("orders",), orders.orders, LISTING_AND_CREATOR),
    SignalName.RIPE_UNITS: Signal(("orders", "returns"), orders.mature_units, LISTING_AND_CREATOR),
    SignalName.OPEN_UNITS: Signal(("orders", "returns"), orders.open_units),
    SignalName.RETURNED_PARCELS: Signal(("orders", "returns"), orders.returned_parcels),
    SignalName.REPURCHASES: Signal(("orders",), orders.first_purchases),
    SignalName.LOTS: Signal(("orders", "stock"), lots.lots),
    SignalName.STOCK: Signal(("stock",), lots.stock),
    SignalName.LISTING_STARTS: Signal(("listings",), listings.listing_starts),
    SignalName.PRICES: Signal(("listings",), listings.prices),
    SignalName.LISTING_COSTS: Signal(("listings", "products"), listings.listing_costs),
    SignalName.PRODUCT_FACTS: Signal(("products",), listings.product_facts, ("product_id",)),
    SignalName.VIDEOS: Signal(("videos",), creators.videos, LISTING_AND_CREATOR),
    SignalName.ENGAGEMENT: Signal(
        ("videos", "video_stats"), creators.engagement, LISTING_AND_CREATOR
    ),
    SignalName.CREATOR_STATS: Signal(("creator_stats",), creators.creator_stats, ("creator_id",)),
    SignalName.LOCALISATION: Signal(("localisation",), localisation.localisation),
    SignalName.REQUIREMENTS: Signal(
        ("requirements",), localisation.requirements, is_additive=False
    ),
    SignalName.PARCELS: Signal(("orders", "deliveries"), logistics.parcels),
    SignalName.REVIEWS: Signal(("reviews",), quality.reviews),
    SignalName.AUDITS: Signal(("supplier_audits",), quality.audits, ("supplier_id",)),
}
