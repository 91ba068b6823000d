"""What a source holds beside its candidates comes out as it went in."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.batch.answer_columns import ANSWER_COLUMNS, OutputColumns, plan_columns
from serving.batch.errors import OutputFormatError
from serving.batch.table_writer import create_table

REFUSED: dict[str, Any] = {**dict.fromkeys(ANSWER_COLUMNS.names), "error": "market: wrong_form"}

ODD = pa.table(
    {
        "day": pa.array([2**31 - 1, -719_529], pa.int32()).cast(pa.date32()),
        "infinity": pa.array([2**63 - 1, -(2**63)], pa.int64()).cast(pa.timestamp("us")),
        "nano": pa.array([1, None], pa.int64()).cast(pa.timestamp("ns", "Asia/Shanghai")),
        "unknown_zone": pa.array([0, 1], pa.int64()).cast(pa.timestamp("ms", "UTC+8")),
        "binary": [b"\xff", b"ab"],
        "nested": [[{"a": 1}], None],
        "money": [Decimal("8.30"), None],
        "colour": pa.array(["手", None]).dictionary_encode(),
        "float": [0.1, None],
    }
)


def write(path: Path, table: pa.Table) -> OutputColumns:
    columns = plan_columns(table.schema, has_selection=False)
    with create_table(path, columns) as write_rows:
        write_rows(table, [REFUSED] * len(table))
    return columns


def test_parquet_keeps_every_type_to_the_bit(tmp_path: Path) -> None:
    write(tmp_path / "out.parquet", ODD)
    written = pq.read_table(tmp_path / "out.parquet")
    assert written.select(ODD.column_names).cast(ODD.schema).equals(ODD)
    assert written.schema.types[: len(ODD.schema)] == ODD.schema.types
    assert written["error"].to_pylist() == ["market: wrong_form"] * 2


def test_csv_writes_any_type_as_text(tmp_path: Path) -> None:
    write(tmp_path / "out.csv", ODD)
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [[row[name] for name in ODD.column_names] for row in csv.DictReader(file)]
    assert rows == [
        [
            "<value out of range: 2147483647>",
            "<value out of range: 9223372036854775807>",
            "1970-01-01 00:00:00.000000001Z",
            "1970-01-01 00:00:00.000Z",
            "ff",
            '[{"a": 1}]',
            "8.30",
            "手",
            "0.1",
        ],
        [
            "'-0001-12-31",
            "<value out of range: -9223372036854775808>",
            "",
            "1970-01-01 00:00:00.001Z",
            "ab",
            "",
            "",
            "",
            "",
        ],
    ]


def test_csv_begins_with_the_mark_that_excel_needs_and_pandas_skips(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write(path, pa.table({"名称": ["手机壳"]}))
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert pd.read_csv(path)["名称"].tolist() == ["手机壳"]


def test_csv_guards_names_and_cells_against_formulas(tmp_path: Path) -> None:
    write(tmp_path / "out.csv", pa.table({"=a": ["=1+1", "-5"], "day": [dt.date(2026, 3, 2)] * 2}))
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert [row[:2] for row in rows] == [
        ["'=a", "day"],
        ["'=1+1", "2026-03-02"],
        ["-5", "2026-03-02"],
    ]


@pytest.mark.parametrize("name", ["out.txt", "out", "out.xlsx", "out.csv.gz"])
def test_result_of_another_format_is_wrong_usage(name: str, tmp_path: Path) -> None:
    with pytest.raises(OutputFormatError) as caught:
        write(tmp_path / name, ODD)
    assert caught.value.exit_code == 2
    assert not list(tmp_path.iterdir())
