"""Restrict training rows to what someone had at the end of an earlier day.

Features of a row depend on its own past alone, so they stay as they are. Labels look ahead. They
are computed again from the events that were known by then, so that a late order, a late parcel or a
late return counts only where it was known. The cut-off comes from the orders known by then too.

Three things are still as of today: tables without times (products, listings) have their present
values, the first week of the rows follows from the days that all orders cover, and the defaults of
the settings were chosen by people who know what came.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import ibis
import ibis.expr.types as ir
import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from features.dataset.dataset import Dataset, open_dataset
from features.dataset.days import midnight_before
from features.dataset.horizons import Horizons
from features.point_in_time.labels import labels_looking_ahead
from features.point_in_time.signal_rows import build_lazy_rows
from features.point_in_time.training_rows import CUT_OFF, ORDER_DAYS
from features.point_in_time.visibility import AS_OF
from training.data.prepare_rows import PreparedRows

SPINE: Final = ("listing_id", AS_OF, "units_offered")


def known_rows(prepared: PreparedRows, day: int) -> pa.Table:
    """Return the training rows of the data known by the end of `day`, a day number.

    At the end of the data these are all rows.

    Raises:
        NoOrderKnownError: no order was known by then.
    """
    if day == prepared.cut_off_day:
        return prepared.read_rows()
    dataset = open_dataset(prepared.validated.directory)
    try:
        return rows_known_by(prepared.read_rows(), dataset, prepared.validated.horizons, day)
    finally:
        dataset.connection.disconnect()


def rows_known_by(rows: pa.Table, dataset: Dataset, horizons: Horizons, day: int) -> pa.Table:
    """Return the training rows that the data known by the end of `day` would have given.

    `rows` were built from `dataset` (features/point_in_time/training_rows.py). `day` is a day
    number.

    Raises:
        NoOrderKnownError: no order was known by then.
    """
    past = _keep_known(dataset, day)
    order_days = past.order_days()
    known = rows.filter(pc.less_equal(rows[AS_OF], order_days.cut_off_day))
    labels = _compute_labels(known, past, horizons)
    for name in labels.column_names:
        known = known.set_column(known.column_names.index(name), name, labels[name])
    return known.replace_schema_metadata(
        {
            **rows.schema.metadata,
            CUT_OFF: str(order_days.cut_off_day),
            ORDER_DAYS: msgspec.json.encode(order_days.covered),
        }
    )


def _keep_known(dataset: Dataset, day: int) -> Dataset:
    """Return the data set with the events that were known by the end of a day."""

    def keep(table: ir.Table) -> ir.Table:
        if "available_at" not in table.columns:
            return table
        return table.filter(midnight_before(table.available_at) <= day)

    tables = {name: keep(table) for name, table in dataset.tables.items()}
    return replace(dataset, tables=tables)


def _compute_labels(rows: pa.Table, dataset: Dataset, horizons: Horizons) -> pa.Table:
    """Return the label columns of rows, in the order of the rows."""
    spine = ibis.memtable(rows.select(SPINE))
    labels = labels_looking_ahead(build_lazy_rows(dataset, horizons), spine)
    ordered = dataset.connection.to_pyarrow(labels.order_by(AS_OF, "listing_id"))
    return ordered.drop_columns(["listing_id", AS_OF])
