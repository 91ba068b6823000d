"""What is open about listings, what their horizons hold, and what of them is hidden."""

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
    """The listings of a market, one a place: what anyone can look up.

    `gap` is what isn't localised at first, of `RETURN_ATTRIBUTES` (listings, attributes), and
    `repaired_day` when it is, in days of the market.
    """

    name: Names
    product: IntArray
    supplier: IntArray
    usual_log_odds: FloatArray
    gap: FloatArray
    repaired_day: IntArray

    def find_indices(self, name: Names) -> IntArray:
        """Return the places of names, -1 of those that aren't there."""
        return np.asarray(pd.Index(self.name).get_indexer(pd.Index(name)), np.int64)


@dataclass(frozen=True)
class ListingHorizons:
    """The horizons of asked rows (rows, days): open log odds, late parcels, units wanted.

    Later repairs, lateness and demand are told exactly, which is more than anyone could know.
    """

    row: IntArray
    log_odds: FloatArray
    late_share: FloatArray
    units: FloatArray

    def at(self, rows: IntArray) -> ListingHorizons:
        """Return the horizons of some rows."""
        return ListingHorizons(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class HiddenTraits:
    """What no forecaster sees of the listings: quality, and log odds that each has of its own."""

    quality: FloatArray
    own: FloatArray


@dataclass(frozen=True)
class MarketDescription:
    """The listings of a market, the horizons of asked rows in their order, and what is hidden."""

    listings: MarketListings
    horizons: ListingHorizons
    hidden: HiddenTraits


def describe_market(world: World, listing: Names, day: IntArray) -> MarketDescription:
    """Describe all listings, and the horizons of asked ones from days of the market on.

    `listing` and `day` are of shape (rows,).

    Raises:
        ValueError: an asked listing isn't one of the market's.
    """
    chunks = -(-world.market.products // world.market.chunk_products)
    parts = [
        _describe_chunk(world, draw_chunk(world, chunk), listing, day) for chunk in range(chunks)
    ]
    horizons = _concatenate([part.horizons for part in parts])
    if horizons.row.size != day.size:
        message = f"{day.size - horizons.row.size} rows are of listings that the market hasn't"
        raise ValueError(message)
    return MarketDescription(
        listings=_concatenate([part.listings for part in parts]),
        horizons=horizons.at(np.argsort(horizons.row)),
        hidden=_concatenate([part.hidden for part in parts]),
    )


def _describe_chunk(world: World, chunk: Chunk, listing: Names, day: IntArray) -> MarketDescription:
    market, candidates = world.market, chunk.candidates
    rows = np.flatnonzero(candidates.is_listed)
    names = np.array(listing_names(market, candidates).take(rows).to_pylist(), object)
    felt = [chunk.settings[name] for name in RETURN_ATTRIBUTES]
    return MarketDescription(
        listings=MarketListings(
            name=names,
            product=candidates.number[rows],
            supplier=candidates.supplier[rows],
            usual_log_odds=usual_log_odds(market, candidates.category[rows]),
            gap=np.stack([np.where(one.applies, 1 - one.value, 0.0)[rows] for one in felt], 1),
            repaired_day=np.stack([one.repaired_day[rows] for one in felt], 1),
        ),
        horizons=_horizons(world, chunk, make_plan(world, chunk, rows), names, listing, day),
        hidden=HiddenTraits(candidates.quality[rows], chunk.own_risk[rows]),
    )


def _horizons(  # noqa: PLR0913, PLR0917 - a chunk's plan, and who asks for what of it
    world: World, chunk: Chunk, plan: ChunkPlan, names: Names, listing: Names, day: IntArray
) -> ListingHorizons:
    place = pd.Index(names).get_indexer(pd.Index(listing))
    requested = np.flatnonzero(place >= 0)
    days = day[requested][:, None] + np.arange(world.horizons.horizon_days)
    cells = (place[requested][:, None], days)
    usual = usual_log_odds(world.market, chunk.candidates.category[plan.rows])[place[requested]]
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
