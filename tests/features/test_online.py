"""The online snapshot: the training value bit for bit, and refusal of what isn't a snapshot."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.catalogue import CATALOGUE
from features.days import to_datetime
from features.levels import Level
from features.materialise import materialise
from features.online import (
    LookupKeys,
    OnlineSnapshot,
    verify_snapshot,
    write_snapshot,
)
from features.signal_rows import stored_rows
from features.snapshot import ListingFacts, ProductFacts, SnapshotRefusedError
from features.training_rows import build_training_rows
from tests.worlds import HORIZONS, Engine, random_world


def bits(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[str]:
    return [float(value).hex() for value in values]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(random_world(11))


@pytest.fixture(scope="module")
def rows(engine: Engine) -> pd.DataFrame:
    table = build_training_rows(stored_rows(engine.dataset, HORIZONS), CATALOGUE)
    return pd.DataFrame(table.to_pandas())


@pytest.fixture
def snapshot(engine: Engine, rows: pd.DataFrame, tmp_path: Path) -> Path:
    day = int(rows.as_of_day.max())
    write_snapshot(
        materialise(stored_rows(engine.dataset, HORIZONS), CATALOGUE, to_datetime(day)),
        tmp_path / "snapshot",
    )
    return tmp_path / "snapshot"


@pytest.mark.parametrize("quantile", [0.2, 0.6, 1.0])
def test_online_row_is_the_training_row_bit_for_bit(
    engine: Engine, rows: pd.DataFrame, tmp_path: Path, quantile: float
) -> None:
    day = int(rows.as_of_day.quantile(quantile, interpolation="nearest"))
    trained = rows[rows.as_of_day == day]
    contents = materialise(stored_rows(engine.dataset, HORIZONS), CATALOGUE, to_datetime(day))
    write_snapshot(contents, tmp_path)
    online = OnlineSnapshot.open(tmp_path)
    keys = (trained[name].tolist() for name in ("listing_id", "product_id", "category", "market"))
    result = online.look_up(LookupKeys(*keys))
    assert set(result.columns) == {feature.name for feature in CATALOGUE.base}
    for name, values in result.columns.items():
        assert bits(values) == bits(trained[name].to_numpy()), name
    assert all(found.all() for found in result.found.values())


def test_unknown_keys_get_what_empty_history_has_in_training(snapshot: Path) -> None:
    online = OnlineSnapshot.open(snapshot)
    result = online.look_up(LookupKeys([None], ["new"], [None], ["US"]))
    assert result.found[Level.MARKET].tolist() == [True]
    assert not result.found[Level.LISTING][0]
    assert result.columns["units_ordered_28d"].tolist() == [0.0]
    assert np.isnan(result.columns["days_since_last_order"][0])
    assert result.columns["units_ordered_market_84d"][0] > 0


def test_snapshot_knows_products_listings_and_markets(snapshot: Path) -> None:
    online = OnlineSnapshot.open(snapshot)
    assert online.product("P1") == ProductFacts("c1", "c", "S1")
    assert online.product("P2") == ProductFacts("c0", None, None)
    assert online.listing("US-P0") == ListingFacts("P0", "US")
    assert (online.product("new"), online.listing("new")) == (None, None)
    assert online.about.markets == {"US": "USD", "GB": "USD"}
    assert online.categories == {"c0", "c1"}


def test_verifying_a_snapshot_without_data_is_refused(snapshot: Path) -> None:
    (snapshot / "data.mdb").unlink()
    with pytest.raises(SnapshotRefusedError, match=r"Expected data\.mdb; found none"):
        verify_snapshot(snapshot)


def test_equal_contents_give_equal_files(engine: Engine, tmp_path: Path) -> None:
    ids = set()
    for name in ("first", "second"):
        contents = materialise(stored_rows(engine.dataset, HORIZONS), CATALOGUE, to_datetime(19800))
        ids.add(write_snapshot(contents, tmp_path / name))
    first, second = tmp_path / "first", tmp_path / "second"
    assert len(ids) == 1
    assert (first / "data.mdb").read_bytes() == (second / "data.mdb").read_bytes()


def open_verified(directory: Path) -> None:
    OnlineSnapshot.open(directory).close()
    verify_snapshot(directory)


def _flip_a_bit(directory: Path) -> None:
    data = bytearray((directory / "data.mdb").read_bytes())
    data[len(data) // 2] ^= 1
    (directory / "data.mdb").write_bytes(bytes(data))


def _truncate(directory: Path) -> None:
    data = (directory / "data.mdb").read_bytes()
    (directory / "data.mdb").write_bytes(data[: len(data) // 2])


def _change(**facts: object) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        about = json.loads((directory / "snapshot.json").read_text())
        (directory / "snapshot.json").write_text(json.dumps({**about, **facts}))

    return change


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_flip_a_bit, "SHA-256"),
        (_truncate, "bytes"),
        (_change(format=2), "format 1"),
        (_change(levels={"listing": {"features": []}}), "levels.listing.defaults"),
        (_change(planted="x"), "planted"),
        (lambda directory: (directory / "snapshot.json").unlink(), "snapshot.json"),
        (lambda directory: (directory / "data.mdb").unlink(), "0 bytes"),
        (lambda directory: (directory / "snapshot.json").write_bytes(b"\xff{"), "Invalid JSON"),
    ],
)
def test_damaged_snapshot_is_refused_with_the_reason(
    snapshot: Path, damage: Callable[[Path], None], says: str
) -> None:
    damage(snapshot)
    with pytest.raises(SnapshotRefusedError, match=says) as refusal:
        open_verified(snapshot)
    assert "Make a new one" in str(refusal.value)
