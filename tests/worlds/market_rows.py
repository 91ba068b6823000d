"""Rows of random markets as training sees them: every key, every level, features of both sorts."""

from __future__ import annotations

from functools import cache

import ibis
import numpy as np
import pandas as pd

from features.catalogue.catalogue import CATALOGUE
from features.point_in_time.signal_rows import SignalRows, build_stored_rows
from features.point_in_time.training_rows import feature_rows
from features.point_in_time.visibility import AS_OF
from features.runtime.arrays import FloatArray
from tests.worlds.random_markets import HORIZONS, Engine, random_world

PARAMETERS = {name: 0.1 if name.endswith("_mean") else 20.0 for name in CATALOGUE.parameters}
KEYS = ("listing_id", "product_id", "supplier_id", "creator_id", "category", "market")
CREATORS = ("C0", "C1", "C9", None)


def build_rows(signals: SignalRows, days: tuple[int, ...]) -> pd.DataFrame:
    """Return each listing with each creator, and with none, at days, with every base feature.

    The columns are those of training rows: keys, request fields, base features.
    """
    dataset = signals.dataset
    listings = dataset.connection.execute(dataset.listing_facts())
    frame = listings.merge(pd.DataFrame({"creator_id": CREATORS}), how="cross")
    frame = frame.merge(pd.DataFrame({AS_OF: days}), how="cross")
    frame["list_price_minor"] = 100.0 + np.arange(len(frame)) * 7 % 900
    frame["units_offered"] = 1.0 + np.arange(len(frame)) * 5 % 60
    spine = signals.store(ibis.memtable(frame))
    rows = dataset.connection.to_pyarrow(feature_rows(signals, CATALOGUE, spine)).to_pandas()
    return pd.DataFrame(rows).sort_values([AS_OF, "listing_id", "creator_id"], ignore_index=True)


def build_matrix(rows: pd.DataFrame) -> FloatArray:
    """Return the values of rows that hold request fields and base features."""
    names = [one.name for one in (*CATALOGUE.request_fields, *CATALOGUE.base)]
    columns = {name: rows[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in names}
    return CATALOGUE.value_matrix(columns, PARAMETERS)


@cache
def collect_values() -> dict[str, FloatArray]:
    """Return many values of each declaration, from a few markets at a few moments."""
    first = pd.Timestamp("2024-01-01")
    days = tuple((first - pd.Timestamp("1970-01-01")).days + day for day in (30, 80, 119, 400))
    markets = [
        build_rows(
            build_stored_rows(Engine(random_world(seed, orders=240)).dataset, HORIZONS), days
        )
        for seed in range(2)
    ]
    matrix = np.concatenate([build_matrix(rows) for rows in markets])
    names = [declared.name for declared in CATALOGUE.declarations]
    return dict(zip(names, matrix.T, strict=True))
