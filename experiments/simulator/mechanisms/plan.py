"""The plan of a chunk: everything that is settled before the dice of demand.

The actions of creators, sellers, carriers and lawmakers are drawn here. The plan turns them into
expected units, return rates and chances of a takedown for every day. The generator rolls dice
against the plan, and the truth takes expectations of it: both call the same functions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.simulator.configuration.clock import Clock, build_clock
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.mechanisms import demand, policy, prices, return_risk, videos
from experiments.simulator.mechanisms.candidates import (
    Candidates,
    Products,
    draw_candidates,
    draw_products,
)
from experiments.simulator.mechanisms.creators import Creators, draw_creators
from experiments.simulator.mechanisms.localisation import LocalisationSettings, draw_settings
from experiments.simulator.mechanisms.logistics import Logistics, draw_logistics
from experiments.simulator.mechanisms.repurchase import repeat_demand, repurchase_rate
from experiments.simulator.mechanisms.suppliers import Suppliers, draw_suppliers
from features.dataset.horizons import Horizons
from features.runtime.arrays import FloatArray, IntArray


@dataclass(frozen=True)
class World:
    """The values that all chunks share."""

    market: Simulation
    clock: Clock
    suppliers: Suppliers
    creators: Creators
    logistics: Logistics
    horizons: Horizons


@dataclass(frozen=True)
class Chunk:
    """The products of a chunk in all markets, and the events around them."""

    number: int
    products: Products
    candidates: Candidates
    settings: LocalisationSettings
    price_changes: prices.PriceChanges
    videos: videos.Videos
    cases: policy.PolicyCases
    own_risk: FloatArray


@dataclass(frozen=True)
class ChunkPlan:
    """Expected values of the candidates `rows` on every planned day, shape (rows, days).

    `units` is expected demand with unlimited stock and no takedown. `return_rate` holds for units
    that arrive in time. `repeat_share` and `creator_share` are shares of the order lines.
    `hazard` is the chance of a takedown on a day.
    """

    rows: IntArray
    units: FloatArray
    repeat_share: FloatArray
    creator_share: FloatArray
    log_price: FloatArray
    return_rate: FloatArray
    late_share: FloatArray
    hazard: FloatArray
    missing: dict[str, FloatArray]


def build_world(market: Simulation) -> World:
    """Draw the values that all chunks share; the truth has the standard horizons."""
    clock = build_clock(market)
    return World(
        market=market,
        clock=clock,
        suppliers=draw_suppliers(market),
        creators=draw_creators(market),
        logistics=draw_logistics(market, clock),
        horizons=Horizons(),
    )


def draw_chunk(world: World, number: int) -> Chunk:
    """Draw a chunk; it depends only on the configuration and its number."""
    market, clock = world.market, world.clock
    products = draw_products(market, world.suppliers, number)
    candidates = draw_candidates(market, products, number)
    return Chunk(
        number=number,
        products=products,
        candidates=candidates,
        settings=draw_settings(market, candidates, number),
        price_changes=prices.draw_price_changes(market, clock, candidates, number),
        videos=videos.draw_videos(market, clock, candidates, world.creators, number),
        cases=policy.draw_policy_cases(market, clock, candidates, number),
        own_risk=return_risk.draw_own_risk(market, len(candidates), number),
    )


def make_plan(world: World, chunk: Chunk, rows: IntArray) -> ChunkPlan:
    """Return the plan of some candidates of a chunk."""
    candidates, clock = chunk.candidates, world.clock
    log_price = prices.price_path(chunk.price_changes, candidates, rows, clock.total_days)
    return plan_at_prices(world, chunk, rows, log_price)


def plan_at_prices(world: World, chunk: Chunk, rows: IntArray, log_price: FloatArray) -> ChunkPlan:
    """Return the plan of some candidates of a chunk at given log prices, shape (rows, days)."""
    market, clock, candidates = world.market, world.clock, chunk.candidates
    missing = return_risk.localisation_gaps(chunk.settings, rows, clock)
    lift = videos.lift(market, clock, chunk.videos, rows, len(candidates))
    first = _first_purchases(world, chunk, rows, log_price) * lift
    misfit = market.localisation.strength * np.maximum(
        missing["size_chart"], missing["plug_voltage"]
    )
    rate = repurchase_rate(market, candidates, rows, misfit)
    repeats = repeat_demand(market, clock, first, rate)
    lines = first + repeats
    repeat_share = np.divide(repeats, lines, out=np.zeros_like(lines), where=lines > 0)
    lane = world.logistics.lane(candidates.place[rows], candidates.mode[rows])
    own = chunk.own_risk[rows]
    return ChunkPlan(
        rows=rows,
        units=lines * demand.mean_units(market),
        repeat_share=repeat_share,
        creator_share=(1 - repeat_share) * (1 - 1 / lift),
        log_price=log_price,
        return_rate=return_risk.return_rate(market, candidates, rows, missing=missing, own=own),
        late_share=world.logistics.late_share[lane],
        hazard=policy.takedown_hazard(market, clock, candidates, chunk.settings, rows),
        missing=missing,
    )


def _first_purchases(
    world: World, chunk: Chunk, rows: IntArray, log_price: FloatArray
) -> FloatArray:
    """Return the expected order lines of new buyers on each day, without the lift of creators."""
    market, clock, candidates = world.market, world.clock, chunk.candidates
    log_rate = (
        demand.base_log_rate(market, candidates, rows)[:, None]
        + demand.season(market, clock, candidates, rows)
        + demand.price_response(market, candidates, rows, log_price)
        + demand.localisation_response(market, chunk.settings, rows, clock)
        + demand.lateness_effect(market, world.logistics, candidates, rows)
        + policy.restriction_effect(market, clock, chunk.cases, candidates, rows)
    )
    age = demand.age_curve(market, clock, candidates.live_day[rows])
    return np.asarray(np.exp(log_rate) * age, dtype=np.float64)
