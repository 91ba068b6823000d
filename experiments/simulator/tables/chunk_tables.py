"""Simulate a chunk of products: its tables of the contract, and its truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from experiments.simulator.configuration.knowledge import add_availability
from experiments.simulator.mechanisms import policy, prices, stock, videos
from experiments.simulator.mechanisms.candidates import listing_names
from experiments.simulator.mechanisms.creators import creator_stats
from experiments.simulator.mechanisms.localisation import localisation_rows
from experiments.simulator.mechanisms.plan import Chunk, ChunkPlan, World, draw_chunk, make_plan
from experiments.simulator.mechanisms.requirements import (
    count_missing_certificates,
    requirement_rows,
)
from experiments.simulator.mechanisms.stock import StockPath
from experiments.simulator.mechanisms.suppliers import audit_rows
from experiments.simulator.outcomes import orders
from experiments.simulator.outcomes.outcomes import sum_outcomes
from experiments.simulator.outcomes.returns import draw_returns
from experiments.simulator.outcomes.sales import Columns, sales_columns
from experiments.simulator.tables.shop_window import listing_table, product_table
from experiments.simulator.tables.truth_rows import candidate_truth, weekly_truth
from features.contract.columns import ColumnKind, column_kind
from features.contract.tables import TABLE_BY_NAME
from features.runtime.arrays import IntArray

PARENTS: Final = {
    "deliveries": ("orders", "order_line_id"),
    "returns": ("orders", "order_line_id"),
    "reviews": ("orders", "order_line_id"),
    "video_stats": ("videos", "video_id"),
}
"""Rows are exported only with their parent: its table, and the column that names it."""
TYPES: Final = {
    ColumnKind.TEXT: pa.string(),
    ColumnKind.INTEGER: pa.int64(),
    ColumnKind.NUMBER: pa.float64(),
    ColumnKind.FLAG: pa.bool_(),
    ColumnKind.TIME: pa.timestamp("us"),
}


@dataclass(frozen=True)
class ChunkTables:
    """Tables of the contract by name, and tables of the truth by name."""

    tables: dict[str, pa.Table]
    truth: dict[str, pa.Table]


def make_shared_tables(world: World) -> dict[str, pa.Table]:
    """Return the tables that belong to no product."""
    market = world.market
    followers = creator_stats(market, world.creators)
    inspections = audit_rows(market, world.suppliers)
    tables = {
        "creator_stats": add_availability(market, "creator_stats", followers),
        "requirements": requirement_rows(market),
        "supplier_audits": add_availability(market, "supplier_audits", inspections),
    }
    return {name: cast_to_contract(name, table) for name, table in tables.items()}


def make_chunk(world: World, number: int) -> ChunkTables:
    """Simulate a chunk: draw its plan, roll the dice, and keep the rows known at the export."""
    chunk = draw_chunk(world, number)
    candidates = chunk.candidates
    rows = np.flatnonzero(candidates.is_listed)
    plan = make_plan(world, chunk, rows)
    count = len(candidates)
    gone = policy.draw_takedown_day(world.market, plan.hazard, rows, count=count, chunk=number)
    demanded = orders.draw_demanded_lines(world, plan, gone, chunk=number)
    weekly_demand = orders.sum_weekly_demand(world, demanded, rows.size)
    path = stock.follow_stock(world, chunk, plan, demanded=weekly_demand, gone=gone)
    lines = orders.draw_lines(world, chunk, plan, orders.fill_orders(world, demanded, path.on_hand))
    returned = draw_returns(world, plan, lines, chunk=number)
    events = {
        **_offer_columns(world, chunk, plan, path),
        **sales_columns(world.market, chunk, plan, lines, returned),
        **_public_columns(world, chunk, plan, gone),
    }
    outcomes = sum_outcomes(world.clock, rows.size, lines, returned, world.horizons)
    return ChunkTables(
        tables=_tables(world, chunk, events),
        truth={
            "moments": weekly_truth(world, chunk, plan, path, outcomes),
            "candidates": candidate_truth(world, chunk),
        },
    )


def cast_to_contract(name: str, table: pa.Table) -> pa.Table:
    """Return a table with the contract's columns, in its order and with its types."""
    columns = TABLE_BY_NAME[name].columns
    schema = pa.schema(
        [(column, TYPES[column_kind(declared)]) for column, declared in columns.items()]
    )
    return table.select(schema.names).cast(schema)


def _tables(world: World, chunk: Chunk, events: dict[str, Columns]) -> dict[str, pa.Table]:
    market = world.market
    names = listing_names(market, chunk.candidates)
    tables = {
        "products": product_table(market, chunk),
        "listings": listing_table(market, chunk, names),
    }
    for name, columns in events.items():
        listing = columns.pop("listing", None)
        if listing is not None:
            columns["listing_id"] = names.take(pa.array(listing))
        tables[name] = add_availability(market, name, columns, chunk=chunk.number)
    for name, (parent, column) in PARENTS.items():
        is_known = pc.is_in(tables[name][column], value_set=tables[parent][column])
        tables[name] = tables[name].filter(is_known)
    return {name: cast_to_contract(name, table) for name, table in tables.items()}


def _offer_columns(
    world: World, chunk: Chunk, plan: ChunkPlan, path: StockPath
) -> dict[str, Columns]:
    """Return the columns of the sellers' actions: prices, stock, localisation."""
    market, clock, candidates = world.market, world.clock, chunk.candidates
    return {
        "prices": prices.price_rows(market, clock, candidates, chunk.price_changes),
        "stock": stock.stock_rows(clock, candidates, plan, path),
        "localisation": localisation_rows(clock, candidates, chunk.settings),
    }


def _public_columns(
    world: World, chunk: Chunk, plan: ChunkPlan, gone: IntArray
) -> dict[str, Columns]:
    """Return the columns of others: creators' videos, and policy cases until a takedown."""
    market, clock = world.market, world.clock
    is_shown = chunk.candidates.is_listed[chunk.videos.candidate]
    shown = np.flatnonzero(is_shown & (chunk.videos.day < clock.days))
    missing = count_missing_certificates(market, clock, chunk.settings, plan.rows)
    last_day = np.minimum(gone, clock.total_days - 1)
    is_by_law = (missing[np.arange(gone.size), last_day] > 0).astype(np.int64)
    takedown = (plan.rows, gone, is_by_law)
    return {
        "videos": videos.video_rows(chunk.number, chunk.videos, shown),
        "video_stats": videos.video_stats_rows(market, clock, chunk.number, chunk.videos, shown),
        "policy_events": policy.policy_rows(
            market, clock, chunk.cases, takedown, chunk=chunk.number
        ),
    }
