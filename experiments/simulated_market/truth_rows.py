"""The rows of the truth that the generator writes beside the data."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from experiments.simulated_market.arrays import IntArray
from experiments.simulated_market.candidates import Candidates, listing_names
from experiments.simulated_market.clock import Clock
from experiments.simulated_market.expectations import Expected, Lot, Outlook
from experiments.simulated_market.outcomes import Outcomes, within
from experiments.simulated_market.plan import Chunk, Plan, World
from experiments.simulated_market.prices import in_minor
from experiments.simulated_market.stock import StockPath, is_counted
from features.horizons import Horizons


def moments_on_sale(clock: Clock, plan: Plan, path: StockPath, live_day: IntArray) -> tuple[IntArray, IntArray, Lot]:
    """Return (row, day) of the spine's moments with units on sale, and the lots.

    The first midnight from going live on, then each Monday; a listing taken down has nothing left.
    """
    row, week = np.nonzero(is_counted(clock, path))
    monday = clock.monday(week)
    rows = np.arange(plan.rows.size)
    is_later = monday > live_day[row]
    row, week, monday = row[is_later], week[is_later], monday[is_later]
    lot = Lot(
        on_hand=np.r_[path.first_lot, path.on_hand[row, week]].astype(np.float64),
        inbound=np.r_[np.zeros(rows.size), path.inbound[row, week]],
        arrival_day=np.r_[np.zeros(rows.size, np.int64), clock.monday(path.arrival_week[row, week])],
    )
    all_rows, days = np.r_[rows, row], np.r_[live_day, monday]
    on_sale = lot.units > 0
    kept = Lot(lot.on_hand[on_sale], lot.inbound[on_sale], lot.arrival_day[on_sale])
    return all_rows[on_sale], days[on_sale], kept


def realised_columns(
    clock: Clock, outcomes: Outcomes, row: IntArray, day: IntArray, lot: Lot, horizons: Horizons
) -> dict[str, pa.Array]:
    """Return the targets that came to pass, and the units ordered; null where not yet final."""
    units, is_over = within(clock, outcomes.sold, row, day, horizons.horizon_days)
    back, _ = within(clock, outcomes.returned, row, day, horizons.horizon_days)
    is_ripe = (day + horizons.return_risk_maturity_days <= clock.days) & (units > 0)
    share = np.minimum(units / lot.units, 1.0)
    returned_share = back / np.maximum(units, 1.0)
    return {
        "realised_units": pa.array(units, mask=~is_over),
        "realised_sell_through": pa.array(share, mask=~is_over),
        "realised_return_risk": pa.array(returned_share, mask=~is_ripe),
    }


def weekly_truth(
    world: World,
    chunk: Chunk,
    plan: Plan,
    path: StockPath,
    *,
    outcomes: Outcomes,
    horizons: Horizons,
) -> pa.Table:
    """Return the truth of all listings at the spine's moments, and what came to pass."""
    candidates = chunk.candidates
    live_day = candidates.live_day[plan.rows]
    row, day, lot = moments_on_sale(world.clock, plan, path, live_day)
    expected = Outlook(world, candidates, plan).expect(row, day, lot, horizons)
    names = listing_names(world.market, candidates)
    who = plan.rows[row]
    price = plan.log_price[row, day]
    return pa.table(
        {
            "listing_id": names.take(pa.array(who)),
            "as_of_day": pa.array(day + world.clock.first_day),
            "units_offered": pa.array(lot.units),
            "on_hand_units": pa.array(lot.on_hand),
            "price_minor": pa.array(in_minor(world.market, candidates, who, price)),
            **expected_columns(expected),
            "propensity": pa.array(candidates.propensity[who]),
            **realised_columns(world.clock, outcomes, row, day, lot, horizons),
        }
    )


def expected_columns(expected: Expected) -> dict[str, pa.Array]:
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
    """Return all candidates, listed or not, with the platform's propensity and what is hidden."""
    candidates: Candidates = chunk.candidates
    rows = np.arange(len(candidates))
    codes = pa.array(list(world.market.markets))
    categories = pa.array([one.name for one in world.market.categories])
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
            "price_minor": pa.array(in_minor(world.market, candidates, rows, np.log(candidates.price))),
        }
    )
