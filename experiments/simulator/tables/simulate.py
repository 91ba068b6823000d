"""Simulate a market chunk by chunk, so that memory holds a single chunk."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa

from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.mechanisms.plan import build_world
from experiments.simulator.tables.chunk_tables import make_chunk, make_shared_tables
from experiments.simulator.tables.dirt import LEDGER, PlantedRows, add_dirt, ledger_document
from experiments.simulator.tables.writing import MARK, publish_directories, write_part
from features.runtime.progress import ProgressCallback, ignore_progress


def simulate(
    market: Simulation, out: Path, progress: ProgressCallback = ignore_progress
) -> dict[str, int]:
    """Write a simulated market into `out` and its truth beside it; return rows by table.

    `out` receives a folder of Parquet files for each table of the contract. Equal configurations
    give equal bytes. Memory doesn't grow with the number of chunks.

    Raises:
        StorageError: the disk refuses, or `out` holds other files.
    """
    world = build_world(market)
    rows: Counter[str] = Counter()
    ledger: list[PlantedRows] = []
    with publish_directories(out) as (data, truth):
        _write(data, 0, make_shared_tables(world), rows)
        for number in range(market.chunks):
            chunk = make_chunk(world, number)
            tables, planted = add_dirt(market, number, chunk.tables)
            ledger += planted
            _write(data, number, tables, rows)
            _write(truth, number, chunk.truth, Counter())
            progress("simulating", rows.total())
        (truth / LEDGER).write_text(ledger_document(ledger), encoding="utf-8")
        document = market.model_dump(mode="json")
        text = json.dumps(document, indent=1, sort_keys=True) + "\n"
        (truth / MARK).write_text(text, encoding="utf-8")
    return dict(rows)


def _write(directory: Path, part: int, tables: dict[str, pa.Table], rows: Counter[str]) -> None:
    for name, table in tables.items():
        write_part(directory, name, part, table)
        rows[name] += table.num_rows
