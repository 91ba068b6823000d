"""Workbooks: cells as a CSV file would have them, one sheet a table, damaged and hostile ones."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import xlsxwriter

import features.files.workbook_rows
from features.contract.errors import HeaderNotFirstError, UnreadableFileError
from features.files.source import find_tables
from features.files.table_files import read_batches, read_column_types
from features.files.workbook_rows import Cell, format_cell
from features.validation.validate import validate
from tests.worlds.sources import Row, required_source, small_source, write_csv

Sheets = dict[str, list[list[object]]]
NOON = datetime(2024, 7, 15, 12, 0, 1)  # noqa: DTZ001 - Excel's times have no zone
DATES = {"default_date_format": "yyyy-mm-dd hh:mm:ss"}
HEADER: list[object] = ["id", "title ", "units"]
ROW: list[object] = ["l1", "A, B", 2.0]


def write_workbook(file: Path, sheets: Sheets, first_row: int = 0) -> Path:
    with xlsxwriter.Workbook(file, DATES) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows, start=first_row):
                sheet.write_row(number, 0, row)
    return file


def rewrite(file: Path, part: str, change: Callable[[str], str]) -> Path:
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts[part].decode()).encode()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file


def read_rows(file: Path) -> list[tuple[object, ...]]:
    return [
        tuple(row.values()) for batch in read_batches(file, 0) for row in batch.cells.to_pylist()
    ]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("00123", "00123"),
        ("", ""),
        (12.0, "12"),
        (-3.0, "-3"),
        (2.5, "2.5"),
        (0.1 + 0.2, "0.3"),
        (1e-7, "1e-07"),
        (123456789012345.0, "123456789012345"),
        (576461234567890123.0, "5.76E+17"),
        (-1e15, "-1.00E+15"),
        (True, "TRUE"),
        (False, "FALSE"),
        (NOON, "2024-07-15 12:00:01"),
        (date(2024, 7, 15), "2024-07-15"),
        (time(12, 30), "12:30:00"),
        (timedelta(hours=36), "1 day, 12:00:00"),
    ],
)
def test_cell_is_the_text_that_a_csv_would_have(cell: Cell, text: str) -> None:
    assert format_cell(cell) == text


def as_sheet(rows: list[Row]) -> list[list[object]]:
    return [list(rows[0]), *(list(row.values()) for row in rows)]


def test_workbooks_of_all_tables_mean_the_same_as_csv(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    for name, rows in small_source().items():
        write_workbook(tmp_path / "x" / f"{name}.xlsx", {name: as_sheet(rows)})
    by_csv = validate(write_csv(tmp_path / "c", small_source()), tmp_path / "from_csv")
    by_workbook = validate(tmp_path / "x", tmp_path / "from_workbook")
    assert by_workbook.tables == by_csv.tables
    for name in small_source():
        files = (tmp_path / out / f"{name}.parquet" for out in ("from_csv", "from_workbook"))
        first, second = (pq.read_table(file) for file in files)
        assert first == second


def damage_dimension(file: Path) -> Path:
    return rewrite(
        file,
        "xl/worksheets/sheet1.xml",
        lambda xml: re.sub('<dimension ref="[^"]*"/>', '<dimension ref="A1:A1"/>', xml),
    )


def split_header(file: Path) -> Path:
    """Put each cell of the header into a row of its own, as TikTok Shop does."""
    return rewrite(
        file,
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace('<c r="B1"', '</row><row r="1"><c r="B1"').replace(
            '<c r="C1"', '</row><row r="1"><c r="C1"'
        ),
    )


def hide_lookups(file: Path) -> Path:
    with xlsxwriter.Workbook(file) as book:
        book.add_worksheet("Orders").write_row(0, 0, HEADER)
        book.get_worksheet_by_name("Orders").write_row(1, 0, ROW)
        hidden = book.add_worksheet("lists")
        hidden.write(0, 0, "x")
        hidden.hide()
    return file


@pytest.mark.parametrize(
    "make",
    [
        lambda file: write_workbook(file, {"Sheet1": [HEADER, ROW]}),
        lambda file: write_workbook(file, {"Notes": [], "Orders": [HEADER, ROW], "Sheet3": []}),
        lambda file: write_workbook(file, {"Sheet1": [HEADER, ROW]}, first_row=2),
        lambda file: write_workbook(file, {"Sheet1": [HEADER, [], ROW, ["", None]]}),
        lambda file: write_workbook(file, {"Sheet1": [[*HEADER, "", " "], [*ROW, None, ""]]}),
        lambda file: damage_dimension(write_workbook(file, {"Sheet1": [HEADER, ROW]})),
        lambda file: split_header(
            damage_dimension(write_workbook(file, {"Sheet1": [HEADER, ROW]}))
        ),
        hide_lookups,
    ],
)
@pytest.mark.parametrize("name", ["orders.xlsx", "orders.csv", "orders"])
def test_workbook_of_one_filled_sheet_is_read_whatever_its_name(
    tmp_path: Path, make: Callable[[Path], Path], name: str
) -> None:
    file = tmp_path / name
    make(tmp_path / "made.xlsx").rename(file)
    assert [column for column, _ in read_column_types(file)] == ["id", "title", "units"]
    assert read_rows(file) == [("l1", "A, B", "2")]


def test_row_wider_than_the_header_is_malformed(tmp_path: Path) -> None:
    rows = [HEADER, ROW, [*ROW, None, "more"]]
    file = write_workbook(tmp_path / "a.xlsx", {"Sheet1": rows})
    batches = list(read_batches(file, 7, batch_rows=1))
    assert [batch.row_numbers.tolist() for batch in batches] == [[8], [9]]
    assert [batch.is_malformed.tolist() for batch in batches] == [[False], [True]]
    assert batches[1].cells["units"].to_pylist() == ["2,more"]


def spread_cells(file: Path) -> Path:
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "id")
        sheet.write(1_048_575, 16_383, "x")
    return file


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda file: write_workbook(file, {"May": [HEADER], "June": [HEADER], "Notes": []}),
            (
                "it has 2 sheets with cells: May, June. Delete the other sheets, or save the sheet "
                "of this table as a file of its own."
            ),
        ),
        (
            spread_cells,
            (
                "a sheet of the workbook spans 16,384 columns and 1,048,576 rows. "
                "In Excel choose File > Save As > CSV UTF-8 (comma delimited)."
            ),
        ),
        (
            lambda file: rewrite(
                write_workbook(file, {"Sheet1": [HEADER]}),
                "docProps/app.xml",
                lambda _: " " * (1 << 20),
            ),
            (
                "the workbook unpacks to 1 MB, more than 0 MB. "
                "In Excel choose File > Save As > CSV UTF-8 (comma delimited)."
            ),
        ),
        (
            lambda file: rewrite(
                write_workbook(file, {"Sheet1": [HEADER]}), "xl/workbook.xml", lambda _: "<a"
            ),
            "the workbook is damaged. Download or export it again, and wait until it is complete.",
        ),
    ],
)
def test_workbook_that_is_no_table_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], Path],
    sentence: str,
) -> None:
    if "unpacks" in sentence:
        monkeypatch.setattr(features.files.workbook_rows, "MAX_UNPACKED_BYTES", 1 << 19)
    file = make(tmp_path / "a.xlsx")
    with pytest.raises(UnreadableFileError) as caught:
        read_column_types(file)
    assert str(caught.value) == f"The file a.xlsx can't be read: {sentence}"


def test_workbook_with_a_banner_above_its_header_names_the_row(tmp_path: Path) -> None:
    data = write_csv(tmp_path / "data", required_source())
    (data / "orders.csv").unlink()
    banner: list[list[object]] = [["Disclaimer"], ["Download time", NOON], []]
    rows = [*banner, *as_sheet(required_source()["orders"])]
    write_workbook(data / "orders.xlsx", {"Orders": rows})
    with pytest.raises(HeaderNotFirstError, match=r"its header, which is in line 4\. In Excel"):
        find_tables(data)
