from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from serving.decision_log.arrow_arrays import build_array, build_numbers, read_numbers


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([1, -(2**63), 2**63 - 1], pa.int64()),
        ([1, 2], pa.int32()),
        ([0.1, -0.0, None, 1e308], pa.float64()),
        ([None] * 9 + [0.5], pa.float64()),
        (["", None, "选品", "é\n\x00", "a" * 1_000], pa.string()),
        ([1_780_000_000_000_000], pa.timestamp("us", tz="UTC")),
        ([[], ["a", "選"], []], pa.list_(pa.string())),
        ([b"0" * 16, b"\xff" * 16], pa.binary(16)),
        ([], pa.string()),
        ([], pa.list_(pa.string())),
    ],
    ids=str,
)
def test_array_is_the_one_that_pyarrow_builds(values: list[Any], type_: pa.DataType) -> None:
    built = build_array(values, type_)
    built.validate(full=True)
    expected = pa.array(values, type_)
    assert built.equals(expected)
    assert str(built.to_pylist()) == str(expected.to_pylist())  # -0.0 too


def test_numbers_are_read_as_they_were_built() -> None:
    parts = [np.arange(5), np.arange(0), np.arange(3)]
    column = pa.chunked_array([build_numbers(part) for part in parts])
    assert read_numbers(column).tolist() == [0, 1, 2, 3, 4, 0, 1, 2]
    assert read_numbers(column.slice(2, 4)).tolist() == [2, 3, 4, 0]
