"""Show cells of any type as texts: for a CSV file, and for people who look for what is wrong."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

_JSON_TYPES: Final = (
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_string,
)
"""Types whose cells JSON holds as they are."""


def format_cells(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of any type as texts; no cell stops it, and no digit is lost.

    Bytes that aren't UTF-8 are hexadecimal, nested cells are JSON, and times with a zone are UTC.
    """
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        utc = column.cast(pa.timestamp(column.type.unit))
        return pc.binary_join_element_wise(utc.cast(pa.string()), "Z", "")
    if not isinstance(column.type, pa.BaseExtensionType):
        with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return column.cast(pa.string())
    return pa.chunked_array([[_format_cell(cell) for cell in column]], pa.string())


def _format_cell(cell: pa.Scalar) -> str | None:
    if not cell.is_valid:
        return None
    if pa.types.is_nested(cell.type):
        return json.dumps(_to_json(cell), ensure_ascii=False)
    if isinstance(cell, pa.ExtensionScalar):
        return str(cell.as_py()) if isinstance(cell, pa.UuidScalar) else _format_cell(cell.value)
    if pa.types.is_timestamp(cell.type) and cell.type.tz is not None:
        return f"{cell.cast(pa.timestamp(cell.type.unit)).cast(pa.string()).as_py()}Z"
    try:
        return str(cell.cast(pa.string()).as_py())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        value = cell.as_py()
        return value.hex() if isinstance(value, bytes) else str(value)


def _to_json(cell: pa.Scalar) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value without passing Python's times, which lack years and nanoseconds."""
    if not cell.is_valid:
        return None
    if isinstance(cell, pa.StructScalar):
        return {name: _to_json(value) for name, value in cell.items()}
    if pa.types.is_nested(cell.type):
        return [_to_json(value) for value in cell.values]
    if any(is_type(cell.type) for is_type in _JSON_TYPES):
        value = cell.as_py()
        return None if isinstance(value, float) and not math.isfinite(value) else value
    return _format_cell(cell)
