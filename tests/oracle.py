"""Features and labels by plain loops over rows: slow, obvious, sharing no code with the engine."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from features.declarations import Base, Elapsed, Latest, Windowed
from features.horizons import Horizons
from features.levels import LEVEL_KEYS

Row = dict[str, Any]
Event = tuple[pd.Timestamp, dict[str, int]]
EPOCH = pd.Timestamp("1970-01-01")


def is_null(value: object) -> bool:
    return value is None or value is pd.NaT or value != value  # noqa: PLR0124 - NaN alone differs from itself


def _plain(frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    return frame.itertuples(index=False, name=None)


@dataclass
class Oracle:
    """A market as rows, looked at from one moment."""

    tables: Mapping[str, list[Row]]
    horizons: Horizons
    as_of: pd.Timestamp

    @classmethod
    def at(cls, frames: Mapping[str, pd.DataFrame], horizons: Horizons, day: int) -> Oracle:
        tables: dict[str, list[Row]] = {
            name: [dict(zip(frame.columns, row, strict=True)) for row in _plain(frame)]
            for name, frame in frames.items()
        }
        return cls(tables, horizons, EPOCH + pd.Timedelta(days=day))

    def seen(self, name: str) -> list[Row]:
        return [
            row
            for row in self.tables[name]
            if not is_null(row["available_at"]) and row["available_at"] <= self.as_of
        ]

    def key_of(self, listing_id: str, names: tuple[str, ...]) -> tuple[Any, ...]:
        (listing,) = [r for r in self.tables["listings"] if r["listing_id"] == listing_id]
        (product,) = [
            r for r in self.tables["products"] if r["product_id"] == listing["product_id"]
        ]
        return tuple({**product, **listing}[name] for name in names)

    def value(self, feature: Base, key: tuple[Any, ...]) -> float:
        needed = {"ripe_units": ("returns",), "lots": ("stock",), "stock": ("stock",)}
        if any(name not in self.tables for name in needed.get(feature.signal, ())):
            return math.nan
        names = LEVEL_KEYS[feature.level]
        events = [
            (moment, measures)
            for listing, moment, measures in getattr(self, f"_{feature.signal.value}")(names)
            if self.key_of(listing, names) == key and moment <= self.as_of
        ]
        return _measured(feature, events, self.as_of)

    def _orders(self, _: tuple[str, ...]) -> Iterator[tuple[str, pd.Timestamp, Row]]:
        rows = self.seen("orders")
        for row in sorted(rows, key=lambda r: (r["available_at"], r["unit_price_minor"])):
            revenue = row["units"] * row["unit_price_minor"]
            measures = {"units": row["units"], "order_lines": 1, "revenue_minor": revenue}
            measures["unit_price_minor"] = row["unit_price_minor"]
            yield row["listing_id"], row["event_time"], measures

    def window_end(self, line: Row) -> pd.Timestamp | None:
        """Return the end of a line's return window as far as it can be told."""
        window = pd.Timedelta(days=self.horizons.return_window_days)
        if "deliveries" not in self.tables:
            assumed = pd.Timedelta(days=self.horizons.assumed_delivery_days)
            return pd.Timestamp(line["event_time"] + assumed + window)
        for delivery in self.seen("deliveries"):
            if delivery["order_line_id"] == line["order_line_id"]:
                return pd.Timestamp(delivery["event_time"] + window)
        return None

    def returned(self, line: Row, end: pd.Timestamp) -> int:
        return sum(
            back["units"]
            for back in self.seen("returns")
            if back["order_line_id"] == line["order_line_id"] and back["event_time"] <= end
        )

    def _ripe_units(self, _: tuple[str, ...]) -> Iterator[tuple[str, pd.Timestamp, Row]]:
        for line in self.seen("orders"):
            end = self.window_end(line)
            if end is not None:
                returned = self.returned(line, end)
                yield (
                    line["listing_id"],
                    end,
                    {"units_ripe": line["units"], "units_returned": returned},
                )

    def _first_purchases(self, names: tuple[str, ...]) -> Iterator[tuple[str, pd.Timestamp, Row]]:
        window = pd.Timedelta(days=self.horizons.repurchase_window_days)
        purchases: dict[tuple[Any, ...], list[Row]] = {}
        for row in self.seen("orders"):
            if not is_null(row["buyer_key"]):
                buyer = (self.key_of(row["listing_id"], names), row["buyer_key"])
                purchases.setdefault(buyer, []).append(row)
        for bought in purchases.values():
            first = min(
                bought, key=lambda r: (r["available_at"], r["event_time"], r["order_line_id"])
            )
            again = any(
                row["order_id"] != first["order_id"]
                and first["event_time"] < row["event_time"] <= first["event_time"] + window
                for row in bought
            )
            measures = {"buyers_ripe": 1, "buyers_repeated": int(again)}
            yield first["listing_id"], first["event_time"] + window, measures

    def _lots(self, _: tuple[str, ...]) -> Iterator[tuple[str, pd.Timestamp, Row]]:
        for lot in self.seen("stock"):
            offered = lot["on_hand_units"] + lot["inbound_units"]
            end = lot["event_time"] + pd.Timedelta(days=self.horizons.horizon_days)
            ordered = sum(
                row["units"]
                for row in self.seen("orders")
                if row["listing_id"] == lot["listing_id"]
                and lot["event_time"] < row["event_time"] <= end
            )
            yield (
                lot["listing_id"],
                end,
                {"units_offered": offered, "units_sold": min(offered, ordered)},
            )

    def _listing_starts(self, _: tuple[str, ...]) -> Iterator[tuple[str, pd.Timestamp, Row]]:
        for row in self.tables["listings"]:
            yield row["listing_id"], row["listed_at"], {"listings": 1}

    def _prices(self, _: tuple[str, ...]) -> Iterator[tuple[str, pd.Timestamp, Row]]:
        starts = [
            {**row, "event_time": row["listed_at"], "available_at": row["listed_at"]}
            | {"price_minor": row["list_price_minor"]}
            for row in self.tables["listings"]
        ]
        known = self.seen("prices") if "prices" in self.tables else []
        rows = [r for r in starts if r["available_at"] <= self.as_of] + known
        for row in sorted(rows, key=lambda r: (r["available_at"], r["price_minor"])):
            yield row["listing_id"], row["event_time"], {"price_minor": row["price_minor"]}

    def sell_through(self, listing_id: str, offered: float) -> float:
        """Look ahead: the share of the units offered that is ordered in the horizon."""
        ordered = sum(int(line["units"]) for line in self._ahead(listing_id))
        return min(1.0, ordered / offered)

    def return_risk(self, listing_id: str) -> float:
        """Look ahead: the share of the units ordered in the horizon that comes back."""
        end_of_time = Oracle(self.tables, self.horizons, pd.Timestamp("2099-01-01"))
        lines = self._ahead(listing_id)
        ordered = sum(line["units"] for line in lines)
        back = 0
        for line in lines:
            end = end_of_time.window_end(line)
            back += 0 if end is None else end_of_time.returned(line, end)
        return float(back / ordered) if ordered else math.nan

    def is_return_risk_final(self, listing_id: str, cut_off: pd.Timestamp) -> bool:
        """Tell whether the window of each line of the horizon is over and reported."""
        end_of_time = Oracle(self.tables, self.horizons, pd.Timestamp("2099-01-01"))
        lag = pd.Timedelta(days=self.horizons.reporting_lag_days)
        ends = [end_of_time.window_end(line) for line in self._ahead(listing_id)]
        return all(end is not None and end.ceil("D") + lag <= cut_off for end in ends)

    def _ahead(self, listing_id: str) -> list[Row]:
        horizon = pd.Timedelta(days=self.horizons.horizon_days)
        return [
            row
            for row in self.tables["orders"]
            if row["listing_id"] == listing_id
            and not is_null(row["available_at"])
            and self.as_of < row["event_time"] <= self.as_of + horizon
        ]


def _in_order_of_knowledge(row: Row) -> tuple[pd.Timestamp, pd.Timestamp, str]:
    return row["available_at"], row["event_time"], row["order_line_id"]


def _measured(feature: Base, events: list[Event], as_of: pd.Timestamp) -> float:
    match feature:
        case Windowed():
            start = as_of - pd.Timedelta(days=feature.days)
            return float(sum(m[feature.measure] for moment, m in events if moment > start))
        case Latest():
            last = max((moment for moment, _ in events), default=None)
            values = [m[feature.measure] for moment, m in events if moment == last]
            return float(values[-1]) if values else math.nan
        case Elapsed():
            last = max((moment for moment, _ in events), default=None)
            return math.nan if last is None else float((as_of - last.ceil("D")).days)
