"""Materialise: the base features of every live key at one moment, by the same interpreter."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from features.catalogue import Catalogue
from features.dataset import Dataset
from features.days import as_of_to_day
from features.declarations import Base, FloatArray, Windowed
from features.interpreter import AS_OF, level_values
from features.levels import LEVEL_KEYS, Level
from features.signal_rows import SignalRows
from features.signals import SIGNALS
from features.snapshot import (
    LevelAbout,
    LevelVectors,
    ListingFacts,
    ProductFacts,
    SnapshotAbout,
    SnapshotContents,
)


def materialise(signals: SignalRows, catalogue: Catalogue, as_of: datetime) -> SnapshotContents:
    """Compute a snapshot: one spine row a key of each level, at `as_of` (a UTC midnight)."""
    day, dataset = as_of_to_day(as_of), signals.dataset
    levels = {level: _vectors(signals, catalogue, level, day) for level in Level}
    return SnapshotContents(
        about=_about(signals, catalogue, as_of, levels),
        levels=levels,
        products=_products(dataset),
        listings=_listings(dataset),
    )


def default_of(dataset: Dataset, feature: Base) -> float | None:
    """Return what a key without any event has: nothing counted, or null."""
    is_counted = isinstance(feature, Windowed) and dataset.has(*SIGNALS[feature.signal].needs)
    return 0.0 if is_counted else None


def _vectors(signals: SignalRows, catalogue: Catalogue, level: Level, day: int) -> LevelVectors:
    dataset = signals.dataset
    names = LEVEL_KEYS[level]
    keys = dataset.listing_facts().select(*names).distinct()
    if level is Level.PRODUCT:
        keys = dataset.tables["products"].select(*names).distinct()
    keys = keys.mutate(**{AS_OF: ibis.literal(day, "int64")})
    features = catalogue.at(level)
    values = level_values(signals, features, keys).order_by(*names)
    table = dataset.connection.to_pyarrow(values)
    columns = [_floats(table, feature.name) for feature in features]
    return LevelVectors(
        keys=list(zip(*(table[name].to_pylist() for name in names), strict=True)),
        values=np.column_stack(columns) if columns else np.empty((len(table), 0)),
    )


def _floats(table: pa.Table, name: str) -> FloatArray:
    """Return a column as float64 with null as NaN."""
    return np.asarray(table[name].to_numpy(zero_copy_only=False), dtype=np.float64)


def _about(
    signals: SignalRows,
    catalogue: Catalogue,
    as_of: datetime,
    levels: dict[Level, LevelVectors],
) -> SnapshotAbout:
    dataset = signals.dataset
    return SnapshotAbout(
        as_of=as_of,
        catalogue_fingerprint=catalogue.fingerprint,
        dataset_digest=dataset.digest,
        horizons=signals.horizons,
        imputed=dataset.imputed,
        markets=_currencies(dataset),
        categories=tuple(sorted({key[0] for key in levels[Level.CATEGORY_MARKET].keys})),
        levels={
            level: LevelAbout(
                features=tuple(feature.name for feature in catalogue.at(level)),
                defaults=tuple(default_of(dataset, feature) for feature in catalogue.at(level)),
                keys=len(vectors.keys),
            )
            for level, vectors in levels.items()
        },
    )


def _rows(dataset: Dataset, table: ir.Table) -> list[dict[str, Any]]:
    return list(dataset.connection.to_pyarrow(table).to_pylist())


def _currencies(dataset: Dataset) -> dict[str, str]:
    pairs = dataset.tables["listings"].select("market", "currency").distinct()
    return {row["market"]: row["currency"] for row in _rows(dataset, pairs.order_by("market"))}


def _products(dataset: Dataset) -> dict[str, ProductFacts]:
    facts = dataset.tables["products"].select("product_id", *ProductFacts._fields)
    return {row.pop("product_id"): ProductFacts(**row) for row in _rows(dataset, facts)}


def _listings(dataset: Dataset) -> dict[str, ListingFacts]:
    facts = dataset.tables["listings"].select("listing_id", *ListingFacts._fields)
    return {row.pop("listing_id"): ListingFacts(**row) for row in _rows(dataset, facts)}
