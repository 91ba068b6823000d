"""Parts of the training rows' file against the design matrix that is made at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from tests.worlds.training import market_rows
from training.boosting.dask_errors import OtherRowsError, RowsUnreachableError
from training.boosting.dask_rows import read_part, split_into_parts
from training.data.cold_start_rows import Masked, origin_rows
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput
from training.data.training_set import TrainingSet

Samples = dict[str, Sample]


@pytest.fixture(scope="module")
def samples(splits: dict[Target, TargetSplit]) -> Samples:
    return {target: split.train for target, split in splits.items()}


def _sorted(inputs: FloatArray, label: FloatArray, weight: FloatArray) -> FloatArray:
    """Return all in one matrix, in an order that depends on the values alone."""
    whole = np.column_stack([inputs, label, weight])
    return whole[np.lexsort(np.nan_to_num(whole, nan=-1.0).T)]


@pytest.mark.parametrize(("group_rows", "least"), [(10**6, 1), (10**6, 3), (700, 2), (301, 9)])
def test_parts_hold_every_row_of_a_sample_once_as_it_is_served(
    group_rows: int,
    least: int,
    rows: pa.Table,
    training_input: TrainingInput,
    samples: Samples,
    tmp_path: Path,
) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(rows, path, row_group_size=group_rows)
    parts = split_into_parts(path, training_input, samples, min_parts=least)
    assert len(parts) >= least
    parameters = dict.fromkeys(samples, training_input.parameters)
    read = [read_part(part, CATALOGUE, parameters) for part in parts]
    for target, sample in samples.items():
        found = [
            np.concatenate([getattr(one[target], name) for one in read])
            for name in ("inputs", "label", "weight")
        ]
        expected = _sorted(training_input.design_matrix(sample.rows), sample.label, sample.weight)
        assert np.array_equal(_sorted(*found), expected, equal_nan=True)
        masked = np.concatenate([part.rows_by_name[target].masked for part in parts])
        counts = np.bincount(training_input.training_set.masked[sample.rows])
        assert np.bincount(masked).tolist() == counts.tolist()
        assert (counts > 0).sum() == len(Masked)


def test_pieces_of_a_row_group_span_its_days(
    rows: pa.Table, training_input: TrainingInput, samples: Samples, tmp_path: Path
) -> None:
    pq.write_table(rows, tmp_path / "rows.parquet")
    sizes = []
    for part in split_into_parts(tmp_path / "rows.parquet", training_input, samples, min_parts=2):
        days = training_input.training_set.as_of_day[part.rows_by_name["sell_through"].rows]
        train = training_input.training_set.as_of_day[samples["sell_through"].rows]
        assert (days.min(), days.max()) == (train.min(), train.max())
        sizes.append(days.size)
    assert max(sizes) < 1.2 * min(sizes)


def test_row_groups_that_no_sample_names_are_not_read(
    rows: pa.Table, training_input: TrainingInput, samples: Samples, tmp_path: Path
) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(rows, path, row_group_size=300)
    last = max(
        part.row_group for part in split_into_parts(path, training_input, samples, min_parts=2)
    )
    furthest = max(
        int(origin_rows(training_input.training_set)[s.rows].max()) for s in samples.values()
    )
    assert last == furthest // 300 < pq.read_metadata(path).num_row_groups - 1


def test_copies_come_from_the_row_that_they_repeat(training_set: TrainingSet) -> None:
    origin = origin_rows(training_set)
    assert (training_set.masked[origin] == Masked.NOTHING).all()
    listing = training_set.keys["listing_id"].codes
    assert np.array_equal(listing[origin], listing)
    assert np.array_equal(training_set.as_of_day[origin], training_set.as_of_day)


@pytest.mark.parametrize(
    ("stored", "error", "message"),
    [
        (None, RowsUnreachableError, "rows.parquet"),
        (b"no Parquet", RowsUnreachableError, "Every worker must read"),
        (market_rows(0, weeks=30), OtherRowsError, "found 3,352 rows"),
        (market_rows(0).replace_schema_metadata({}), OtherRowsError, "no data set"),
    ],
)
def test_files_that_hold_other_rows_are_refused(
    stored: pa.Table | bytes | None,
    error: type[Exception],
    message: str,
    training_input: TrainingInput,
    samples: Samples,
    tmp_path: Path,
) -> None:
    path = tmp_path / "rows.parquet"
    if isinstance(stored, bytes):
        path.write_bytes(stored)
    elif stored is not None:
        pq.write_table(stored, path)
    with pytest.raises(error, match=message):
        split_into_parts(path, training_input, samples, min_parts=2)


def test_readers_refuse_a_file_of_another_data_set(
    rows: pa.Table, training_input: TrainingInput, samples: Samples, tmp_path: Path
) -> None:
    pq.write_table(rows, tmp_path / "rows.parquet")
    part = split_into_parts(tmp_path / "rows.parquet", training_input, samples, min_parts=1)[0]
    with pytest.raises(OSError, match="no rows of data set ffff"):
        read_part(replace(part, digest="f" * 64), CATALOGUE, {})
