"""The one door to Spark: the same declarations, computed by a cluster.

Signals, interpreter, spine and labels are the ones that the embedded engine runs; Ibis writes them
as Spark's SQL. docs/spark.md shows a whole run.
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
    "spark.sql.timestampType": "TIMESTAMP_LTZ",  # what Ibis takes Spark's TIMESTAMP for
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",  # naive times stay naive
    "spark.sql.ansi.enabled": "true",  # an overflow is an error, never another number
    "spark.sql.execution.arrow.pyspark.enabled": "true",  # results come back by column
}
"""What has to hold so that Spark computes what DuckDB computes."""


def open_dataset_on_spark(directory: Path, session: SparkSession) -> Dataset:
    """Open a validated directory, which driver and executors can all read, on Spark.

    Works in a session of its own beside the given one: the same cluster and settings, but
    `SETTINGS` and the views made here don't touch the caller's. Steps are kept as local
    checkpoints, which live on the executors for as long as the data set does.

    Raises:
        NotValidatedError, OtherTableError: it isn't as `xuanpin check --out` wrote it.
    """
    connection = ibis.pyspark.connect(_derive_session(session))
    return replace(read_dataset(directory, connection), store=store_local_checkpoint)


def _derive_session(session: SparkSession) -> SparkSession:
    """Return a new session on the same cluster with the caller's settings and ours."""
    beside = session.newSession()
    for name, value in {**session.conf.getAll, **SETTINGS}.items():
        if beside.conf.isModifiable(name):
            beside.conf.set(name, value)
    return beside


def store_local_checkpoint(connection: Any, table: ir.Table) -> ir.Table:  # noqa: ANN401 - ibis ships no types
    """Compute a query now and keep its rows, not its plan.

    The plans of a whole catalogue would grow into each other; Spark has no temporary tables.
    """
    name = gen_name("stored")
    connection.raw_sql(connection.compile(table)).localCheckpoint(eager=True).createTempView(name)
    return connection.table(name)
