"""Show cells of any type as texts, for people who look for what is wrong with them."""

from __future__ import annotations

import json
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

UNPRINTABLE: Final = "(a value that can't be shown)"


def format_cells(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of any type as texts; no cell stops it.

    Bytes that aren't UTF-8 are hexadecimal, nested cells are JSON, and times with a zone are UTC.
    """
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        utc = column.cast(pa.timestamp(column.type.unit))
        return pc.binary_join_element_wise(utc.cast(pa.string()), "Z", "")
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.chunked_array([[_format_cell(cell) for cell in column]], pa.string())


def _format_cell(cell: pa.Scalar) -> str | None:
    if not cell.is_valid:
        return None
    if isinstance(cell, pa.ExtensionScalar):
        return _format_cell(cell.value)
    try:
        value = cell.as_py()
        return (
            _show(value)
            if isinstance(value, bytes)
            else json.dumps(value, default=_show, ensure_ascii=False)
        )
    except (OverflowError, ValueError, TypeError):  # a time that Python doesn't have
        return _cast_cell(cell)


def _show(value: Any) -> str:  # noqa: ANN401 - whatever a cell holds
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def _cast_cell(cell: pa.Scalar) -> str:
    """Return Arrow's own text of a cell; it knows times of any year."""
    return str(cell.cast(pa.string()).as_py()) if not pa.types.is_nested(cell.type) else UNPRINTABLE
