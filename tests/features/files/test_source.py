"""Finding tables: every form a table may come in, and every way a source can be broken."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contract.errors import (
    AmbiguousTableError,
    DuplicateColumnsError,
    MissingColumnsError,
    MissingTablesError,
    SourceNotFoundError,
    UnreadableFileError,
    WrongTypeError,
)
from features.files.source import Source, find_tables
from features.runtime.errors import DataError
from tests.worlds.sources import as_arrow, required_source, small_source, write_csv, write_parquet


def names(source: Source) -> list[str]:
    return [found.table.name for found in source.tables]


def test_reader_of_all_tables_finds_them_in_contract_order(tmp_path: Path) -> None:
    source = find_tables(write_csv(tmp_path, small_source()))
    assert names(source) == list(small_source())
    assert source.absent == source.ignored == ()


def test_reader_of_required_tables_reports_the_others_as_absent(tmp_path: Path) -> None:
    source = find_tables(write_parquet(tmp_path, required_source()))
    assert names(source) == ["products", "listings", "orders"]
    assert source.absent[:2] == ("prices", "stock")


def test_reader_of_a_folder_reads_its_files_by_name_with_running_row_numbers(
    tmp_path: Path,
) -> None:
    rows = required_source()
    write_csv(tmp_path, rows)
    orders = tmp_path / "orders"
    orders.mkdir()
    (tmp_path / "orders.csv").rename(orders / "b.CSV")
    pq.write_table(as_arrow("orders", rows["orders"][:2]), orders / "a.parquet")
    (orders / "_SUCCESS").touch()
    (orders / "notes.txt").touch()
    source = find_tables(tmp_path)
    batches = list(source.tables[2].batches())
    assert [file.name for file in source.tables[2].files] == ["a.parquet", "b.CSV"]
    assert [batch.row_numbers.tolist() for batch in batches] == [[1, 2], [3, 4, 5]]
    assert source.ignored == ("orders/notes.txt",)


def test_reader_reports_what_the_contract_does_not_know(tmp_path: Path) -> None:
    rows = required_source()
    rows["orders"] = [{**row, "colour": "red"} for row in rows["orders"]]
    write_csv(tmp_path, rows)
    for name in ("order.csv", "orders.csv.gz", ".hidden.csv", "_log.csv", "import.json"):
        (tmp_path / name).touch()
    (tmp_path / "pictures").mkdir()
    source = find_tables(tmp_path)
    assert source.ignored == ("order.csv", "orders.csv.gz", "pictures")
    assert source.tables[2].extra_columns == ("colour",)


def spoil_listing(change: Callable[[pa.Table], pa.Table]) -> Callable[[Path], object]:
    def spoil(directory: Path) -> None:
        file = directory / "listings.parquet"
        pq.write_table(change(pq.read_table(file)), file)

    return spoil


def remove(name: str) -> Callable[[Path], object]:
    return lambda directory: (directory / name).unlink()


def write(name: str, content: bytes) -> Callable[[Path], object]:
    def spoil(directory: Path) -> None:
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_bytes(content)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (shutil.rmtree, SourceNotFoundError, r"There is no directory"),
        (
            remove("orders.parquet"),
            MissingTablesError,
            r"orders\. It has products, listings\.",
        ),
        (write("orders.csv", b""), AmbiguousTableError, r"once: orders\.csv, orders\.parquet\."),
        (write("orders/a.csv", b""), AmbiguousTableError, r"once: orders, orders\.parquet\."),
        (
            write("orders.parquet", b"PAR1 no"),
            UnreadableFileError,
            r"orders\.parquet .* its end is missing",
        ),
        (write("prices.parquet", b""), UnreadableFileError, r"prices\.parquet .* is empty"),
        (write("stock.csv", b"\xff,a\n"), UnreadableFileError, r"isn't UTF-8 \(line 1\)"),
        (write("stock.csv", b"a,b,a,b\n1,2,3,4\n"), DuplicateColumnsError, r"same name: a, b\."),
        (
            write("stock.csv", b"a;b\n1;2\n"),
            MissingColumnsError,
            r"on_hand_units.* It has a, b\.",
        ),
        (
            spoil_listing(lambda t: t.drop_columns(["market"])),
            MissingColumnsError,
            r"listings\.parquet \(table listings\) lacks columns: market\.",
        ),
        (
            spoil_listing(lambda t: t.rename_columns({"market": "Markets", "listed_at": "listed"})),
            MissingColumnsError,
            r"Rename `Markets` to market, `listed` to listed_at, if",
        ),
        (
            spoil_listing(lambda t: t.set_column(5, "list_price_minor", pa.array([True] * 3))),
            WrongTypeError,
            r"list_price_minor should hold whole numbers, but it has the Parquet type bool\.",
        ),
        (
            spoil_listing(lambda t: t.append_column("market", t["market"])),
            DuplicateColumnsError,
            r"same name: market\.",
        ),
    ],
)
def test_broken_source_is_refused(
    tmp_path: Path,
    spoil: Callable[[Path], object],
    error: type[DataError],
    message: str,
) -> None:
    write_parquet(tmp_path / "data", required_source())
    spoil(tmp_path / "data")
    with pytest.raises(error, match=message):
        find_tables(tmp_path / "data")


def test_odd_names_in_a_source_are_escaped_in_errors(tmp_path: Path) -> None:
    write_csv(tmp_path, required_source())
    (tmp_path / "orders.csv").unlink()
    (tmp_path / "stock.csv").write_text("\x1b[31mred,b\n1,2\n", encoding="utf-8")
    with pytest.raises(MissingTablesError):
        find_tables(tmp_path)
    write_csv(tmp_path, required_source())
    with pytest.raises(MissingColumnsError) as caught:
        find_tables(tmp_path)
    assert "\\x1b[31mred" in str(caught.value)
    assert str(caught.value).isprintable()
