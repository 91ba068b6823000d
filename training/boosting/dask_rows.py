"""Parts of the training rows' file: who reads what, and what becomes of it.

A part is some of the rows that samples name, all of one row group of the Parquet file. Whoever
reads it needs the file, the catalogue and the pooling parameters, and no other part.
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
from features.declarations.targets import Target
from features.point_in_time.training_rows import DIGEST
from features.runtime.arrays import FloatArray, IntArray
from training.boosting.dask_errors import OtherRowsError, RowsUnreachableError
from training.data.cold_start_rows import Masked, mask_columns, origin_rows
from training.data.sample import Sample
from training.data.training_input import TrainingInput
from training.data.training_set import TrainingSet

_NO_DATA_SET: Final = "no data set"


@dataclass(frozen=True)
class TargetRows:
    """Rows of a part that a target learns from, each of shape (rows,).

    `rows` are positions in the row group and `masked` what the copies made of them don't know.
    """

    rows: IntArray
    masked: IntArray
    label: FloatArray
    weight: FloatArray


@dataclass(frozen=True)
class Part:
    """Rows to be read at once: a row group of the file, and what each target wants of it."""

    path: Path
    digest: str
    """Of the data set that the rows were built from: whoever reads makes sure."""
    row_group: int
    target_rows: Mapping[Target, TargetRows]


@dataclass(frozen=True)
class FitData:
    """What a booster learns from: inputs of shape (rows, inputs), the others (rows,)."""

    inputs: FloatArray
    label: FloatArray
    weight: FloatArray


def split_into_parts(
    path: Path, training_input: TrainingInput, samples: Mapping[Target, Sample], *, least: int
) -> list[Part]:
    """Cut the rows that samples name into parts, `least` of them if there are rows enough.

    Row groups without such rows aren't read at all; where they are fewer than `least`, each is
    cut into pieces of about as many rows.

    Raises:
        RowsUnreachableError: there is no such file here, or it isn't Parquet.
        OtherRowsError: the file doesn't hold the rows of the training set.
    """
    ends = _row_group_ends(path, training_input.training_set)
    origin = origin_rows(training_input.training_set)
    named = np.unique(np.concatenate([origin[sample.rows] for sample in samples.values()]))
    group = np.searchsorted(ends, named, side="right")
    groups = np.unique(group)
    pieces = -(-least // groups.size)
    parts = []
    for number in groups.tolist():
        start = int(ends[number - 1]) if number else 0
        ours = named[group == number]
        for rows in (ours[place::pieces] for place in range(pieces)):  # all of them span all days
            target_rows = {
                target: _select_rows(training_input.training_set, sample, origin, rows, start)
                for target, sample in samples.items()
            }
            parts.append(Part(path, training_input.training_set.digest, number, target_rows))
    return parts


def _row_group_ends(path: Path, training_set: TrainingSet) -> IntArray:
    try:
        about = pq.read_metadata(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise RowsUnreachableError(str(path), str(error).splitlines()[0]) from error
    own = int((training_set.masked == Masked.NOTHING).sum())
    digest = (about.metadata or {}).get(DIGEST, b"").decode()
    if (about.num_rows, digest) != (own, training_set.digest):
        raise OtherRowsError(
            str(path),
            expected=f"{own} rows of data set {training_set.digest[:16]}",
            found=f"{about.num_rows} rows of {digest[:16] or _NO_DATA_SET}",
        )
    sizes = [about.row_group(number).num_rows for number in range(about.num_row_groups)]
    return np.cumsum(sizes, dtype=np.int64)


def _select_rows(
    training_set: TrainingSet, sample: Sample, origin: IntArray, rows: IntArray, start: int
) -> TargetRows:
    ours = sample.select(np.isin(origin[sample.rows], rows))
    return TargetRows(
        origin[ours.rows] - start, training_set.masked[ours.rows], ours.label, ours.weight
    )


def read_part(
    part: Part, catalogue: Catalogue, parameters: Mapping[str, float]
) -> dict[Target, FitData]:
    """Read a part and compute its design matrix with the function that serves.

    Raises:
        OSError: there is no such file under this path, or it holds other rows.
    """
    inputs = [declared.name for declared in (*catalogue.request_fields, *catalogue.base)]
    with pq.ParquetFile(part.path) as file:
        if (file.metadata.metadata or {}).get(DIGEST, b"").decode() != part.digest:
            raise FileNotFoundError(f"no rows of data set {part.digest[:16]} in {part.path}")
        table = file.read_row_group(part.row_group, columns=inputs, use_threads=False)
    columns = {name: table[name].cast(pa.float64()).to_numpy() for name in inputs}
    return {
        target: _build_fit_data(columns, target_rows, catalogue, parameters)
        for target, target_rows in part.target_rows.items()
    }


def _build_fit_data(
    columns: Mapping[str, FloatArray],
    target_rows: TargetRows,
    catalogue: Catalogue,
    parameters: Mapping[str, float],
) -> FitData:
    """Compute the inputs of rows as they are, then those of each kind of copies."""
    places = [np.flatnonzero(target_rows.masked == masked) for masked in Masked]
    matrices = []
    for masked, place in zip(Masked, places, strict=True):
        known = mask_columns(columns, target_rows.rows[place], masked, catalogue)
        matrices.append(catalogue.design_matrix(known, parameters))
    order = np.concatenate(places)
    return FitData(np.concatenate(matrices), target_rows.label[order], target_rows.weight[order])
