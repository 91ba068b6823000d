"""Open a data set on Spark, to compute the same declarations on a cluster.

Signals, interpreter, spine and labels are the same as on the embedded engine; Ibis compiles them
to Spark's SQL. No other file imports Spark. docs/spark.md shows a whole run.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ibis
import ibis.expr.types as ir
from ibis.util import gen_name

from features.dataset.dataset import Dataset, read_dataset

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTINGS: Final = {
    "spark.sql.session.timeZone": "UTC",  # times of the contract are naive UTC
    "spark.sql.timestampType": "TIMESTAMP_LTZ",  # the type that Ibis assumes for TIMESTAMP
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",  # naive times stay naive
    "spark.sql.ansi.enabled": "true",  # an overflow is an error, never another number
    "spark.sql.execution.arrow.pyspark.enabled": "true",  # results come back by column
}
"""Settings under which Spark computes the same values as DuckDB."""


def open_dataset_on_spark(directory: Path, session: SparkSession) -> Dataset:
    """Open a validated directory on Spark; driver and executors must all be able to read it.

    The data set gets a new session on the caller's cluster, with the caller's settings. `SETTINGS`
    and the views made here don't change the caller's session. Intermediate tables are local
    checkpoints, which live on the executors as long as the data set.

    Raises:
        NotValidatedError, OtherTableError: the directory differs from the output of
            `xuanpin check --out`.
    """
    connection = ibis.pyspark.connect(_derive_session(session))
    return replace(read_dataset(directory, connection), store=store_local_checkpoint)


def _derive_session(session: SparkSession) -> SparkSession:
    """Return a new session on the same cluster with the caller's settings and `SETTINGS`."""
    derived = session.newSession()
    for name, value in {**session.conf.getAll, **SETTINGS}.items():
        if derived.conf.isModifiable(name):
            derived.conf.set(name, value)
    return derived


def store_local_checkpoint(connection: Any, table: ir.Table) -> ir.Table:  # noqa: ANN401 - ibis ships no types
    """Compute a query now and keep its rows, not its plan.

    The plans of a whole catalogue would grow into each other; Spark has no temporary tables.
    """
    name = gen_name("stored")
    connection.raw_sql(connection.compile(table)).localCheckpoint(eager=True).createTempView(name)
    return connection.table(name)
