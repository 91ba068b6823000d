"""Add dirt: rows that an importer should catch, and a ledger of them.

Dirt is only added: no clean row changes or disappears, so the check removes the dirt and no other
row. The reasons are those of the check.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
import pyarrow as pa

from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.configuration.randomness import generator
from experiments.simulator.tables import dirt_kinds as make
from experiments.simulator.tables.dirt_kinds import DirtSite

LEDGER: Final = "dirt.json"
FORMAT: Final = "xuanpin-dirt/1"


class SeenAs(StrEnum):
    """The fate of a planted row in the check."""

    DROPPED = "dropped"
    QUARANTINED = "quarantined"
    WARNED = "warned"
    VALID = "valid"  # valid on its own: a model meets a category that it never saw


@dataclass(frozen=True)
class PlantedRows:
    """The rows of a kind of dirt in a table; `reason` is the check's, empty without one."""

    table: str
    kind: str
    reason: str
    seen_as: SeenAs
    rows: int = 0


@dataclass(frozen=True)
class DirtKind:
    """A kind of dirt: its tables, and the function that returns a number of its rows."""

    name: str
    tables: tuple[str, ...]
    plant: Callable[[DirtSite, int], pa.Table]
    reason: str = ""
    seen_as: SeenAs = SeenAs.QUARANTINED


KINDS: Final = (
    DirtKind(
        "identical_duplicate",
        ("products", "listings", "orders", "returns", "stock", "video_stats"),
        make.repeat_rows,
        seen_as=SeenAs.DROPPED,
    ),
    DirtKind(
        "conflicting_duplicate", tuple(make.CONFLICT), make.conflict_pairs, "conflicting_duplicate"
    ),
    DirtKind("orphan", ("deliveries", "returns"), make.orphan_rows, "no_valid_order_line"),
    DirtKind("orphan", ("video_stats",), make.orphan_rows, "no_valid_video"),
    DirtKind("orphan", ("stock", "prices"), make.orphan_rows, "no_valid_listing"),
    DirtKind(
        "clock_skew",
        ("orders", "reviews", "videos", "stock", "video_stats"),
        make.skew_clocks,
        "available_before_it_happened",
    ),
    DirtKind("excess_return", ("returns",), make.return_excess, "more_than_bought"),
    DirtKind("return_before_order", ("returns",), make.return_before_order, "before_its_order"),
    DirtKind("other_currency", ("listings",), make.change_currency, "currency_not_the_markets"),
    DirtKind(
        "mistyped_currency",
        ("listings",),
        make.mistype_currency,
        "currency: not one of the allowed words",
    ),
    DirtKind("personal_data", ("products",), make.add_personal_data, "title", SeenAs.WARNED),
    DirtKind("unseen_category", ("products",), make.change_category, "", SeenAs.VALID),
)


def add_dirt(
    market: Simulation, chunk: int, tables: dict[str, pa.Table]
) -> tuple[dict[str, pa.Table], list[PlantedRows]]:
    """Return a chunk's tables with dirt among their rows, and the planted rows.

    The kinds of a table share `dirty` times its rows; each adds at least one row.
    """
    dirty, ledger = dict(tables), []
    for name, clean in tables.items():
        kinds = [kind for kind in KINDS if name in kind.tables]
        if not (kinds and clean.num_rows and market.dirty):
            continue
        rows = max(round(market.dirty * clean.num_rows / len(kinds)), 1)
        parts = [clean]
        for kind in kinds:
            rng = generator(market.seed, f"{kind.name} in {name}", chunk)
            parts.append(kind.plant(DirtSite(chunk, name, tables, rng), rows))
            ledger.append(
                PlantedRows(name, kind.name, kind.reason, kind.seen_as, parts[-1].num_rows)
            )
        dirty[name] = _mix_rows(parts, generator(market.seed, f"places in {name}", chunk))
    return dirty, ledger


def _mix_rows(parts: list[pa.Table], rng: np.random.Generator) -> pa.Table:
    """Insert planted rows at random positions among the clean rows, which keep their order."""
    rows, clean = pa.concat_tables(parts), parts[0].num_rows
    position = np.r_[np.arange(clean, dtype=np.float64), rng.random(rows.num_rows - clean) * clean]
    return rows.take(pa.array(np.argsort(position, kind="stable")))


def ledger_document(planted: list[PlantedRows]) -> str:
    """Return the ledger as JSON: rows by table and kind, over all chunks."""
    rows: Counter[PlantedRows] = Counter()
    for entry in planted:
        rows[replace(entry, rows=0)] += entry.rows
    entries = [asdict(replace(entry, rows=count)) for entry, count in rows.items()]
    return json.dumps({"format": FORMAT, "planted": entries}, indent=1) + "\n"


def read_ledger(text: str) -> list[PlantedRows]:
    """Return the planted rows of a ledger."""
    entries = json.loads(text)["planted"]
    return [PlantedRows(**{**entry, "seen_as": SeenAs(entry["seen_as"])}) for entry in entries]
