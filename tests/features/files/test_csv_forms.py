"""Forms of CSV that spreadsheets and engines write: they mean the same as the plain form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

import features.files.csv_rows
from features.contract.errors import UnevenRowsError
from features.files.source import find_tables
from features.files.table_files import read_batches, read_column_types
from features.validation.validate import validate
from tests.worlds.sources import required_source, write_csv

HEADER = "id,title,units\n"
ROWS = 'l1,"A, B",1\nl2,手机壳,2\nl3,,3\n'
PLAIN = [("l1", "A, B", "1"), ("l2", "手机壳", "2"), ("l3", None, "3")]


def with_sign(sign: str) -> str:
    return (
        f'id{sign}title{sign}units\nl1{sign}"A, B"{sign}1\nl2{sign}手机壳{sign}2\nl3{sign}{sign}3\n'
    )


def read_rows(file: Path) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for batch in read_batches(file, 0):
        assert batch.cells.column_names == [name for name, _ in read_column_types(file)]
        assert not batch.is_malformed.any()
        assert all(kind == pa.string() for kind in batch.cells.schema.types)
        rows += [tuple(row.values()) for row in batch.cells.to_pylist()]
    return rows


@pytest.mark.parametrize(
    "content",
    [
        (HEADER + ROWS).encode(),
        (HEADER + ROWS).encode("utf-8-sig"),
        (HEADER + ROWS).encode("utf-16"),
        b"\xfe\xff" + (HEADER + ROWS).encode("utf-16-be"),
        with_sign("\t").encode("utf-16"),
        with_sign(";").encode(),
        with_sign("\t").encode(),
        with_sign("|").encode("utf-8-sig"),
        f"sep=,\n{HEADER}{ROWS}".encode(),
        f"sep=;\r\n{with_sign(';')}".encode("utf-8-sig"),
        f'"sep=^"\n{with_sign("^")}'.encode(),
        f"\n\r\n {HEADER}\n{ROWS}\n\n".encode(),
        (HEADER + ROWS).replace("\n", "\r\n").encode(),
        (HEADER + ROWS).replace("\n", "\r").encode(),
        (HEADER + ROWS)[:-1].encode(),
        (HEADER + ROWS).replace("\n", ",\n").encode(),
        (HEADER + ROWS).replace("\n", ",,,\n").encode("utf-16"),
        (HEADER + ROWS.replace("\n", ",\n")).encode(),
        (HEADER.replace("\n", ",,\n") + ROWS).encode(),
        (HEADER + ROWS.replace("1\n", "1,\n")).encode(),
        f'"id"," title ","units\u00a0"\n{ROWS}'.encode(),
    ],
)
@pytest.mark.parametrize("block_bytes", [64, 1 << 24])
def test_form_of_csv_gives_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int, content: bytes
) -> None:
    monkeypatch.setattr(features.files.csv_rows, "BLOCK_BYTES", block_bytes)
    file = tmp_path / "table.csv"
    file.write_bytes(content)
    assert [name for name, _ in read_column_types(file)] == ["id", "title", "units"]
    assert read_rows(file) == PLAIN


@pytest.mark.parametrize("length", [131_072, 131_073, 3_000_000])
@pytest.mark.parametrize("row", [1, 2])
@pytest.mark.parametrize("rest", [",2", "", ",2,3"])
def test_long_cell_is_read_in_whichever_row_it_stands(
    tmp_path: Path, length: int, row: int, rest: str
) -> None:
    file = tmp_path / "table.csv"
    long = f"{'x' * length}{rest}\n"
    file.write_text("a,b\n" + (long if row == 1 else f"1,2\n{long}"))
    cells = [cell for batch in read_batches(file, 0) for cell in batch.cells["a"].to_pylist()]
    assert len(cells[row - 1]) == length


@pytest.mark.parametrize("start", ["PAR1", "PARENT_SKU", "PK", "BZh9", "PDF", "%PDF"])
def test_header_that_begins_like_another_format_is_text(tmp_path: Path, start: str) -> None:
    file = tmp_path / "table.csv"
    file.write_text(f"{start},units\nl1,1\n", encoding="utf-8")
    assert [name for name, _ in read_column_types(file)] == [start, "units"]


def test_long_row_is_read_whole_in_small_batches_too(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    rows = ["1,a", f"2,{'x' * 2_500_000}", "3,b", "4"] * 2
    file.write_text("a,b\n" + "\n".join(rows) + "\n")
    batches = list(read_batches(file, 0, batch_rows=2))
    assert [cell for batch in batches for cell in batch.cells["a"].to_pylist()] == [*"1234"] * 2
    assert [len(batch.row_numbers) for batch in batches] == [1, 2, 2, 2, 1]
    assert [row for batch in batches for row in batch.row_numbers] == [*range(1, 9)]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("id,units\nl1,1,\nl2,2,x\n", [(False, "1"), (True, "2,x")]),
        ("id,units\nl1,1,,\nl2,2,,y\nl3,3\n", [(False, "1"), (True, "2,,y"), (False, "3")]),
        ("id,units,\nl1,1,\nl2\n", [(False, "1"), (True, None)]),
        ("id,units\nl1,1\u2028x\nl2,2\u2028x,y\n", [(False, "1\u2028x"), (True, "2\u2028x,y")]),
    ],
)
def test_surplus_cell_with_a_value_makes_its_row_malformed(
    tmp_path: Path, content: str, rows: list[tuple[bool, str | None]]
) -> None:
    file = tmp_path / "table.csv"
    file.write_text(content, encoding="utf-8")
    read = [
        pair
        for batch in read_batches(file, 0)
        for pair in zip(batch.is_malformed.tolist(), batch.cells["units"].to_pylist(), strict=True)
    ]
    assert read == rows


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (",id,units", ["unnamed_1", "id", "units"]),
        ("id,,units", ["id", "unnamed_2", "units"]),
        ("id;units,price", ["id;units", "price"]),
        ("id", ["id"]),
        ("id|units;price;x", ["id|units", "price", "x"]),
    ],
)
def test_odd_header_keeps_the_place_of_each_column(
    tmp_path: Path, header: str, names: list[str]
) -> None:
    file = tmp_path / "table.csv"
    file.write_text(f"{header}\n1,2,3\n")
    assert [name for name, _ in read_column_types(file)] == names


def replace(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


@pytest.mark.parametrize(
    ("change", "notes"),
    [
        (replace(",", ";"), ("orders.csv was read with semicolons between its cells",)),
        (replace(",", "\t"), ("orders.csv was read with tabs between its cells",)),
        (replace(",", "|"), ("orders.csv was read with bars (|) between its cells",)),
        (replace("\n", ",\n"), ()),
        (replace("order_id", "\ufeff order_id\u00a0"), ()),
    ],
)
def test_check_reads_another_form_and_says_what_it_took(
    tmp_path: Path, change: Callable[[str], str], notes: tuple[str, ...]
) -> None:
    data = write_csv(tmp_path / "data", required_source())
    file = data / "orders.csv"
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
    report = validate(data, tmp_path / "out").table("orders")
    assert (report.rows_valid, report.warnings) == (3, notes)


@pytest.mark.parametrize(
    "change", [replace("p1", "x,p1"), replace("price_minor\n", "price_minor,last\n")]
)
def test_check_of_rows_that_all_differ_from_the_header_says_so(
    tmp_path: Path, change: Callable[[str], str]
) -> None:
    data = write_csv(
        tmp_path / "data", {**required_source(), "orders": required_source()["orders"][:1]}
    )
    file = data / "orders.csv"
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(UnevenRowsError):
        validate(data, tmp_path / "out")
    assert len(find_tables(data).tables) == 3
