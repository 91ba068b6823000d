"""Build Arrow arrays without `pyarrow.array`, whose first call imports pandas into the process.

A worker has neither the time nor the memory for it. The layouts are those of the Arrow columnar
format (arrow.apache.org, "Physical memory layout").
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
import pyarrow as pa

from features.runtime.arrays import IntArray

_NUMBERS: Final = {
    pa.int32(): np.int32,
    pa.int64(): np.int64,
    pa.float64(): np.float64,
    pa.timestamp("us", tz="UTC"): np.int64,
}
"""Types whose values lie one after the other, and the type of each in memory."""


def build_array(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    """Return values as an array; only numbers and texts may be None."""
    if type_ in _NUMBERS:
        return _build_numbers(values, type_)
    if pa.types.is_string(type_):
        return _build_texts(values)
    if pa.types.is_list(type_):
        texts = _build_texts(list(chain.from_iterable(values)))
        offsets = _build_offsets(map(len, values))
        return pa.Array.from_buffers(type_, len(values), [None, offsets], children=[texts])
    return pa.Array.from_buffers(type_, len(values), [None, pa.py_buffer(b"".join(values))])


def build_numbers(values: IntArray) -> pa.Array:
    """Return whole numbers as an array of 64 bits."""
    return pa.Array.from_buffers(pa.int64(), values.size, [None, pa.py_buffer(values)])


def read_numbers(column: pa.ChunkedArray) -> IntArray:
    """Return a column of whole numbers of 64 bits, none of them null."""
    chunks = [
        np.frombuffer(chunk.buffers()[1], np.int64, len(chunk), chunk.offset * 8)
        for chunk in column.chunks
    ]
    return np.concatenate(chunks)


def _build_numbers(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    validity = _build_validity(values)
    known = values if validity is None else [0 if value is None else value for value in values]
    buffer = pa.py_buffer(np.array(known, dtype=_NUMBERS[type_]))
    return pa.Array.from_buffers(type_, len(values), [validity, buffer])


def _build_texts(values: Sequence[str | None]) -> pa.Array:
    encoded = [b"" if value is None else value.encode() for value in values]
    buffers = [
        _build_validity(values),
        _build_offsets(map(len, encoded)),
        pa.py_buffer(b"".join(encoded)),
    ]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def _build_offsets(lengths: map[int]) -> pa.Buffer:
    ends = np.cumsum([0, *lengths], dtype=np.int32)
    return pa.py_buffer(ends)


def _build_validity(values: Sequence[Any]) -> pa.Buffer | None:
    """Return a bit for each value, 0 for None; nothing if there is none."""
    if None not in values:
        return None
    is_known = np.array([value is not None for value in values])
    return pa.py_buffer(np.packbits(is_known, bitorder="little"))
