"""Materialise a snapshot: the base features of every live key at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from features.catalogue.catalogue import Catalogue
from features.dataset.dataset import Dataset
from features.dataset.days import as_of_to_day, day_number
from features.dataset.row_digests import digest_tables, hash_engine
from features.declarations.kinds import COUNT_KINDS, BaseFeature, SignalName
from features.declarations.levels import LEVEL_TITLES, Level
from features.online.contents import (
    LevelAbout,
    LevelVectors,
    ListingFacts,
    ProductFacts,
    SnapshotAbout,
    SnapshotContents,
)
from features.point_in_time.interpreter import has_signals, key_values
from features.point_in_time.level_vectors import level_vectors, live_keys
from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.visibility import AS_OF
from features.runtime.progress import ProgressCallback, ignore_progress


def snapshot_contents(
    signals: SignalRows,
    catalogue: Catalogue,
    as_of: datetime,
    levels: Mapping[Level, LevelVectors],
) -> SnapshotContents:
    """Return the contents of a snapshot: vectors, facts of products and listings, metadata."""
    day = as_of_to_day(as_of)
    return SnapshotContents(
        about=_describe(signals, catalogue, as_of, levels),
        levels=levels,
        products=product_facts(signals.dataset),
        listings=listing_facts(signals, day),
    )


def default_value(signals: SignalRows, feature: BaseFeature) -> float | None:
    """Return the value of a key without events: 0 for counts, otherwise null."""
    is_counted = isinstance(feature, COUNT_KINDS) and has_signals(signals, feature)
    return 0.0 if is_counted else None


def product_facts(dataset: Dataset) -> dict[str, ProductFacts]:
    """Return the facts of each product that aren't features."""
    names = ("product_id", *ProductFacts._fields)
    rows = zip(*_fetch_columns(dataset, dataset.tables["products"].select(*names)), strict=True)
    return {name: ProductFacts(*facts) for name, *facts in rows}


def listing_facts(signals: SignalRows, day: int) -> dict[str, ListingFacts]:
    """Return each listing's product and market, and the creator of its latest video on a day."""
    listings = signals.dataset.tables["listings"]
    keys = listings.select(
        "listing_id",
        "product_id",
        "market",
        is_live=day_number(listings.listed_at) <= day,
        **{AS_OF: ibis.literal(day, "int64")},
    )
    keys = signals.store(keys)
    with_creators = key_values(signals, SignalName.VIDEOS, "creator_id", keys)
    table = with_creators.select("listing_id", *ListingFacts._fields)
    rows = zip(*_fetch_columns(signals.dataset, table), strict=True)
    return {name: ListingFacts(*facts) for name, *facts in rows}


def _describe(
    signals: SignalRows,
    catalogue: Catalogue,
    as_of: datetime,
    levels: Mapping[Level, LevelVectors],
) -> SnapshotAbout:
    dataset = signals.dataset
    known = digest_tables(dataset, as_of_to_day(as_of))
    return SnapshotAbout(
        as_of=as_of,
        catalogue_fingerprint=catalogue.fingerprint,
        dataset_digest=dataset.digest,
        horizons=signals.horizons,
        imputed=dataset.imputed,
        markets=_find_currencies(dataset),
        categories=_list_categories(dataset),
        levels={
            level: LevelAbout(
                features=tuple(feature.name for feature in catalogue.at_level(level)),
                defaults=tuple(
                    default_value(signals, feature) for feature in catalogue.at_level(level)
                ),
                keys=len(vectors.keys),
            )
            for level, vectors in levels.items()
        },
        known_rows={name: table.rows for name, table in known.items()},
        row_digests={name: table.digest for name, table in known.items()},
        hashed_by=hash_engine(dataset),
    )


def _find_currencies(dataset: Dataset) -> dict[str, str]:
    pairs = dataset.tables["listings"].select("market", "currency").distinct().order_by("market")
    markets, currencies = _fetch_columns(dataset, pairs)
    return dict(zip(markets, currencies, strict=True))


def _list_categories(dataset: Dataset) -> tuple[str, ...]:
    (names,) = _fetch_columns(dataset, dataset.listing_facts().select("category").distinct())
    return tuple(sorted(names))


def _fetch_columns(dataset: Dataset, table: ir.Table) -> list[list[Any]]:
    """Return the columns of a table, null as None."""
    fetched = dataset.connection.to_pyarrow(table)
    return [fetched[name].to_pylist() for name in fetched.column_names]


def materialise(
    signals: SignalRows,
    catalogue: Catalogue,
    as_of: datetime,
    progress: ProgressCallback = ignore_progress,
) -> SnapshotContents:
    """Compute a snapshot at `as_of` (a UTC midnight): one vector for each key of each level."""
    day = as_of_to_day(as_of)
    levels: dict[Level, LevelVectors] = {}
    for level in Level:
        progress(LEVEL_TITLES[level], 0)
        levels[level] = level_vectors(
            signals, catalogue.at_level(level), live_keys(signals, level), day
        )
    return snapshot_contents(signals, catalogue, as_of, levels)
