"""Collect the evidence of a market's tables on returns, reviews and audits by a moment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
from scipy.stats import gamma

from experiments.benchmarks.models.hidden_quality import QualityEvidence, SupplyTree, sum_by_group
from experiments.benchmarks.models.open_listings import MarketListings
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.mechanisms.plan import World
from experiments.simulator.mechanisms.return_risk import (
    DELAY_SHAPE,
    RETURN_ATTRIBUTES,
    localisation_effect,
)
from experiments.simulator.mechanisms.suppliers import MEAN_SCORE, SCORE_SLOPE
from features.runtime.arrays import FloatArray, IntArray
from features.runtime.text import escape_glob

Columns = dict[str, Any]
"""Arrays by name, all of the same length."""

STARS: Final = 5
MIN_SCORE: Final = 0.0005
"""Scores have three digits: 0 stands for all that are below this, and 1 likewise."""
_HOURS_A_DAY: Final = 24
_MAX_DAYS: Final = 200
"""Returns known later than this many days after delivery are too rare to count."""

_DAY: Final = "(epoch_us({column}) / 86400e6 - $first)"
_LINES: Final = f"""
SELECT listing, orders.units, {_DAY.format(column="orders.event_time")} AS ordered,
    {_DAY.format(column="deliveries.event_time")} AS delivered,
    {_DAY.format(column="greatest(orders.available_at, deliveries.available_at)")} AS known,
    delivered - ordered > promised_days AS is_late, coalesce(returns.units, 0) AS returned,
    coalesce({_DAY.format(column="returns.available_at")}, 'infinity') AS return_known
FROM orders JOIN listings USING (listing_id) JOIN deliveries USING (order_line_id)
LEFT JOIN returns USING (order_line_id)
"""  # noqa: S608 - parts are constants of this file
_REVIEWS: Final = f"""
SELECT listing, rating, {_DAY.format(column="available_at")} AS known
FROM reviews JOIN listings USING (listing_id)
"""  # noqa: S608 - likewise
_AUDITS: Final = f"""
SELECT substr(supplier_id, 2)::BIGINT AS supplier, score, inspected_units, defective_units,
    {_DAY.format(column="available_at")} AS known
FROM supplier_audits
"""  # noqa: S608 - likewise


@dataclass(frozen=True)
class ObservedHistory:
    """All order lines, reviews and audits of a market, with the day on which each became known.

    Lines and reviews hold the index of their listing, audits that of their supplier. Times are in
    days since the market's first midnight.
    """

    market: Simulation
    listings: MarketListings
    tree: SupplyTree
    lines: Columns
    reviews: Columns
    audits: Columns

    @classmethod
    def read(cls, data: Path, world: World, listings: MarketListings) -> ObservedHistory:
        """Read the history from the tables of the contract in `data`."""
        names = pa.table(
            {"listing_id": pa.array(listings.name), "listing": np.arange(listings.name.size)}
        )
        with duckdb.connect(config={"memory_limit": "3GB"}) as connection:
            connection.register("listings", names)
            for table in ("orders", "deliveries", "returns", "reviews", "supplier_audits"):
                connection.read_parquet(f"{escape_glob(data / table)}/*.parquet").create_view(table)
            lines, reviews, audits = (
                connection.execute(query, {"first": world.clock.first_day}).fetchnumpy()
                for query in (_LINES, _REVIEWS, _AUDITS)
            )
        return cls(world.market, listings, _build_tree(world, listings), lines, reviews, audits)

    def collect_evidence(self, day: int) -> QualityEvidence:
        """Return the evidence known at the midnight that begins a day of the market."""
        listing, log_odds = self._cells
        lines, cell = self.lines, self._cell_of_line
        is_known = lines["known"] <= day
        is_back = is_known & (lines["return_known"] <= day)
        returned = sum_by_group(lines["returned"] * is_back, cell, listing.size)
        trials = sum_by_group(self._count_trials(day) * is_known, cell, listing.size)
        # In a young cell, units that came back at once can outnumber the trials.
        return QualityEvidence(
            listing=listing,
            log_odds=log_odds,
            trials=np.maximum(trials, returned),
            returned=returned,
            stars=self._count_stars(day),
            **self._audit_evidence(day),
        )

    def _count_trials(self, day: int) -> FloatArray:
        """Return the units of each line whose return would be known by then."""
        waited = np.maximum(day - self.lines["delivered"], 0)
        chance = return_known_chance(self.market)
        share = np.interp(waited * _HOURS_A_DAY, np.arange(chance.size), chance)
        lift = np.where(self.lines["is_late"], self.market.logistics.late_return_lift, 1.0)
        return np.asarray(self.lines["units"] * lift * share, np.float64)

    def _count_stars(self, day: int) -> FloatArray:
        product = self.tree.product[self.reviews["listing"]]
        is_known = self.reviews["known"] <= day
        counts = [
            sum_by_group(
                is_known & (self.reviews["rating"] == star), product, self.tree.supplier.size
            )
            for star in range(1, STARS + 1)
        ]
        return np.stack(counts)

    def _audit_evidence(self, day: int) -> dict[str, FloatArray]:
        audits, precision = self.audits, self.market.suppliers.audit_noise**-2
        is_known = (audits["known"] <= day).astype(np.float64)
        score = np.clip(audits["score"], MIN_SCORE, 1 - MIN_SCORE)
        observed = (np.log(score / (1 - score)) - MEAN_SCORE) / SCORE_SLOPE
        values = {
            "audit_precision": precision * is_known,
            "audit_information": precision * observed * is_known,
            "inspected": audits["inspected_units"] * is_known,
            "defective": audits["defective_units"] * is_known,
        }
        return {
            name: sum_by_group(value, audits["supplier"], self.tree.suppliers)
            for name, value in values.items()
        }

    @cached_property
    def _cell_numbers(self) -> tuple[IntArray, IntArray]:
        """Return the distinct cells and the cell of each line: a listing and its repaired gaps."""
        listing = self.lines["listing"].astype(np.int64)
        is_repaired = (
            np.floor(self.lines["ordered"])[:, None] >= self.listings.repaired_day[listing]
        )
        bits = is_repaired @ (1 << np.arange(len(RETURN_ATTRIBUTES)))
        cells, cell = np.unique(listing * (1 << len(RETURN_ATTRIBUTES)) + bits, return_inverse=True)
        return cells, cell

    @cached_property
    def _cells(self) -> tuple[IntArray, FloatArray]:
        """Return the listing and the visible log odds of each cell."""
        cells, _ = self._cell_numbers
        listing, bits = np.divmod(cells, 1 << len(RETURN_ATTRIBUTES))
        is_repaired = (bits[:, None] >> np.arange(len(RETURN_ATTRIBUTES))) & 1
        gap = self.listings.gap[listing] * (1 - is_repaired)
        missing = dict(zip(RETURN_ATTRIBUTES, gap.T, strict=True))
        usual = self.listings.usual_log_odds[listing]
        return listing, usual + localisation_effect(self.market, missing)

    @property
    def _cell_of_line(self) -> IntArray:
        return self._cell_numbers[1]


def _build_tree(world: World, listings: MarketListings) -> SupplyTree:
    """Return the tree; products without a listing have no evidence, so their supplier is any."""
    supplier = np.zeros(world.market.products, np.int64)
    supplier[listings.product] = listings.supplier
    return SupplyTree(listings.product, supplier, world.suppliers.quality.size)


def return_known_chance(market: Simulation) -> FloatArray:
    """Return the chance that a return is known by each hour after delivery, shape (hours,)."""
    hour = np.arange(_MAX_DAYS * _HOURS_A_DAY)
    scale = market.returns.delay_days * _HOURS_A_DAY / DELAY_SHAPE
    returned = np.diff(gamma(DELAY_SHAPE, scale=scale).cdf(np.r_[hour, hour.size]))
    sizes = market.knowledge.returns
    soon = _wait_chances(sizes.hours, hour)
    late = np.convolve(soon, _wait_chances(sizes.backfill_days * _HOURS_A_DAY, hour))[: hour.size]
    reported = soon + sizes.backfill_share * (late - soon)
    chance = np.convolve(returned, reported)[: hour.size - 1]
    return np.asarray(np.minimum(np.r_[0.0, np.cumsum(chance)], 1.0), np.float64)


def _wait_chances(mean: float, hour: IntArray) -> FloatArray:
    """Return the chances of an exponential wait to end in each hour."""
    if mean == 0:
        return np.asarray(hour == 0, np.float64)
    return np.asarray(np.exp(-hour / mean) * -np.expm1(-1 / mean), np.float64)
