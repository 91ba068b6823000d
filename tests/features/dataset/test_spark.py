"""Spark: the same declarations give what DuckDB gives."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments.simulator.tables.simulate import simulate
from features.catalogue.catalogue import CATALOGUE, Catalogue
from features.dataset.dataset import Dataset, open_dataset
from features.dataset.horizons import Horizons
from features.dataset.spark import open_dataset_on_spark
from features.online.contents import SnapshotAbout, SnapshotContents
from features.point_in_time.imputed_stock import ensure_stock
from features.point_in_time.signal_rows import SignalRows, build_stored_rows
from features.point_in_time.snapshot_values import materialise
from features.point_in_time.spine import build_spine
from features.point_in_time.training_rows import build_training_rows
from features.signals.orders import count_started_days
from features.validation.validate import validate
from features.validation.validated_files import NotValidatedError
from tests.worlds.simulated import TINY

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MARKET = TINY.model_copy(update={"products": 40, "chunk_products": 20})
HORIZONS = Horizons(return_window_days=14, repurchase_window_days=60)
MOMENT = datetime(2025, 7, 1, tzinfo=UTC)
TOLERANCE = 1e-9
DIVIDED = {"sell_through", "return_risk"}
"""The columns that the engine divides; all others are counts, sums or values that occurred."""

FEW = Catalogue(
    request_fields=(),
    features=tuple(
        dict.fromkeys(
            [
                *{type(feature): feature for feature in CATALOGUE.base}.values(),
                *{feature.level: feature for feature in CATALOGUE.base}.values(),
            ]
        )
    ),
)
"""A feature of each kind and one at each level."""

OLDEST_JAVA = 17
SETTINGS: dict[str, bool | float | int | str | None] = {
    "spark.buffer.pageSize": "1m",  # forty joins in one task, each with a page at least
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "2g",
    # The JVM lives for a minute: cheap compilation, a code cache that needs no sweeping and a large
    # young generation save more time than they cost.
    "spark.driver.extraJavaOptions": (
        "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=256m -Xmn700m"
    ),
    "spark.log.level": "ERROR",
    "spark.sql.adaptive.enabled": "false",  # planning a stage anew costs more than such a stage
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.constraintPropagation.enabled": "false",  # plans of forty joins for few rows
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def java_or_skip() -> None:
    """Skip where Spark can't start, with the reason."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if java is None or not Path(java).is_file():
        pytest.skip(
            f"Spark needs Java {OLDEST_JAVA}, and there is none: neither JAVA_HOME nor PATH"
        )
    output = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr
    version = re.search(r'version "(\d+)', output)
    if version is None or int(version[1]) < OLDEST_JAVA:
        pytest.skip(f"Spark needs Java {OLDEST_JAVA}, and {java} is {output.splitlines()[0]}")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    java_or_skip()
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    scratch = tmp_path_factory.mktemp("spark")
    builder = SparkSession.Builder().master("local[2]").config(map=SETTINGS)
    builder.config("spark.local.dir", str(scratch / "local"))
    builder.config("spark.sql.warehouse.dir", str(scratch / "warehouse"))
    session = builder.getOrCreate()
    yield session
    session.stop()
    java: Any = SparkContext._gateway
    SparkContext._gateway = SparkContext._jvm = None
    java.shutdown()
    java.proc.stdin.close()  # PySpark's JVM lives until then
    java.proc.wait(timeout=60)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("market")
    simulate(MARKET, root / "raw")
    validate(root / "raw", root / "valid")
    return root / "valid"


@pytest.fixture(scope="module")
def on_spark(directory: Path, session: SparkSession) -> SignalRows:
    return build_stored_rows(open_dataset_on_spark(directory, session), HORIZONS)


@pytest.fixture(scope="module")
def on_duckdb(directory: Path) -> SignalRows:
    return build_stored_rows(open_dataset(directory), HORIZONS)


@pytest.fixture(scope="module")
def spark_rows(on_spark: SignalRows) -> pa.Table:
    return build_training_rows(on_spark, CATALOGUE)


@pytest.fixture(scope="module")
def duckdb_rows(on_duckdb: SignalRows) -> pa.Table:
    return build_training_rows(on_duckdb, CATALOGUE)


def agree(name: str, duckdb: pa.ChunkedArray, spark: pa.ChunkedArray) -> bool:
    """Return True for equal columns; quotients may differ by the tolerance."""
    if name not in DIVIDED:
        return bool(duckdb.equals(spark))
    return bool(
        np.allclose(duckdb.to_numpy(), spark.to_numpy(), rtol=0, atol=TOLERANCE, equal_nan=True)
    )


def test_training_rows_on_spark_are_those_of_duckdb(
    spark_rows: pa.Table, duckdb_rows: pa.Table
) -> None:
    assert spark_rows.schema.equals(duckdb_rows.schema, check_metadata=True)
    assert spark_rows.num_rows == duckdb_rows.num_rows > 500
    names = duckdb_rows.column_names
    assert [n for n in names if not agree(n, duckdb_rows[n], spark_rows[n])] == []


def test_training_rows_that_are_compared_hold_more_than_defaults(duckdb_rows: pa.Table) -> None:
    values = {f.name: set(duckdb_rows[f.name].to_pylist()) for f in CATALOGUE.base}
    varied = [name for name, distinct in values.items() if len(distinct - {None}) > 1]
    assert len(varied) > 0.9 * len(values)


def test_vectors_materialised_on_spark_are_those_of_duckdb(
    on_spark: SignalRows, on_duckdb: SignalRows
) -> None:
    duckdb, spark = (materialise(signals, FEW, MOMENT) for signals in (on_duckdb, on_spark))
    assert about_without_hashes(duckdb) == about_without_hashes(spark)
    assert (duckdb.products, duckdb.listings) == (spark.products, spark.listings)
    assert differing_levels(duckdb, spark) == []


def about_without_hashes(contents: SnapshotContents) -> SnapshotAbout:
    """Return the facts of a snapshot without the hashes, which differ between engines."""
    about = contents.about
    assert about.row_digests.keys() == about.known_rows.keys()
    assert all(int(about.row_digests[name], 16) for name, rows in about.known_rows.items() if rows)
    return about.model_copy(update={"row_digests": {}, "hashed_by": ""})


def differing_levels(duckdb: SnapshotContents, spark: SnapshotContents) -> list[str]:
    """Return the levels whose keys or values differ."""
    return [
        level
        for level, vectors in duckdb.levels.items()
        if vectors.keys != spark.levels[level].keys
        or not np.allclose(
            vectors.values, spark.levels[level].values, rtol=0, atol=TOLERANCE, equal_nan=True
        )
    ]


def test_stock_imputed_on_spark_is_that_of_duckdb(
    on_spark: SignalRows, on_duckdb: SignalRows
) -> None:
    duckdb, spark = (imputed_stock(signals.dataset) for signals in (on_duckdb, on_spark))
    assert duckdb.num_rows > 500
    assert duckdb.cast(spark.schema).equals(spark)


def imputed_stock(dataset: Dataset) -> pa.Table:
    without = {name: table for name, table in dataset.tables.items() if name != "stock"}
    stock = ensure_stock(replace(dataset, tables=without), HORIZONS).tables["stock"]
    table = dataset.connection.to_pyarrow(stock.order_by("event_time", "listing_id"))
    assert isinstance(table, pa.Table)
    return table


@pytest.mark.parametrize(
    ("stop", "days"),
    [
        ("2025-01-01 00:00:00", 0),
        ("2025-01-01 23:59:59.600000", 1),
        ("2025-01-02 00:00:00", 1),
        ("2025-01-02 00:00:00.000001", 2),
    ],
)
def test_started_days_are_counted_to_the_microsecond_by_both(
    on_spark: SignalRows, on_duckdb: SignalRows, stop: str, days: int
) -> None:
    start, end = (ibis.literal(text).cast("timestamp") for text in ("2025-01-01 00:00:00", stop))
    counted = count_started_days(start, end)
    results = [rows.dataset.connection.execute(counted) for rows in (on_spark, on_duckdb)]
    assert results == [days, days]


def test_executors_write_parquet_that_duckdb_reads_alike(
    on_spark: SignalRows, duckdb_rows: pa.Table, tmp_path: Path
) -> None:
    spine = build_spine(on_spark)
    on_spark.dataset.connection.to_parquet(spine, tmp_path / "spine")
    written = pq.read_table(tmp_path / "spine").sort_by(
        [("as_of_day", "ascending"), ("listing_id", "ascending")]
    )
    assert written.cast(pa.schema([duckdb_rows.schema.field(n) for n in written.column_names])) == (
        duckdb_rows.select(written.column_names).replace_schema_metadata()
    )


def test_session_of_the_caller_is_left_as_it_was(
    session: SparkSession, on_spark: SignalRows
) -> None:
    own: Dataset = on_spark.dataset
    assert own.connection.list_tables()
    assert session.catalog.listTables() == []
    assert own.connection.raw_sql("SET spark.sql.shuffle.partitions").first().value == "2"


def test_directory_without_orders_is_refused(session: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(NotValidatedError, match="xuanpin check"):
        open_dataset_on_spark(tmp_path, session)


@pytest.mark.parametrize("java", ["none", "old"])
def test_spark_is_skipped_with_the_reason_without_java(
    java: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    if java == "old":
        (tmp_path / "java").write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
        (tmp_path / "java").chmod(0o755)
    with pytest.raises(pytest.skip.Exception, match="Spark needs Java 17"):
        java_or_skip()
