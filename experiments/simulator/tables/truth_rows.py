"""The tables of the truth, which are written beside the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from experiments.simulator.configuration.clock import Clock
from experiments.simulator.mechanisms.candidates import listing_names
from experiments.simulator.mechanisms.expectations import ExpectedOutcome, Lot, Outlook
from experiments.simulator.mechanisms.plan import Chunk, ChunkPlan, World
from experiments.simulator.mechanisms.prices import to_minor_units
from experiments.simulator.mechanisms.stock import StockPath, is_counted
from experiments.simulator.outcomes.outcomes import Outcomes, sum_horizon
from features.runtime.arrays import IntArray


@dataclass(frozen=True)
class SaleMoments:
    """Moments of the spine with units on sale: row of the plan, day, and lot."""

    row: IntArray
    day: IntArray
    lot: Lot


def moments_on_sale(clock: Clock, path: StockPath, live_day: IntArray) -> SaleMoments:
    """Return the first midnight from going live on, then each Monday with stock.

    A listing has no stock after its takedown.
    """
    row, week = np.nonzero(is_counted(clock, path))
    is_later = clock.monday(week) > live_day[row]
    row, week = row[is_later], week[is_later]
    count = live_day.size
    first_arrival = np.zeros(count, np.int64)
    lot = Lot(
        on_hand=np.r_[path.first_lot, path.on_hand[row, week]].astype(np.float64),
        inbound=np.r_[np.zeros(count), path.inbound[row, week]],
        arrival_day=np.r_[first_arrival, clock.monday(path.arrival_week[row, week])],
    )
    is_on_sale = lot.units > 0
    return SaleMoments(
        row=np.r_[np.arange(count), row][is_on_sale],
        day=np.r_[live_day, clock.monday(week)][is_on_sale],
        lot=lot.select(is_on_sale),
    )


def outcome_columns(world: World, outcomes: Outcomes, moments: SaleMoments) -> dict[str, pa.Array]:
    """Return the realised targets and the units ordered, null where they aren't final."""
    clock, horizons = world.clock, world.horizons
    row, day = moments.row, moments.day
    units, is_over = sum_horizon(clock, outcomes.sold, row, day, horizons.horizon_days)
    back, _ = sum_horizon(clock, outcomes.returned, row, day, horizons.horizon_days)
    is_mature = (day + horizons.return_risk_maturity_days <= clock.days) & (units > 0)
    share = np.minimum(units / moments.lot.units, 1.0)
    returned_share = back / np.maximum(units, 1.0)
    return {
        "realised_units": pa.array(units, mask=~is_over),
        "realised_sell_through": pa.array(share, mask=~is_over),
        "realised_return_risk": pa.array(returned_share, mask=~is_mature),
    }


def weekly_truth(
    world: World, chunk: Chunk, plan: ChunkPlan, path: StockPath, outcomes: Outcomes
) -> pa.Table:
    """Return the truth of all listings at the spine's moments, and the realised targets."""
    candidates = chunk.candidates
    moments = moments_on_sale(world.clock, path, candidates.live_day[plan.rows])
    row, day, lot = moments.row, moments.day, moments.lot
    expected = Outlook(world, candidates, plan).expect(row, day, lot)
    candidate = plan.rows[row]
    price = to_minor_units(world.market, candidates, candidate, plan.log_price[row, day])
    return pa.table(
        {
            "listing_id": listing_names(world.market, candidates).take(pa.array(candidate)),
            "as_of_day": pa.array(day + world.clock.first_day),
            "units_offered": pa.array(lot.units),
            "on_hand_units": pa.array(lot.on_hand),
            "price_minor": pa.array(price),
            **expectation_columns(expected),
            "propensity": pa.array(candidates.propensity[candidate]),
            **outcome_columns(world, outcomes, moments),
        }
    )


def expectation_columns(expected: ExpectedOutcome) -> dict[str, pa.Array]:
    """Return the expectations as columns."""
    return {
        "expected_units": pa.array(expected.units),
        "variance_units": pa.array(expected.variance),
        "survival": pa.array(expected.survival),
        "expected_sell_through": pa.array(expected.sell_through),
        "expected_return_rate": pa.array(expected.return_rate),
        "expected_profit_minor": pa.array(expected.profit_minor),
    }


def candidate_truth(world: World, chunk: Chunk) -> pa.Table:
    """Return all candidates, listed or not, with the platform's propensity and hidden traits."""
    candidates = chunk.candidates
    rows = np.arange(len(candidates))
    codes = pa.array(list(world.market.markets))
    categories = pa.array([leaf.name for leaf in world.market.categories])
    return pa.table(
        {
            "listing_id": listing_names(world.market, candidates),
            "market": codes.take(pa.array(candidates.place)),
            "category": categories.take(pa.array(candidates.category)),
            "live_day": pa.array(candidates.live_day + world.clock.first_day),
            "propensity": pa.array(candidates.propensity),
            "is_listed": pa.array(candidates.is_listed),
            "quality": pa.array(candidates.quality),
            "appeal": pa.array(candidates.appeal + candidates.taste),
            "price_minor": pa.array(
                to_minor_units(world.market, candidates, rows, np.log(candidates.price))
            ),
        }
    )
