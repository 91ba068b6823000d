"""Columns of orders, deliveries, returns and reviews."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.identifiers import format_ids, hash_numbers, take_names
from experiments.simulator.mechanisms.creators import creator_names
from experiments.simulator.mechanisms.logistics import CARRIERS
from experiments.simulator.mechanisms.plan import Chunk, ChunkPlan
from experiments.simulator.mechanisms.prices import to_minor_units
from experiments.simulator.outcomes.orders import OrderLines
from experiments.simulator.outcomes.returns import REASONS, ReturnedLines
from experiments.simulator.outcomes.reviews import review_rows
from features.runtime.arrays import IntArray

Columns = dict[str, Any]
CHUNK_DIGITS: Final = 5
LINE_DIGITS: Final = 8
BUYER_DIGITS: Final = 13
DAY_DIGITS: Final = 4


def line_names(chunk: int, rows: IntArray) -> pa.Array:
    """Return the identifiers of a chunk's order lines."""
    return format_ids("O", (np.full(rows.size, chunk), CHUNK_DIGITS), (rows, LINE_DIGITS))


def sales_columns(
    market: Simulation, chunk: Chunk, plan: ChunkPlan, lines: OrderLines, returned: ReturnedLines
) -> dict[str, Columns]:
    """Return the columns of orders, deliveries, returns and reviews."""
    names = line_names(chunk.number, np.arange(lines.row.size))
    reviews = review_rows(market, lines, chunk.number)
    reviewed_line = reviews.pop("line")
    listing = plan.rows[lines.row]
    return {
        "orders": _orders(market, chunk, plan, lines, names),
        "deliveries": _deliveries(chunk, lines, names, listing),
        "returns": {
            "order_line_id": names.take(pa.array(returned.line)),
            "units": pa.array(returned.units),
            "reason": take_names(REASONS, returned.reason),
            "event_time": pa.array(returned.time),
        },
        "reviews": {
            "listing": listing[reviewed_line],
            "order_line_id": names.take(pa.array(reviewed_line)),
            **reviews,
        },
    }


def _orders(
    market: Simulation, chunk: Chunk, plan: ChunkPlan, lines: OrderLines, names: pa.Array
) -> Columns:
    """Return order lines in order of time; the lines of a buyer on a day form an order."""
    order = np.argsort(lines.time, kind="stable")
    by_time = lines.select(order)
    listing = plan.rows[by_time.row]
    price = to_minor_units(
        market, chunk.candidates, listing, plan.log_price[by_time.row, by_time.day]
    )
    creator = creator_names(np.maximum(by_time.creator, 0))
    return {
        "order_line_id": names.take(pa.array(order)),
        "order_id": format_ids("Q", (by_time.buyer, BUYER_DIGITS), (by_time.day, DAY_DIGITS)),
        "listing": listing,
        "buyer_key": hash_numbers(by_time.buyer, market.seed),
        "units": pa.array(by_time.units),
        "unit_price_minor": pa.array(price),
        "creator_id": take_names(creator, np.where(by_time.creator < 0, -1, np.arange(order.size))),
        "promised_days": pa.array(by_time.promised.astype(np.float64)),
        "event_time": pa.array(by_time.time),
    }


def _deliveries(chunk: Chunk, lines: OrderLines, names: pa.Array, listing: IntArray) -> Columns:
    order = np.argsort(lines.delivered, kind="stable")
    mode, place = chunk.candidates.mode[listing], chunk.candidates.place[listing]
    return {
        "order_line_id": names.take(pa.array(order)),
        "carrier": take_names(CARRIERS, ((mode + place) % len(CARRIERS))[order]),
        "event_time": pa.array(lines.delivered[order]),
    }
