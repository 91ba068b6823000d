"""Simulated markets for tests: whole in memory, made once a configuration."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa

from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.mechanisms.plan import build_world
from experiments.simulator.tables.chunk_tables import make_chunk, make_shared_tables

Frame: TypeAlias = Any
"""A pandas frame or series: the stubs know too little of columns to be of use here."""
Frames: TypeAlias = dict[str, Frame]

TINY = Simulation(products=240, chunk_products=120, markets=("US", "DE"), days=240)
SMALL = Simulation(days=300)


def change_sizes(market: Simulation, section: str, **sizes: float) -> Simulation:
    """Return a market with other sizes in a section."""
    changed = {**getattr(market, section).model_dump(), **sizes}
    return Simulation.model_validate({**market.model_dump(), section: changed})


@lru_cache(maxsize=6)
def make_market(market: Simulation) -> tuple[Frames, Frames]:
    """Return all tables of the contract, and all of the truth, as frames."""
    world = build_world(market)
    chunks = [make_chunk(world, number) for number in range(market.chunks)]
    tables = dict(make_shared_tables(world))
    for name in chunks[0].tables:
        tables[name] = pa.concat_tables([chunk.tables[name] for chunk in chunks])
    truth = {
        name: pa.concat_tables([chunk.truth[name] for chunk in chunks]) for name in chunks[0].truth
    }
    return _frames(tables), _frames(truth)


def _frames(tables: dict[str, pa.Table]) -> Frames:
    return {name: table.to_pandas() for name, table in tables.items()}


def sold_lines(tables: Frames) -> Frame:
    """Return order lines with their listing, product, delivery and units returned."""
    lines = tables["orders"].merge(tables["listings"], on="listing_id")
    lines = lines.merge(tables["products"], on="product_id", suffixes=("", "_of_cost"))
    back = tables["returns"].groupby("order_line_id").units.sum().rename("returned").reset_index()
    lines = lines.merge(back, on="order_line_id", how="left").fillna({"returned": 0})
    arrived = tables["deliveries"][["order_line_id", "event_time"]]
    lines = lines.merge(arrived.rename(columns={"event_time": "delivered"}), on="order_line_id")
    days = (lines.delivered - lines.event_time) / pd.Timedelta(days=1)
    return lines.assign(is_late=days > lines.promised_days)


def repurchase(lines: Frame, days: int = 90) -> Frame:
    """Return by category the share of first-time buyers of a listing who buy it again in time."""
    keys = ["listing_id", "buyer_key"]
    first = lines.groupby(keys).event_time.transform("min")
    window = pd.Timedelta(days=days)
    is_again = (lines.event_time > first) & (lines.event_time <= first + window)
    is_mature = first <= lines.event_time.max() - window
    buyers = lines[is_mature].assign(is_again=is_again[is_mature]).groupby([*keys, "category"])
    return buyers.is_again.any().groupby("category").mean()
