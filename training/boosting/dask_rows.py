"""Split the file of training rows into parts, and read a part as data to fit on.

A part is rows of the samples in one row group of the Parquet file. A worker reads it with the
catalogue and the pooling parameters, and needs no other part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.catalogue.catalogue import Catalogue
from features.point_in_time.training_rows import DIGEST
from features.runtime.arrays import FloatArray, IntArray
from training.boosting.dask_errors import OtherRowsError, RowsUnreachableError
from training.data.cold_start_rows import Masked, mask_columns, origin_rows
from training.data.sample import Sample
from training.data.training_input import TrainingInput
from training.data.training_set import TrainingSet

_NO_DATA_SET: Final = "no data set"


@dataclass(frozen=True)
class RequestedRows:
    """Rows of a part that the boosters of a request learn from, each array of shape (rows,).

    `rows` are positions in the row group; `masked` is the history to mask (`Masked`).
    """

    rows: IntArray
    masked: IntArray
    label: FloatArray
    weight: FloatArray


@dataclass(frozen=True)
class Part:
    """Rows that are read at once: a row group of the file, and the rows of each request in it."""

    path: Path
    digest: str
    """Digest of the data set that the rows were built from; the reader checks it."""
    row_group: int
    rows_by_name: Mapping[str, RequestedRows]


@dataclass(frozen=True)
class FitData:
    """Data to fit a booster on: `inputs` has shape (rows, inputs), the others (rows,)."""

    inputs: FloatArray
    label: FloatArray
    weight: FloatArray


def split_into_parts(
    path: Path, training_input: TrainingInput, samples: Mapping[str, Sample], *, min_parts: int
) -> list[Part]:
    """Split the rows of the samples into parts: at least `min_parts`, if there are enough rows.

    Row groups without such rows aren't read. If fewer than `min_parts` row groups are left, each
    is cut into pieces of nearly equal size.

    Raises:
        RowsUnreachableError: the file doesn't exist here, or isn't Parquet.
        OtherRowsError: the file holds other rows than the training set.
    """
    ends = _row_group_ends(path, training_input.training_set)
    origin = origin_rows(training_input.training_set)
    sampled = np.unique(np.concatenate([origin[sample.rows] for sample in samples.values()]))
    group = np.searchsorted(ends, sampled, side="right")
    groups = np.unique(group)
    pieces = -(-min_parts // groups.size)
    parts = []
    for number in groups.tolist():
        start = int(ends[number - 1]) if number else 0
        group_rows = sampled[group == number]
        for rows in (group_rows[first::pieces] for first in range(pieces)):  # each spans all days
            requested_rows = {
                name: _select_rows(training_input.training_set, sample, origin, rows, start)
                for name, sample in samples.items()
            }
            parts.append(Part(path, training_input.training_set.digest, number, requested_rows))
    return parts


def _row_group_ends(path: Path, training_set: TrainingSet) -> IntArray:
    try:
        metadata = pq.read_metadata(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise RowsUnreachableError(str(path), str(error).splitlines()[0]) from error
    expected = int((training_set.masked == Masked.NOTHING).sum())
    digest = (metadata.metadata or {}).get(DIGEST, b"").decode()
    if (metadata.num_rows, digest) != (expected, training_set.digest):
        raise OtherRowsError(
            str(path),
            expected=f"{expected:,} rows of data set {training_set.digest[:16]}",
            actual=f"{metadata.num_rows:,} rows of {digest[:16] or _NO_DATA_SET}",
        )
    sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    return np.cumsum(sizes, dtype=np.int64)


def _select_rows(
    training_set: TrainingSet, sample: Sample, origin: IntArray, rows: IntArray, start: int
) -> RequestedRows:
    part = sample.select(np.isin(origin[sample.rows], rows))
    return RequestedRows(
        origin[part.rows] - start, training_set.masked[part.rows], part.label, part.weight
    )


def read_part(
    part: Part, catalogue: Catalogue, parameters: Mapping[str, Mapping[str, float]]
) -> dict[str, FitData]:
    """Read a part and compute its design matrix with the function that serves.

    Raises:
        OSError: the file doesn't exist under this path, or holds other rows.
    """
    inputs = [declared.name for declared in (*catalogue.request_fields, *catalogue.base)]
    with pq.ParquetFile(part.path) as file:
        if (file.metadata.metadata or {}).get(DIGEST, b"").decode() != part.digest:
            raise FileNotFoundError(f"no rows of data set {part.digest[:16]} in {part.path}")
        table = file.read_row_group(part.row_group, columns=inputs, use_threads=False)
    columns = {name: table[name].cast(pa.float64()).to_numpy() for name in inputs}
    return {
        name: _build_fit_data(columns, requested_rows, catalogue, parameters[name])
        for name, requested_rows in part.rows_by_name.items()
    }


def _build_fit_data(
    columns: Mapping[str, FloatArray],
    requested_rows: RequestedRows,
    catalogue: Catalogue,
    parameters: Mapping[str, float],
) -> FitData:
    """Compute the inputs of unmasked rows, then those of each kind of cold-start copies."""
    positions = [np.flatnonzero(requested_rows.masked == masked) for masked in Masked]
    matrices = []
    for masked, position in zip(Masked, positions, strict=True):
        masked_columns = mask_columns(columns, requested_rows.rows[position], masked, catalogue)
        matrices.append(catalogue.design_matrix(masked_columns, parameters))
    order = np.concatenate(positions)
    return FitData(
        np.concatenate(matrices), requested_rows.label[order], requested_rows.weight[order]
    )
