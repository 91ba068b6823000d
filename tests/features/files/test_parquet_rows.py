"""Parquet: every type of text, and files that unpack to far more than their size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import features.files.parquet_rows
from features.contract.errors import TooManyColumnsError, UnreadableFileError
from features.files.parquet_rows import read_parquet_rows
from features.files.table_files import read_batches, read_column_types
from features.runtime.refusals import NotEnoughMemoryError
from features.validation.validate import validate
from tests.worlds.sources import required_source, write_parquet

LITTLE = 1_000_000


def write_repeated(file: Path, value: str, rows: int) -> Path:
    """Write one value in many rows: a dictionary of one entry, and next to nothing else."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([value]))
    numbers = pa.array(np.zeros(rows, dtype=np.int64))
    table = pa.table({"text": column, "number": numbers})
    pq.write_table(table, file, compression="zstd", store_schema=False)
    return file


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(features.files.parquet_rows, "MAX_BATCH_BYTES", LITTLE)
    return LITTLE


def test_batches_get_shorter_where_a_packed_value_is_long(
    tmp_path: Path, little_memory: int
) -> None:
    file = write_repeated(tmp_path / "a.parquet", "x" * 5_000, 500)
    assert file.stat().st_size < 2_000
    batches = list(read_parquet_rows(file, 250_000))
    assert sum(batch.num_rows for batch in batches) == 500
    assert max(batch.nbytes for batch in batches) <= little_memory
    assert len(batches) == 3


def test_batches_of_nested_packed_values_get_shorter_too(
    tmp_path: Path, little_memory: int
) -> None:
    long = "x" * 5_000
    rows = [[{"a": long, "b": 1}, {"a": long, "b": 2}]] * 300
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"nested": pa.array(rows)}), file, compression="zstd")
    sizes = [batch.nbytes for batch in read_parquet_rows(file, 250_000)]
    assert max(sizes) <= 2 * little_memory
    assert len(sizes) == 2


@pytest.mark.usefixtures("little_memory")
def test_row_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    file = write_repeated(tmp_path / "a.parquet", "x" * 2_000_000, 5)
    with pytest.raises(UnreadableFileError, match=r"a single row of it may need 0\.0 GB of memory"):
        list(read_batches(file, 0))


def test_ordinary_rows_come_in_batches_of_the_usual_size(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    rows = 30_000
    table = pa.table({"id": [f"l{i}" for i in range(rows)], "market": ["DE"] * rows})
    pq.write_table(table, file, row_group_size=1_000)
    sizes = [batch.num_rows for batch in read_parquet_rows(file, 12_000)]
    assert sizes == [12_000, 12_000, 6_000]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_file_of_a_hundred_thousand_columns_is_refused_at_once(tmp_path: Path, suffix: str) -> None:
    names = [f"c{number}" for number in range(100_000)]
    file = tmp_path / f"a.{suffix}"
    if suffix == "csv":
        file.write_text(f"{','.join(names)}\n{','.join('1' for _ in names)}\n")
    else:
        pq.write_table(pa.table([pa.array([1])] * 5_000, names[:5_000]), file)
    for read in (read_column_types, lambda path: list(read_batches(path, 0))):
        with pytest.raises(TooManyColumnsError, match=r"columns; at most 2,000 are read"):
            read(file)


def test_used_up_memory_is_a_storage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def use_up(*_: object) -> object:
        raise pa.ArrowMemoryError("malloc of size 9 failed")

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", use_up)
    file = write_repeated(tmp_path / "a.parquet", "x", 5)
    with pytest.raises(NotEnoughMemoryError, match=r"enough memory to read the file a\.parquet"):
        list(read_batches(file, 0))


@pytest.mark.parametrize(
    "text",
    [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())],
    ids=str,
)
def test_every_type_of_text_means_the_same(tmp_path: Path, text: pa.DataType) -> None:
    data = write_parquet(tmp_path / "data", required_source())
    plain = validate(data, tmp_path / "plain")
    for file in data.iterdir():
        table = pq.read_table(file)
        for place, field in enumerate(table.schema):
            if pa.types.is_string(field.type):
                column = table[field.name].cast(text)
                table = table.set_column(place, field.name, column)
        pq.write_table(table, file)
    assert validate(data, tmp_path / "other").tables == plain.tables
