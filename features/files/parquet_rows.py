"""Read the rows of a Parquet file in batches whose memory is bounded, however it is packed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.contract.errors import UnreadableFileError
from features.files.headers import refuse_many_columns

MAX_BATCH_BYTES: Final = 1 << 27
"""Memory of the cells of one batch, as estimated before they are read."""

_VALUE_BYTES: Final = 8
_PLAIN_TYPES: Final = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}


def read_parquet_schema(file: Path) -> pa.Schema:
    """Return the columns of a Parquet file with the types of `read_parquet_rows`."""
    with _open_parquet(file) as parquet:
        return _plain_schema(parquet.schema_arrow)


def read_parquet_rows(file: Path, batch_rows: int) -> Iterator[pa.Table]:
    """Yield batches of at most `batch_rows` rows in order; fewer where rows are wide.

    Views of texts and bytes, which Arrow can't filter, become plain texts and bytes.

    Raises:
        UnreadableFileError: a single row would need more than `MAX_BATCH_BYTES`.
    """
    with _open_parquet(file) as parquet:
        groups = range(parquet.num_row_groups)
        row_bytes = max((_estimate_row_bytes(file, parquet, group) for group in groups), default=0)
        if row_bytes > MAX_BATCH_BYTES:
            detail = f"a single row of it may need {row_bytes / 1e9:,.1f} GB of memory"
            raise UnreadableFileError(file, detail)
        rows = min(batch_rows, int(MAX_BATCH_BYTES / max(row_bytes, 1)))
        for batch in parquet.iter_batches(rows):
            if batch.num_rows:
                batch.validate(full=True)
                yield pa.Table.from_batches([batch]).cast(_plain_schema(batch.schema))


def _plain_schema(schema: pa.Schema) -> pa.Schema:
    return pa.schema([_plain_field(field) for field in schema])


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """Return a type without views of texts and bytes, however deep they are."""
    if isinstance(kind, pa.BaseExtensionType):
        storage = _plain_type(kind.storage_type)
        return kind if storage == kind.storage_type else storage
    return _plain_nested(kind) if pa.types.is_nested(kind) else _PLAIN_TYPES.get(kind, kind)


def _plain_nested(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_map(kind):
        return pa.map_(_plain_field(kind.key_field), _plain_field(kind.item_field))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_plain_field(kind.value_field), kind.list_size)
    if pa.types.is_struct(kind):
        return pa.struct([_plain_field(field) for field in kind])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        build = pa.list_ if pa.types.is_list(kind) else pa.large_list
        return build(_plain_field(kind.value_field))
    return kind


def _plain_field(field: pa.Field) -> pa.Field:
    return field.with_type(_plain_type(field.type))


@contextmanager
def _open_parquet(file: Path, texts: list[str] | None = None) -> Iterator[pq.ParquetFile]:
    # A name may be no UTF-8, so it is given as bytes. pre_buffer would hold a whole row group in
    # memory, which may be the whole file.
    with (
        pa.OSFile(os.fsencode(file)) as data,
        pq.ParquetFile(data, pre_buffer=False, read_dictionary=texts) as parquet,
    ):
        refuse_many_columns(file, len(parquet.schema_arrow))
        yield parquet


def _estimate_row_bytes(file: Path, parquet: pq.ParquetFile, group: int) -> float:
    """Return the bytes that a row of a row group may need in memory.

    A group is packed by repeating values of a dictionary, so that its size says little. If all
    rows held the longest value of each dictionary, they would need so much.
    """
    metadata = parquet.metadata.row_group(group)
    columns = [metadata.column(place) for place in range(metadata.num_columns)]
    values = sum(column.num_values for column in columns)
    packed: float = max(metadata.total_byte_size, values * _VALUE_BYTES) / max(metadata.num_rows, 1)
    may_grow = [
        column.path_in_schema
        for column in columns
        if column.physical_type == "BYTE_ARRAY"
        and column.has_dictionary_page
        and column.total_uncompressed_size * metadata.num_rows > MAX_BATCH_BYTES
    ]
    return packed + _longest_values(file, group, may_grow)


def _longest_values(file: Path, group: int, columns: list[str]) -> int:
    """Return the sum of the lengths of the longest value in each column's dictionary."""
    if not columns:
        return 0
    with _open_parquet(file, columns) as parquet:
        batch = next(parquet.iter_batches(1, row_groups=[group], columns=columns))
    dictionaries = [column.dictionary for column in _leaves(batch.columns)]
    return sum(pc.max(pc.binary_length(values)).as_py() or 0 for values in dictionaries)


def _leaves(columns: list[pa.Array]) -> Iterator[pa.DictionaryArray]:
    """Yield the dictionary arrays among columns, also those in lists and structs."""
    for column in columns:
        if pa.types.is_dictionary(column.type):
            yield column
        elif pa.types.is_struct(column.type):
            yield from _leaves(column.flatten())
        elif pa.types.is_nested(column.type):
            yield from _leaves([column.values])
