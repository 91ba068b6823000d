"""Restrict training rows to what was known at an earlier end of the data."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from features.dataset.horizons import Horizons
from features.declarations.targets import TARGETS
from features.point_in_time.training_rows import CUT_OFF
from features.point_in_time.visibility import AS_OF


def read_cut_off_day(rows: pa.Table) -> int:
    """Return the day up to which the source data of training rows are complete."""
    return int(rows.schema.metadata[CUT_OFF])


def restrict_to_cut_off(rows: pa.Table, cut_off_day: int, horizons: Horizons) -> pa.Table:
    """Return the rows of moments until `cut_off_day`, with the labels that were final by then.

    The features of a row depend on its own past only and stay as they are. A label counts as final
    once its target's maturity is over. So does a return risk that waited longer for a late parcel:
    the rows don't hold when its last window closed.
    """
    until = rows.filter(pc.less_equal(rows[AS_OF], cut_off_day))
    for target in TARGETS:
        name = f"{target}_is_mature"
        over = pc.less_equal(pc.add(until[AS_OF], horizons.maturity_days(target)), cut_off_day)
        is_final = pc.and_(until[name], over)
        until = _replace_column(until, name, is_final)
        until = _replace_column(until, target, pc.if_else(is_final, until[target], None))
    return until.replace_schema_metadata({**rows.schema.metadata, CUT_OFF: str(cut_off_day)})


def _replace_column(rows: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, column)
