"""Data sets that validation didn't write, or that nobody knew, are refused with a way out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contract.tables import TABLES
from features.dataset.dataset import Dataset, NoOrderKnownError, open_dataset
from features.runtime.errors import DataError
from features.validation.validate import validate
from features.validation.validated_files import NotValidatedError, OtherTableError
from tests.worlds.random_markets import Engine, random_world
from tests.worlds.sources import small_source, write_csv


def test_cut_off_of_orders_that_were_never_known_is_refused() -> None:
    frames = random_world(0)
    orders = frames["orders"]
    never = pd.Series(pd.NaT, index=orders.index, dtype="datetime64[us]")
    frames["orders"] = orders.assign(available_at=never)
    with pytest.raises(NoOrderKnownError, match="Fill available_at in orders"):
        Engine(frames).dataset.cut_off_day()


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("validated")
    validate(write_csv(root / "source", small_source()), root / "valid")
    return root / "valid"


@pytest.fixture
def valid(made_once: Path, tmp_path: Path) -> Path:
    """Return a copy of a validated directory, for a test to spoil."""
    return shutil.copytree(made_once, tmp_path / "valid")


def test_directory_opens_as_validation_wrote_it(valid: Path) -> None:
    dataset = open_dataset(valid)
    assert set(dataset.tables) == set(small_source()) <= {table.name for table in TABLES}


def _cut(directory: Path) -> None:
    path = directory / "orders.parquet"
    path.write_bytes(path.read_bytes()[:1_000])


def _copy(directory: Path) -> None:
    shutil.copy(directory / "products.parquet", directory / "orders.parquet")


def _orders(change: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        path = directory / "orders.parquet"
        pq.write_table(change(pq.read_table(path)), path)

    return damage


def _units_in_parts(orders: pa.Table) -> pa.Table:
    place = orders.column_names.index("units")
    return orders.set_column(place, "units", orders["units"].cast(pa.float64()))


@pytest.mark.parametrize(
    ("damage", "error", "says"),
    [
        (_cut, OtherTableError, r"orders\.parquet .*: it can't be read as Parquet"),
        (_copy, OtherTableError, r"column 1 is product_id .*, not order_line_id \(string\)"),
        (_orders(_units_in_parts), OtherTableError, r"is units \(double\), not units \(int64\)"),
        (
            _orders(lambda orders: orders.drop_columns("available_at")),
            OtherTableError,
            r"orders\.parquet .*: it has 9 columns, not 10",
        ),
        (
            _orders(lambda orders: orders.append_column("planted", orders["units"])),
            OtherTableError,
            r"orders\.parquet .*: it has 11 columns, not 10",
        ),
        (
            lambda directory: (directory / "listings.parquet").unlink(),
            NotValidatedError,
            r"valid is no validated data set: it has no valid listings\.parquet",
        ),
        (
            lambda directory: (directory / "report.json").unlink(),
            NotValidatedError,
            r"it has no valid report\.json",
        ),
        (
            lambda directory: (directory / "report.json").write_text("{}"),
            NotValidatedError,
            r"it has no valid report\.json",
        ),
        (
            lambda directory: (directory / "report.json").write_text("[" * 100_000),
            NotValidatedError,
            r"it has no valid report\.json",
        ),
    ],
)
def test_directory_that_validation_did_not_write_so_is_refused(
    valid: Path, damage: Callable[[Path], None], error: type[DataError], says: str
) -> None:
    damage(valid)
    with pytest.raises(error, match=says) as refusal:
        open_dataset(valid)
    assert "with `xuanpin check DIR --out VALIDATED`" in str(refusal.value)


@pytest.mark.parametrize("kind", ["int64", "float64", "string", "timestamp", "boolean"])
def test_persisted_table_is_the_one_that_ibis_would_create(kind: str) -> None:
    connection = ibis.duckdb.connect()
    dataset = Dataset(connection=connection, tables={}, digest="")
    value = ibis.null("string").cast(kind)
    table = ibis.memtable({"a": [1, 2], "b c": ["x", None]})
    table = dataset.persist(table).mutate(value=value, wide=ibis._.a.sum().over(), same=ibis._.a)
    actual, expected = (
        dataset.persist(table),
        connection.create_table("expected", table, temp=True),
    )
    assert actual.schema() == expected.schema()
    names = (actual.op().name, expected.op().name)
    described = [connection.raw_sql(f'DESCRIBE "{name}"').fetchall() for name in names]
    assert described[0] == described[1]
    assert connection.to_pyarrow(actual).equals(connection.to_pyarrow(expected))
