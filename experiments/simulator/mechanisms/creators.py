"""Draw creators: heavy-tailed reach, persuasion, and observations of their followers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from experiments.simulator.configuration.clock import DAY_US, sort_columns
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.identifiers import format_ids, take_names
from experiments.simulator.configuration.randomness import generator
from features.runtime.arrays import FloatArray, IntArray

OBSERVED_EVERY: int = 28


@dataclass(frozen=True)
class Creators:
    """All creators: `reach` and `persuasion` in standard deviations, `niche` as an index."""

    reach: FloatArray
    persuasion: FloatArray
    followers: FloatArray
    growth_a_day: FloatArray
    niche: IntArray
    niches: tuple[str, ...]

    def pick(self, rng: np.random.Generator, niche: IntArray) -> IntArray:
        """Draw a creator of each given niche."""
        by_niche = np.argsort(self.niche, kind="stable")
        sizes = np.bincount(self.niche, minlength=len(self.niches))
        starts = np.cumsum(sizes) - sizes
        position = (rng.random(niche.size) * sizes[niche]).astype(np.int64)
        return np.asarray(by_niche[starts[niche] + position], dtype=np.int64)


def creator_names(numbers: IntArray) -> pa.Array:
    """Return the identifiers of creators."""
    return format_ids("C", (numbers, 7))


def draw_creators(market: Simulation) -> Creators:
    """Draw all creators of the market; each niche has at least one."""
    sizes = market.creators
    niches = tuple(dict.fromkeys(category.parent for category in market.categories))
    count = max(2 * len(niches), round(market.products / sizes.products_each))
    rng = generator(market.seed, "creators")
    reach = rng.standard_normal(count)
    return Creators(
        reach=reach,
        persuasion=rng.standard_normal(count),
        followers=sizes.followers_median * np.exp(sizes.followers_sd * reach),
        growth_a_day=rng.exponential(0.001, count),
        niche=np.arange(count) % len(niches),
        niches=niches,
    )


def creator_stats(market: Simulation, creators: Creators) -> dict[str, pa.Array]:
    """Return the growing followers of all creators, observed every four weeks."""
    rng = generator(market.seed, "creator_stats")
    count = creators.reach.size
    days = np.arange(0, market.days, OBSERVED_EVERY)
    creator, day = (grid.ravel() for grid in np.meshgrid(np.arange(count), days, indexing="ij"))
    time = day * DAY_US + rng.integers(0, DAY_US, creator.size)
    followers = creators.followers[creator] * np.exp(creators.growth_a_day[creator] * day)
    ordered = sort_columns({"creator": creator, "time": time, "followers": followers}, "time")
    return {
        "creator_id": creator_names(ordered["creator"]),
        "followers": pa.array(ordered["followers"].astype(np.int64)),
        "niche": take_names(creators.niches, creators.niche[ordered["creator"]]),
        "event_time": pa.array(ordered["time"]),
    }
