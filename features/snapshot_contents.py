"""What goes into a snapshot beside its vectors: what it says about itself, products, listings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from features.catalogue import Catalogue
from features.dataset import Dataset
from features.days import as_of_to_day
from features.declarations import Base, SignalName
from features.interpreter import COUNTING, has_signals, key_values
from features.levels import Level
from features.signal_rows import SignalRows, day_of
from features.snapshot import (
    LevelAbout,
    LevelVectors,
    ListingFacts,
    ProductFacts,
    SnapshotAbout,
    SnapshotContents,
)
from features.visibility import AS_OF


def snapshot_contents(
    signals: SignalRows,
    catalogue: Catalogue,
    as_of: datetime,
    levels: Mapping[Level, LevelVectors],
) -> SnapshotContents:
    """Return the contents of a snapshot with these vectors."""
    day = as_of_to_day(as_of)
    return SnapshotContents(
        about=_about(signals, catalogue, as_of, levels),
        levels=levels,
        products=product_facts(signals.dataset),
        listings=listing_facts(signals, day),
    )


def default_of(signals: SignalRows, feature: Base) -> float | None:
    """Return what a key without any event has: nothing counted, or null."""
    is_counted = isinstance(feature, COUNTING) and has_signals(signals, feature)
    return 0.0 if is_counted else None


def product_facts(dataset: Dataset) -> dict[str, ProductFacts]:
    """Return what is known of each product beside its features."""
    names = ("product_id", *ProductFacts._fields)
    rows = zip(*_columns(dataset, dataset.tables["products"].select(*names)), strict=True)
    return {name: ProductFacts(*facts) for name, *facts in rows}


def listing_facts(signals: SignalRows, day: int) -> dict[str, ListingFacts]:
    """Return what each listing is of, and who made its latest video as known on a day."""
    listings = signals.dataset.tables["listings"]
    keys = listings.select(
        "listing_id",
        "product_id",
        "market",
        is_live=day_of(listings.listed_at) <= day,
        **{AS_OF: ibis.literal(day, "int64")},
    )
    keys = signals.keep(keys)
    facts = key_values(signals, SignalName.VIDEOS, "creator_id", keys)
    chosen = facts.select("listing_id", *ListingFacts._fields)
    rows = zip(*_columns(signals.dataset, chosen), strict=True)
    return {name: ListingFacts(*its) for name, *its in rows}


def known_rows(dataset: Dataset, day: int) -> dict[str, int]:
    """Return of each table with times how many of its rows were known on a day.

    A listing counts as known from the day on that it went live.
    """
    tables = {
        name: table for name, table in sorted(dataset.tables.items()) if _known_columns(table)
    }
    by_day = dataset.computed(_known_by_day, *tables.values())
    known = by_day.filter(by_day.known_day <= day).group_by("place")
    places, rows = _columns(dataset, known.agg(rows=ibis._.rows.sum().cast("int64")))
    counts = dict(zip(places, rows, strict=True))
    return {name: counts.get(place, 0) for place, name in enumerate(tables)}


def _known_by_day(*tables: ir.Table) -> ir.Table:
    """Count the rows of each table by the day on which they were known."""
    counts = []
    for place, table in enumerate(tables):
        (known_at,) = _known_columns(table)
        days = table.select(known_day=day_of(table[known_at]))
        counts.append(
            days.group_by("known_day").agg(place=ibis.literal(place, "int64"), rows=days.count())
        )
    return ibis.union(*counts)


def _known_columns(table: ir.Table) -> list[str]:
    """Return the column that says when each row was known; none where rows have no time."""
    return [name for name in ("available_at", "listed_at") if name in table.columns]


def _about(
    signals: SignalRows,
    catalogue: Catalogue,
    as_of: datetime,
    levels: Mapping[Level, LevelVectors],
) -> SnapshotAbout:
    dataset = signals.dataset
    return SnapshotAbout(
        as_of=as_of,
        catalogue_fingerprint=catalogue.fingerprint,
        dataset_digest=dataset.digest,
        horizons=signals.horizons,
        imputed=dataset.imputed,
        markets=_currencies(dataset),
        categories=_categories(dataset),
        levels={
            level: LevelAbout(
                features=tuple(feature.name for feature in catalogue.at(level)),
                defaults=tuple(default_of(signals, feature) for feature in catalogue.at(level)),
                keys=len(vectors.keys),
            )
            for level, vectors in levels.items()
        },
        known_rows=known_rows(dataset, as_of_to_day(as_of)),
    )


def _currencies(dataset: Dataset) -> dict[str, str]:
    pairs = dataset.tables["listings"].select("market", "currency").distinct().order_by("market")
    markets, currencies = _columns(dataset, pairs)
    return dict(zip(markets, currencies, strict=True))


def _categories(dataset: Dataset) -> tuple[str, ...]:
    (names,) = _columns(dataset, dataset.listing_facts().select("category").distinct())
    return tuple(sorted(names))


def _columns(dataset: Dataset, table: ir.Table) -> list[list[Any]]:
    """Return the columns of a table, null as None."""
    found = dataset.connection.to_pyarrow(table)
    return [found[name].to_pylist() for name in found.column_names]
