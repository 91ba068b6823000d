"""The kinds of cells: one spelling gives one candidate, whatever the file or request is."""

from __future__ import annotations

import csv
import datetime as dt
import os
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from features.cells.faults import MONEY_FRACTION
from features.contract.errors import (
    DuplicateColumnsError,
    MissingColumnsError,
    UnreadableFileError,
)
from features.runtime.errors import DataError
from serving.batch.candidate_file import CANDIDATES, open_candidates
from serving.batch.errors import NoCandidateFileError
from serving.scoring.candidates import Candidate, parse_candidate
from serving.scoring.refusals import Detail

GOOD: dict[str, Any] = {
    "product_id": "mug-1",
    "market": "GB",
    "list_price_minor": 499,
    "currency": "GBP",
    "units_offered": 100,
}
NAMES = tuple(CANDIDATES.columns)

Answer = Candidate | Detail


def answer(field: str, value: object) -> Answer:
    """Return what a row has to give: a candidate with a value, or a fault of the field."""
    if isinstance(value, Detail):
        return value
    return Candidate(**{**GOOD, field: value})


def wrong(field: str, code: str, reason: str = "") -> Detail:
    return Detail((field,), code, reason)


def read(path: Path) -> list[Answer]:
    return [row for batch in open_candidates(path).batches() for row in batch.candidates]


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, NAMES)
        writer.writeheader()
        writer.writerows(rows)


def write_text_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    texts = [
        {name: None if cell is None else str(cell) for name, cell in row.items()} for row in rows
    ]
    schema = pa.schema([(name, pa.string()) for name in NAMES])
    pq.write_table(pa.Table.from_pylist(texts, schema), path)


def write_workbook(path: Path, rows: list[dict[str, Any]]) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, NAMES)
        for number, row in enumerate(rows, start=1):
            for column, name in enumerate(NAMES):
                if row.get(name) is not None:
                    sheet.write_string(number, column, str(row[name]))


WRITERS: dict[str, Callable[[Path, list[dict[str, Any]]], None]] = {
    "in.csv": write_csv,
    "in.parquet": write_text_parquet,
    "in.xlsx": write_workbook,
}

NOT_WHOLE = "not a whole number"
THOUSANDS = "has a thousands sign; leave it out"
IDENTIFIERS = ("product_id", "listing_id", "category", "supplier_id", "creator_id")

TEXT_KINDS: list[tuple[str, str, object]] = [
    *((field, "P00001411 ", "P00001411") for field in IDENTIFIERS),
    *((field, "\u00a0P1\u3000", "P1") for field in IDENTIFIERS),
    ("product_id", "17850.0", "17850"),
    ("product_id", "-A77", "-A77"),
    ("product_id", "'-A77", "-A77"),
    ("product_id", "=x", "=x"),
    ("product_id", "#1001", "#1001"),
    ("category", "Home & Kitchen", "Home & Kitchen"),
    ("category", "Women's", "Women's"),
    ("category", "ครีมกันแดด", "ครีมกันแดด"),
    ("category", "नमस्ते", "नमस्ते"),
    ("category", "Ku\u0308che", "K\u00fcche"),
    ("category", "手机壳", "手机壳"),
    ("candidate_id", "手机壳", "手机壳"),
    ("product_id", "../x", wrong("product_id", "wrong_form", "has .. as a part, as in a path")),
    ("product_id", "a@b", wrong("product_id", "wrong_form", "has the sign @")),
    (
        "product_id",
        "5.76E+17",
        wrong(
            "product_id",
            "wrong_form",
            "a number that a spreadsheet rounded; export it again, as text",
        ),
    ),
    ("product_id", "a\u202eb", wrong("product_id", "wrong_form", "has an invisible sign")),
    ("product_id", "x" * 129, wrong("product_id", "wrong_form", "longer than 128 characters")),
    ("market", " GB ", "GB"),
    ("market", "'GB", "GB"),
    ("market", "gb", wrong("market", "wrong_form")),
    ("market", "GBR", wrong("market", "wrong_form")),
    ("currency", "GBP\u00a0", "GBP"),
    ("currency", "£", wrong("currency", "wrong_form", "not one of the allowed words")),
]
"""Field, text, and what it gives in each file and over HTTP."""

FILE_KINDS: list[tuple[str, str, object]] = [
    ("list_price_minor", " 12", 12),
    ("list_price_minor", "+7", 7),
    ("list_price_minor", "12.0", 12),
    ("list_price_minor", "12.00", 12),
    ("units_offered", "\u00a012 ", 12),
    ("list_price_minor", "8.30", wrong("list_price_minor", "wrong_type", MONEY_FRACTION)),
    (
        "list_price_minor",
        "$19.99",
        wrong(
            "list_price_minor",
            "wrong_type",
            "has a currency sign; write cents or pence alone, such as 1999",
        ),
    ),
    ("list_price_minor", "1 999", wrong("list_price_minor", "wrong_type", THOUSANDS)),
    ("list_price_minor", "300,5", wrong("list_price_minor", "wrong_type", MONEY_FRACTION)),
    ("list_price_minor", "1e3", wrong("list_price_minor", "wrong_type", NOT_WHOLE)),
    ("list_price_minor", "٤٩٩", wrong("list_price_minor", "wrong_type", NOT_WHOLE)),
    ("list_price_minor", "9" * 5_000, wrong("list_price_minor", "wrong_type", NOT_WHOLE)),
    ("list_price_minor", "0", wrong("list_price_minor", "out_of_range")),
    ("list_price_minor", "10000000001", wrong("list_price_minor", "out_of_range")),
    ("units_offered", "ten", wrong("units_offered", "wrong_type", NOT_WHOLE)),
    ("units_offered", "-1", wrong("units_offered", "out_of_range")),
    *(
        (field, empty, wrong(field, "missing_field"))
        for field in GOOD
        for empty in (" ", "NULL", "'NULL")
    ),
    ("listing_id", " ", None),
    ("listing_id", "nan", None),
    ("listing_id", " ' N/A", None),
]
"""Likewise, for files alone: JSON has numbers and null, and refuses texts in their place."""


@pytest.mark.parametrize("name", WRITERS)
def test_cells_of_a_kind_are_read_alike_in_each_format(name: str, tmp_path: Path) -> None:
    kinds = TEXT_KINDS + FILE_KINDS
    WRITERS[name](tmp_path / name, [{**GOOD, field: text} for field, text, _ in kinds])
    assert read(tmp_path / name) == [answer(field, value) for field, _, value in kinds]


@pytest.mark.parametrize(("field", "text", "value"), TEXT_KINDS)
def test_texts_of_a_kind_are_read_over_http_as_in_files(
    field: str, text: str, value: object
) -> None:
    expected = answer(field, value)
    if isinstance(expected, Detail):
        expected = replace(expected, reason="")  # the answer to a request has the code alone
    assert parse_candidate({**GOOD, field: text}) == expected


@pytest.mark.parametrize(
    ("field", "column", "values"),
    [
        ("list_price_minor", pa.array([1999.0, float("nan"), None]), [1999, None, None]),
        ("list_price_minor", pa.array([1999.5], pa.float32()), [()]),
        ("list_price_minor", pa.array([Decimal("1999.00")]), [1999]),
        ("list_price_minor", pa.array([Decimal("8.30")]), [()]),
        ("list_price_minor", pa.array([1999], pa.decimal256(50, 0)), [1999]),
        ("list_price_minor", pa.array([1999], pa.uint16()), [1999]),
        ("units_offered", pa.array(["7", "7"]).dictionary_encode(), [7, 7]),
        ("product_id", pa.array([1411, 17850]), ["1411", "17850"]),
        ("product_id", pa.array([1411.0, None]), ["1411", None]),
        ("product_id", pa.array(["P1 "]).dictionary_encode(), ["P1"]),
        ("product_id", pa.array(["P1 "], pa.large_string()), ["P1"]),
        ("category", pa.nulls(1), [...]),
    ],
    ids=str,
)
def test_cells_of_parquet_types_are_read_as_what_they_mean(
    field: str, column: pa.Array, values: list[Any], tmp_path: Path
) -> None:
    columns = {name: pa.array([value] * len(column)) for name, value in GOOD.items()}
    pq.write_table(pa.table({**columns, field: column}), tmp_path / "in.parquet")
    faults = {(): wrong(field, "wrong_type", MONEY_FRACTION), None: wrong(field, "missing_field")}
    expected = [
        Candidate(**GOOD) if value is ... else faults.get(value) or answer(field, value)
        for value in values
    ]
    assert read(tmp_path / "in.parquet") == expected


def test_columns_of_candidates_are_the_fields_of_a_request() -> None:
    assert Candidate.__struct_fields__ == NAMES
    required = [name for name, column in CANDIDATES.columns.items() if column.required]
    assert required == list(GOOD)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_dialects_and_encodings_of_spreadsheets_are_read(
    encoding: str, separator: str, tmp_path: Path
) -> None:
    path = tmp_path / "in.csv"
    rows = [GOOD, {**GOOD, "product_id": "手机壳"}]
    lines = [separator.join(GOOD), *(separator.join(map(str, row.values())) for row in rows)]
    path.write_text("\r\n".join(lines), encoding=encoding)
    assert read(path) == [Candidate(**row) for row in rows]


def test_rows_are_numbered_from_one_across_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.batch.candidate_file.BATCH_ROWS", 2)
    write_csv(tmp_path / "in.csv", [GOOD] * 5)
    batches = list(open_candidates(tmp_path / "in.csv").batches())
    assert [batch.first_row for batch in batches] == [1, 3, 5]
    assert [batch.cells.num_rows for batch in batches] == [2, 2, 1]


def test_columns_beside_are_given_as_they_are(tmp_path: Path) -> None:
    day = dt.date(2026, 3, 2)
    table = pa.table({**{name: [value] for name, value in GOOD.items()}, "day": [day]})
    pq.write_table(table, tmp_path / "in.parquet")
    (batch,) = open_candidates(tmp_path / "in.parquet").batches()
    assert batch.cells.equals(table)


@pytest.mark.parametrize(
    ("content", "error", "reason"),
    [
        ("\n\n", UnreadableFileError, "all its lines are blank"),
        ("market,=a,'=a\n" * 2, MissingColumnsError, "lacks columns: product_id"),
        (",".join([*GOOD, "=a", "'=a"]) + "\n", DuplicateColumnsError, "same name: =a"),
        (",".join(GOOD).upper() + "\n", MissingColumnsError, "Rename `PRODUCT_ID` to product_id"),
        ("a,b\n1,2\n", MissingColumnsError, "It has a, b. Add the columns; docs/api.md lists"),
    ],
)
def test_file_without_the_columns_of_candidates_is_refused_with_those_it_has(
    content: str, error: type[DataError], reason: str, tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_text(content)
    with pytest.raises(error) as caught:
        open_candidates(tmp_path / "in.csv")
    assert reason in str(caught.value)


def test_path_that_is_no_file_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path, tmp_path / "pipe.csv", tmp_path / "none.csv", Path("-")):
        with pytest.raises(NoCandidateFileError):
            open_candidates(path)
