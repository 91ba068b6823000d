"""What is open about listings, what their horizons hold, and what of them is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.simulator.mechanisms.candidates import listing_names
from experiments.simulator.mechanisms.plan import Chunk, Plan, World, draw_chunk, make_plan
from experiments.simulator.mechanisms.return_risk import FELT, by_localisation, usual_log_odds
from features.runtime.arrays import FloatArray, IntArray

Names = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Listings:
    """The listings of a market, one a place: what anyone can look up.

    `gap` is what isn't localised at first, of `FELT` (listings, attributes), and `repaired_day`
    when it is, in days of the market.
    """

    name: Names
    product: IntArray
    supplier: IntArray
    usual_log_odds: FloatArray
    gap: FloatArray
    repaired_day: IntArray

    def place_of(self, name: Names) -> IntArray:
        """Return the places of names, -1 of those that aren't there."""
        return np.asarray(pd.Index(self.name).get_indexer(pd.Index(name)), np.int64)


@dataclass(frozen=True)
class Horizons:
    """The horizons of asked rows (rows, days): open log odds, late parcels, units wanted.

    Later repairs, lateness and demand are told exactly, which is more than anyone could know.
    """

    row: IntArray
    log_odds: FloatArray
    late_share: FloatArray
    units: FloatArray

    def at(self, rows: IntArray) -> Horizons:
        """Return the horizons of some rows."""
        return Horizons(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class Hidden:
    """What no forecaster sees of the listings: quality, and log odds that each has of its own."""

    quality: FloatArray
    own: FloatArray


@dataclass(frozen=True)
class Described:
    """The listings of a market, the horizons of asked rows in their order, and what is hidden."""

    listings: Listings
    horizons: Horizons
    hidden: Hidden


def describe(world: World, listing: Names, day: IntArray) -> Described:
    """Describe all listings, and the horizons of asked ones from days of the market on.

    `listing` and `day` are of shape (rows,).

    Raises:
        ValueError: an asked listing isn't one of the market's.
    """
    chunks = -(-world.market.products // world.market.chunk_products)
    parts = [_of_chunk(world, draw_chunk(world, chunk), listing, day) for chunk in range(chunks)]
    horizons = _joined([part.horizons for part in parts])
    if horizons.row.size != day.size:
        message = f"{day.size - horizons.row.size} rows are of listings that the market hasn't"
        raise ValueError(message)
    return Described(
        listings=_joined([part.listings for part in parts]),
        horizons=horizons.at(np.argsort(horizons.row)),
        hidden=_joined([part.hidden for part in parts]),
    )


def _of_chunk(world: World, chunk: Chunk, listing: Names, day: IntArray) -> Described:
    market, candidates = world.market, chunk.candidates
    rows = np.flatnonzero(candidates.is_listed)
    names = np.array(listing_names(market, candidates).take(rows).to_pylist(), object)
    felt = [chunk.settings[name] for name in FELT]
    return Described(
        listings=Listings(
            name=names,
            product=candidates.number[rows],
            supplier=candidates.supplier[rows],
            usual_log_odds=usual_log_odds(market, candidates.category[rows]),
            gap=np.stack([np.where(one.applies, 1 - one.value, 0.0)[rows] for one in felt], 1),
            repaired_day=np.stack([one.repaired_day[rows] for one in felt], 1),
        ),
        horizons=_horizons(world, chunk, make_plan(world, chunk, rows), names, listing, day),
        hidden=Hidden(candidates.quality[rows], chunk.own_risk[rows]),
    )


def _horizons(  # noqa: PLR0913, PLR0917 - a chunk's plan, and who asks for what of it
    world: World, chunk: Chunk, plan: Plan, names: Names, listing: Names, day: IntArray
) -> Horizons:
    place = pd.Index(names).get_indexer(pd.Index(listing))
    asked = np.flatnonzero(place >= 0)
    days = day[asked][:, None] + np.arange(world.horizons.horizon_days)
    cells = (place[asked][:, None], days)
    usual = usual_log_odds(world.market, chunk.candidates.category[plan.rows])[place[asked]]
    missing = {name: plan.missing[name][cells] for name in FELT}
    return Horizons(
        row=asked,
        log_odds=usual[:, None] + by_localisation(world.market, missing),
        late_share=plan.late_share[cells],
        units=plan.units[cells],
    )


Part = TypeVar("Part", Listings, Horizons, Hidden)


def _joined(parts: Sequence[Part]) -> Part:
    return type(parts[0])(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(parts[0])
        }
    )
