"""Features and labels by plain loops over rows: slow, obvious, no code shared with the engine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import pandas as pd

from features.dataset.horizons import Horizons
from features.declarations.kinds import BaseFeature, Fulfilled, InForce, Required
from features.declarations.levels import LEVEL_KEYS
from tests.oracle.aggregations import aggregate, full_attributes, required_attributes
from tests.oracle.events import EVENTS, Event, is_null
from tests.oracle.market import KnownMarket, Row, to_rows

EPOCH = pd.Timestamp("1970-01-01")
END_OF_TIME = pd.Timestamp("2099-01-01")
Key = tuple[Any, ...]

NEEDS: dict[str, tuple[str, ...]] = {
    "ripe_units": ("returns",),
    "open_units": ("returns",),
    "returned_parcels": ("returns",),
    "lots": ("stock",),
    "stock": ("stock",),
    "videos": ("videos",),
    "engagement": ("videos", "video_stats"),
    "creator_stats": ("creator_stats",),
    "localisation": ("localisation",),
    "requirements": ("requirements",),
    "parcels": ("deliveries",),
    "reviews": ("reviews",),
    "audits": ("supplier_audits",),
}
"""Optional tables that a signal needs."""


class Oracle:
    """Compute features and labels of a market at one moment; results are cached."""

    def __init__(
        self, tables: Mapping[str, list[Row]], horizons: Horizons, as_of: pd.Timestamp
    ) -> None:
        self.tables, self.horizons, self.as_of = tables, horizons, as_of
        self._by_key: dict[tuple[str, tuple[str, ...]], dict[Key, list[Event]]] = {}

    @classmethod
    def at(cls, frames: Mapping[str, pd.DataFrame], horizons: Horizons, day: int) -> Oracle:
        return cls(to_rows(frames), horizons, EPOCH + pd.Timedelta(days=day))

    @cached_property
    def known(self) -> KnownMarket:
        return KnownMarket(self.tables, self.horizons, self.as_of)

    @cached_property
    def hindsight(self) -> KnownMarket:
        return KnownMarket(self.tables, self.horizons, END_OF_TIME)

    def known_rows(self, name: str) -> list[Row]:
        return self.known.known_rows(name)

    def has(self, feature: BaseFeature) -> bool:
        signals = [feature.signal]
        if isinstance(feature, Fulfilled):
            signals.append(feature.states)
        return all(name in self.tables for signal in signals for name in NEEDS.get(signal, ()))

    def value(self, feature: BaseFeature, key: Key) -> float:
        if not self.has(feature):
            return math.nan
        names = LEVEL_KEYS[feature.level]
        events = self.events(feature.signal, names).get(key, [])
        if isinstance(feature, InForce | Fulfilled | Required):
            required = required_attributes(events, self.as_of)
            match feature:
                case Required():
                    return float(feature.attribute in required)
                case Fulfilled():
                    states = self.events(feature.states, names).get(key, [])
                    required &= full_attributes(states)
            return float(sum(name.startswith(feature.prefix) for name in required))
        return aggregate(feature, events, self.as_of)

    def events(self, signal: str, names: tuple[str, ...]) -> dict[Key, list[Event]]:
        """Return the known events of a signal that had happened, by the key of a level."""
        if (signal, names) not in self._by_key:
            groups: dict[Key, list[Event]] = {}
            for event in EVENTS[signal](self.known, names):
                key = self.known.level_key(event.of, names)
                if event.at <= self.as_of and not any(is_null(part) for part in key):
                    groups.setdefault(key, []).append(event)
            self._by_key[signal, names] = groups
        return self._by_key[signal, names]

    def sell_through(self, listing_id: str, offered: float) -> float:
        """Look ahead: return the share of the units offered that is ordered in the horizon."""
        ordered = sum(int(line["units"]) for line in self._ahead(listing_id))
        return min(1.0, ordered / offered)

    def return_risk(self, listing_id: str) -> float:
        """Look ahead: return the share of the units ordered in the horizon that is returned."""
        lines = self._ahead(listing_id)
        ordered = sum(line["units"] for line in lines)
        back = sum(row["units"] for line in lines for row in self.hindsight.returns_in_window(line))
        return float(back / ordered) if ordered else math.nan

    def is_return_risk_final(self, listing_id: str, cut_off: pd.Timestamp) -> bool:
        """Return True where the windows of all lines of the horizon are over and reported."""
        lag = pd.Timedelta(days=self.horizons.reporting_lag_days)
        ends = [self.hindsight.window_end(line) for line in self._ahead(listing_id)]
        return all(end is not None and end.ceil("D") + lag <= cut_off for end in ends)

    def _ahead(self, listing_id: str) -> list[Row]:
        horizon = pd.Timedelta(days=self.horizons.horizon_days)
        return [
            row
            for row in self.hindsight.believed_lines
            if row["listing_id"] == listing_id
            and self.as_of < row["event_time"] <= self.as_of + horizon
        ]
