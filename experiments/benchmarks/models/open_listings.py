"""Describe a market's listings: visible facts, their horizons, and hidden traits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.simulator.mechanisms.candidates import listing_names
from experiments.simulator.mechanisms.plan import Chunk, ChunkPlan, World, draw_chunk, make_plan
from experiments.simulator.mechanisms.return_risk import (
    RETURN_ATTRIBUTES,
    localisation_effect,
    usual_log_odds,
)
from features.runtime.arrays import FloatArray, IntArray

Names = npt.NDArray[np.object_]


@dataclass(frozen=True)
class MarketListings:
    """The visible facts of a market's listings.

    `gap` is the unmet share of each of `RETURN_ATTRIBUTES` at first, and `repaired_day` the day of
    the market on which it is closed; both have shape (listings, attributes).
    """

    name: Names
    product: IntArray
    supplier: IntArray
    usual_log_odds: FloatArray
    gap: FloatArray
    repaired_day: IntArray

    def find_indices(self, name: Names) -> IntArray:
        """Return the index of each name, -1 for an unknown name."""
        return np.asarray(pd.Index(self.name).get_indexer(pd.Index(name)), np.int64)


@dataclass(frozen=True)
class ListingHorizons:
    """The horizons of requested rows: visible log odds, late share and units, (rows, days).

    Later repairs, lateness and demand are exact, which is more than a forecaster could know.
    """

    row: IntArray
    log_odds: FloatArray
    late_share: FloatArray
    units: FloatArray

    def select(self, rows: IntArray) -> ListingHorizons:
        """Return the horizons of some rows."""
        return ListingHorizons(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class HiddenTraits:
    """The traits of listings that no forecaster sees: quality, and own log odds of a return."""

    quality: FloatArray
    own: FloatArray


@dataclass(frozen=True)
class MarketDescription:
    """The listings of a market, their hidden traits, and the horizons of requested rows."""

    listings: MarketListings
    horizons: ListingHorizons
    hidden: HiddenTraits


def describe_market(world: World, listing: Names, day: IntArray) -> MarketDescription:
    """Describe all listings, and the horizons of requested ones that begin on days of the market.

    `listing` and `day` have shape (rows,).

    Raises:
        ValueError: the market doesn't have a requested listing.
    """
    chunks = -(-world.market.products // world.market.chunk_products)
    parts = [
        _describe_chunk(world, draw_chunk(world, chunk), listing, day) for chunk in range(chunks)
    ]
    horizons = _concatenate([part.horizons for part in parts])
    if horizons.row.size != day.size:
        message = f"{day.size - horizons.row.size} rows name listings that the market doesn't have"
        raise ValueError(message)
    return MarketDescription(
        listings=_concatenate([part.listings for part in parts]),
        horizons=horizons.select(np.argsort(horizons.row)),
        hidden=_concatenate([part.hidden for part in parts]),
    )


def _describe_chunk(world: World, chunk: Chunk, listing: Names, day: IntArray) -> MarketDescription:
    market, candidates = world.market, chunk.candidates
    rows = np.flatnonzero(candidates.is_listed)
    names = np.array(listing_names(market, candidates).take(rows).to_pylist(), object)
    settings = [chunk.settings[name] for name in RETURN_ATTRIBUTES]
    return MarketDescription(
        listings=MarketListings(
            name=names,
            product=candidates.number[rows],
            supplier=candidates.supplier[rows],
            usual_log_odds=usual_log_odds(market, candidates.category[rows]),
            gap=np.stack(
                [np.where(setting.applies, 1 - setting.value, 0.0)[rows] for setting in settings], 1
            ),
            repaired_day=np.stack([setting.repaired_day[rows] for setting in settings], 1),
        ),
        horizons=_horizons(world, chunk, make_plan(world, chunk, rows), names, listing, day),
        hidden=HiddenTraits(candidates.quality[rows], chunk.own_risk[rows]),
    )


def _horizons(  # noqa: PLR0913, PLR0917 - a chunk with its plan, and the requested rows
    world: World, chunk: Chunk, plan: ChunkPlan, names: Names, listing: Names, day: IntArray
) -> ListingHorizons:
    index = pd.Index(names).get_indexer(pd.Index(listing))
    requested = np.flatnonzero(index >= 0)
    days = day[requested][:, None] + np.arange(world.horizons.horizon_days)
    cells = (index[requested][:, None], days)
    usual = usual_log_odds(world.market, chunk.candidates.category[plan.rows])[index[requested]]
    missing = {name: plan.missing[name][cells] for name in RETURN_ATTRIBUTES}
    return ListingHorizons(
        row=requested,
        log_odds=usual[:, None] + localisation_effect(world.market, missing),
        late_share=plan.late_share[cells],
        units=plan.units[cells],
    )


Part = TypeVar("Part", MarketListings, ListingHorizons, HiddenTraits)


def _concatenate(parts: Sequence[Part]) -> Part:
    return type(parts[0])(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(parts[0])
        }
    )
