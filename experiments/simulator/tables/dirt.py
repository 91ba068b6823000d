"""Dirt: rows that an importer should catch, added to clean ones, and a ledger of them.

Dirt is only ever added: no clean row is changed or removed, so that what the check takes out is the
dirt and nothing that hangs on it. Reasons are those of the check.
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
    """What becomes of a planted row."""

    DROPPED = "dropped"
    QUARANTINED = "quarantined"
    WARNED = "warned"
    VALID = "valid"  # nothing is wrong with it alone: a model meets what it never saw


@dataclass(frozen=True)
class PlantedRows:
    """Rows of a kind of dirt in a table; `reason` is the check's, empty where it has none."""

    table: str
    kind: str
    reason: str
    seen_as: SeenAs
    rows: int = 0


@dataclass(frozen=True)
class DirtKind:
    """A kind of dirt: the tables it is planted in, and how so many rows of it are made."""

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
    """Return a chunk's tables with dirt among their rows, and what was planted.

    Each kind adds its part of `dirty` times the table's rows, one row at least.
    """
    soiled, ledger = dict(tables), []
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
        soiled[name] = _mix_rows(parts, generator(market.seed, f"places in {name}", chunk))
    return soiled, ledger


def _mix_rows(parts: list[pa.Table], rng: np.random.Generator) -> pa.Table:
    """Put planted rows anywhere among the clean ones, which keep their order."""
    whole, clean = pa.concat_tables(parts), parts[0].num_rows
    place = np.r_[np.arange(clean, dtype=np.float64), rng.random(whole.num_rows - clean) * clean]
    return whole.take(pa.array(np.argsort(place, kind="stable")))


def ledger_document(planted: list[PlantedRows]) -> str:
    """Return the ledger as JSON: rows by table and kind, over all chunks."""
    rows: Counter[PlantedRows] = Counter()
    for one in planted:
        rows[replace(one, rows=0)] += one.rows
    entries = [asdict(replace(one, rows=count)) for one, count in rows.items()]
    return json.dumps({"format": FORMAT, "planted": entries}, indent=1) + "\n"


def read_ledger(text: str) -> list[PlantedRows]:
    """Return what a ledger says was planted."""
    entries = json.loads(text)["planted"]
    return [PlantedRows(**{**entry, "seen_as": SeenAs(entry["seen_as"])}) for entry in entries]
