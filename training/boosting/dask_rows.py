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
from training.data.cold_start_rows import Hidden, columns_of_copies, origins
from training.data.sample import Sample
from training.data.training_input import Material
from training.data.training_set import TrainingSet

_NAMELESS: Final = "no data set"


@dataclass(frozen=True)
class Wanted:
    """Rows of a part that a target learns from, each of shape (rows,).

    `rows` are positions in the row group and `hidden` what the copies made of them don't know.
    """

    rows: IntArray
    hidden: IntArray
    label: FloatArray
    weight: FloatArray


@dataclass(frozen=True)
class Part:
    """Rows to be read at once: a row group of the file, and what each target wants of it."""

    path: Path
    digest: str
    """Of the data set that the rows were built from: whoever reads makes sure."""
    row_group: int
    wanted: Mapping[Target, Wanted]


@dataclass(frozen=True)
class Learnable:
    """What a booster learns from: inputs of shape (rows, inputs), the others (rows,)."""

    inputs: FloatArray
    label: FloatArray
    weight: FloatArray


def cut(
    path: Path, material: Material, samples: Mapping[Target, Sample], *, least: int
) -> list[Part]:
    """Cut the rows that samples name into parts, `least` of them if there are rows enough.

    Row groups without such rows aren't read at all; where they are fewer than `least`, each is
    cut into pieces of about as many rows.

    Raises:
        RowsUnreachableError: there is no such file here, or it isn't Parquet.
        OtherRowsError: the file doesn't hold the rows of the training set.
    """
    ends = _ends_of_groups(path, material.training_set)
    origin = origins(material.training_set)
    named = np.unique(np.concatenate([origin[sample.rows] for sample in samples.values()]))
    group = np.searchsorted(ends, named, side="right")
    groups = np.unique(group)
    pieces = -(-least // groups.size)
    parts = []
    for number in groups.tolist():
        start = int(ends[number - 1]) if number else 0
        ours = named[group == number]
        for rows in (ours[place::pieces] for place in range(pieces)):  # all of them span all days
            wanted = {
                target: _wanted(material.training_set, sample, origin, rows, start)
                for target, sample in samples.items()
            }
            parts.append(Part(path, material.training_set.digest, number, wanted))
    return parts


def _ends_of_groups(path: Path, training_set: TrainingSet) -> IntArray:
    try:
        about = pq.read_metadata(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise RowsUnreachableError(str(path), str(error).splitlines()[0]) from error
    own = int((training_set.hidden == Hidden.NOTHING).sum())
    digest = (about.metadata or {}).get(DIGEST, b"").decode()
    if (about.num_rows, digest) != (own, training_set.digest):
        raise OtherRowsError(
            str(path),
            expected=f"{own} rows of data set {training_set.digest[:16]}",
            found=f"{about.num_rows} rows of {digest[:16] or _NAMELESS}",
        )
    sizes = [about.row_group(number).num_rows for number in range(about.num_row_groups)]
    return np.cumsum(sizes, dtype=np.int64)


def _wanted(
    training_set: TrainingSet, sample: Sample, origin: IntArray, rows: IntArray, start: int
) -> Wanted:
    ours = sample.where(np.isin(origin[sample.rows], rows))
    return Wanted(
        origin[ours.rows] - start, training_set.hidden[ours.rows], ours.label, ours.weight
    )


def learnable(
    part: Part, catalogue: Catalogue, parameters: Mapping[str, float]
) -> dict[Target, Learnable]:
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
        target: _learnable(columns, wanted, catalogue, parameters)
        for target, wanted in part.wanted.items()
    }


def _learnable(
    columns: Mapping[str, FloatArray],
    wanted: Wanted,
    catalogue: Catalogue,
    parameters: Mapping[str, float],
) -> Learnable:
    """Compute the inputs of rows as they are, then those of each kind of copies."""
    places = [np.flatnonzero(wanted.hidden == hidden) for hidden in Hidden]
    matrices = []
    for hidden, place in zip(Hidden, places, strict=True):
        known = columns_of_copies(columns, wanted.rows[place], hidden, catalogue)
        matrices.append(catalogue.design_matrix(known, parameters))
    order = np.concatenate(places)
    return Learnable(np.concatenate(matrices), wanted.label[order], wanted.weight[order])
