"""The rows of a market that are known at a moment."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import pandas as pd

from features.dataset.horizons import Horizons

Row = dict[str, Any]
NO_TIME = pd.Timedelta(0)


def is_null(value: object) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or value != value  # noqa: PLR0124 - NaN alone differs from itself


def to_rows(frames: Mapping[str, pd.DataFrame]) -> dict[str, list[Row]]:
    return {
        name: [
            {
                str(column): None if is_null(value) else value
                for column, value in zip(frame.columns, row, strict=True)
            }
            for row in frame.itertuples(index=False, name=None)
        ]
        for name, frame in frames.items()
    }


class KnownMarket:
    """The rows of a market that are known at a moment, whenever the events happened."""

    def __init__(
        self, tables: Mapping[str, list[Row]], horizons: Horizons, as_of: pd.Timestamp
    ) -> None:
        self.tables, self.horizons, self.as_of = tables, horizons, as_of
        self._known_rows: dict[str, list[Row]] = {}

    def has(self, name: str) -> bool:
        return name in self.tables

    def known_rows(self, name: str) -> list[Row]:
        if name not in self._known_rows:
            self._known_rows[name] = [
                row
                for row in self.tables[name]
                if row["available_at"] is not None and row["available_at"] <= self.as_of
            ]
        return self._known_rows[name]

    @cached_property
    def listings(self) -> dict[str, Row]:
        """Return each listing with the columns of its product."""
        products = {row["product_id"]: row for row in self.tables["products"]}
        return {
            row["listing_id"]: {**products[row["product_id"]], **row}
            for row in self.tables["listings"]
        }

    def level_key(self, row: Row, names: tuple[str, ...]) -> tuple[Any, ...]:
        """Return the key of a level that a row belongs to."""
        listing = self.listings[row["listing_id"]] if "listing_id" in row else {}
        return tuple(row[name] if name in row else listing[name] for name in names)

    @cached_property
    def lines(self) -> dict[str, Row]:
        return {row["order_line_id"]: row for row in self.known_rows("orders")}

    @cached_property
    def _deliveries(self) -> dict[str, Row]:
        return {row["order_line_id"]: row for row in self.known_rows("deliveries")}

    @cached_property
    def _returns(self) -> dict[str, list[Row]]:
        by_line: dict[str, list[Row]] = {}
        for row in self.known_rows("returns") if self.has("returns") else []:
            by_line.setdefault(row["order_line_id"], []).append(row)
        return by_line

    def window_end(self, line: Row) -> pd.Timestamp | None:
        """Return the end of a line's return window, None if it isn't known."""
        window = pd.Timedelta(days=self.horizons.return_window_days)
        if not self.has("deliveries"):
            assumed = pd.Timedelta(days=self.horizons.assumed_delivery_days)
            return pd.Timestamp(line["event_time"] + assumed + window)
        delivery = self._deliveries.get(line["order_line_id"])
        return None if delivery is None else pd.Timestamp(delivery["event_time"] + window)

    def is_cancellation(self, line: Row, back: Row) -> bool:
        """Return True if units came back, and were known to, within the first days of an order."""
        first_days = pd.Timedelta(days=self.horizons.cancellation_days)
        return first_days > NO_TIME and back["available_at"] <= line["event_time"] + first_days

    def units_kept(self, line: Row) -> int:
        """Return the units of a line that aren't known to be cancelled."""
        returns = self._returns.get(line["order_line_id"], [])
        cancelled = (row["units"] for row in returns if self.is_cancellation(line, row))
        return int(line["units"] - sum(cancelled))

    @cached_property
    def believed_lines(self) -> list[Row]:
        """Return the order lines of which something is left, with the units that are left."""
        lines = ({**line, "units": self.units_kept(line)} for line in self.known_rows("orders"))
        return [line for line in lines if line["units"]]

    def returns_in_window(self, line: Row) -> list[Row]:
        """Return the returns of a line before the end of its window, without cancellations."""
        end = self.window_end(line)
        return [
            row
            for row in self._returns.get(line["order_line_id"], [])
            if end is not None and row["event_time"] <= end and not self.is_cancellation(line, row)
        ]
