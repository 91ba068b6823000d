from __future__ import annotations

import json
import uuid
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.cells.formatting import format_cells

I64 = pa.int64()


def _from_numbers(numbers: list[int], arrow_type: pa.DataType) -> pa.Array:
    storage = pa.int32() if pa.types.is_date32(arrow_type) else I64
    return pa.array(numbers, storage).cast(arrow_type)


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (pa.array(["a", None, ""]), ["a", None, ""]),
        (pa.array(["a"], pa.large_string()), ["a"]),
        (pa.array(["a", None]).dictionary_encode(), ["a", None]),
        (pa.array([2**63 - 1, None]), ["9223372036854775807", None]),
        (pa.array([Decimal("1999.00")]), ["1999.00"]),
        (pa.array([Decimal("1.50")], pa.decimal256(50, 2)), ["1.50"]),
        (
            _from_numbers([0, -719_529, 2**31 - 1], pa.date32()),
            ["1970-01-01", "-0001-12-31", "<value out of range: 2147483647>"],
        ),
        (_from_numbers([1], pa.timestamp("ns")), ["1970-01-01 00:00:00.000000001"]),
        (
            _from_numbers([2**63 - 1], pa.timestamp("us")),
            ["<value out of range: 9223372036854775807>"],
        ),
        (_from_numbers([0], pa.timestamp("s", "Asia/Shanghai")), ["1970-01-01 00:00:00Z"]),
        (_from_numbers([0], pa.timestamp("s", "UTC+8")), ["1970-01-01 00:00:00Z"]),
        (_from_numbers([1], pa.time64("us")), ["00:00:00.000001"]),
        (pa.array([b"abc", b"\xff\x00", None]), ["abc", "ff00", None]),
        (pa.array([b"ab", b"\xff\x01"], pa.binary(2)), ["ab", "ff01"]),
        (pa.array([uuid.UUID(int=1).bytes], pa.uuid()), ["00000000-0000-0000-0000-000000000001"]),
        (
            pa.ListArray.from_arrays([0, 1], pa.array([uuid.UUID(int=1).bytes], pa.uuid())),
            [f'["{uuid.UUID(int=1)}"]'],
        ),
        (pa.nulls(1), [None]),
        (pa.array([[1, None], [], None]), ["[1, null]", "[]", None]),
        (pa.array([{"a": "手", "b": 0.5}]), ['{"a": "手", "b": 0.5}']),
        (pa.array([[{"a": float("nan")}]]), ['[{"a": null}]']),
        (pa.array([[True, False]]), ["[true, false]"]),
        (pa.array([[b"\xff"]]), ['["ff"]']),
        (
            pa.array([[2**63 - 1, 0]]).cast(pa.list_(pa.timestamp("us"))),
            ['["<value out of range: 9223372036854775807>", "1970-01-01 00:00:00.000000"]'],
        ),
        (
            pa.array([[("k", 1)]], pa.map_(pa.string(), I64)),
            ['[{"key": "k", "value": 1}]'],
        ),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_column_of_any_type_has_a_text(column: pa.Array, texts: list[str | None]) -> None:
    assert format_cells(pa.chunked_array([column])).to_pylist() == texts


@given(st.lists(st.none() | st.lists(st.none() | st.integers(-(2**63), 2**63 - 1))))
def test_nested_cells_are_json_that_gives_them_back(cells: list[list[int | None] | None]) -> None:
    texts = format_cells(pa.chunked_array([cells], pa.list_(I64))).to_pylist()
    assert [None if text is None else json.loads(text) for text in texts] == cells
