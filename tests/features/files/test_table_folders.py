"""Folders of tables: partitions, nested folders, engines' folders, odd names of files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.contract.errors import (
    AmbiguousTableError,
    TableFormatError,
    UnreadableFileError,
)
from features.files.source import find_tables
from features.files.table_folders import find_files, read_partitions
from features.validation.validate import validate
from tests.worlds.sources import as_arrow, required_source, write_csv, write_parquet

LISTINGS = required_source()["listings"]
Spread = Callable[[Path], object]


def write_part(file: Path, rows: list[dict[str, object]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(as_arrow("listings", rows), file)


def by_market(directory: Path) -> None:
    for number, row in enumerate(LISTINGS):
        cells = {name: cell for name, cell in row.items() if name != "market"}
        write_part(
            directory / "listings" / f"market={row['market']}" / f"{number}.parquet", [cells]
        )


def at_the_top_and_below(directory: Path) -> None:
    write_part(directory / "listings" / "a.parquet", LISTINGS[:1])
    write_part(directory / "listings" / "b" / "2024" / "c.parquet", LISTINGS[1:])


def named_like_a_file(directory: Path) -> None:
    folder = directory / "listings.parquet"
    write_part(folder / "part-00000-1c.snappy.parquet", LISTINGS)
    (folder / "_SUCCESS").touch()
    (folder / ".part-00000-1c.snappy.parquet.crc").touch()
    (folder / "_temporary" / "0").mkdir(parents=True)


def named_like_a_csv(directory: Path) -> None:
    write_csv(directory / "listings.csv", {"part-0": LISTINGS})
    (directory / "listings.csv" / "part-1.csv").touch()  # a part without rows


def with_a_loop(directory: Path) -> None:
    at_the_top_and_below(directory)
    (directory / "listings" / "loop").symlink_to(directory / "listings")


@pytest.mark.parametrize(
    ("spread", "ignored"),
    [
        (by_market, ()),
        (at_the_top_and_below, ()),
        (named_like_a_file, ()),
        (named_like_a_csv, ()),
        (with_a_loop, ("listings/loop",)),
    ],
)
def test_folder_of_any_form_holds_the_same_table(
    tmp_path: Path, spread: Spread, ignored: tuple[str, ...]
) -> None:
    whole = validate(write_parquet(tmp_path / "whole", required_source()), tmp_path / "a")
    data = write_parquet(tmp_path / "data", required_source())
    (data / "listings.parquet").unlink()
    spread(data)
    report = validate(data, tmp_path / "b")
    assert report.tables == whole.tables
    assert report.ignored == ignored
    read = [pq.read_table(tmp_path / out / "listings.parquet").to_pylist() for out in "ab"]
    assert sorted(read[0], key=str) == sorted(read[1], key=str)


@pytest.mark.parametrize(
    ("file", "partitions"),
    [
        ("orders/a.csv", {}),
        ("orders/market=US/a.csv", {"market": "US"}),
        ("orders/market=US/2024/day=1%2F2/a.csv", {"market": "US", "day": "1/2"}),
        ("orders/market=__HIVE_DEFAULT_PARTITION__/a.csv", {"market": None}),
        ("orders/a=b=c/d=.csv", {"a": "b=c"}),
        ("orders/caf%C3%A9=%20/a.csv", {"café": " "}),
    ],
)
def test_partitions_are_read_from_the_path(file: str, partitions: dict[str, str | None]) -> None:
    assert read_partitions(Path(file), Path("orders")) == partitions


def test_column_of_a_file_counts_more_than_the_name_of_its_folder(tmp_path: Path) -> None:
    data = write_parquet(tmp_path / "data", required_source())
    (data / "listings.parquet").unlink()
    write_part(data / "listings" / "market=US" / "season=high" / "a.parquet", LISTINGS)
    source = find_tables(data).tables[1]
    assert source.extra_columns == ("season",)
    cells = next(source.batches()).cells
    assert cells["market"].to_pylist() == ["DE", "GB", "DE"]
    assert cells["season"].to_pylist() == ["high"] * 3


@pytest.mark.parametrize(
    ("name", "kind", "function"),
    [
        ("_delta_log/00000000000000000000.json", "Delta Lake", "delta_scan"),
        ("metadata/v3.metadata.json", "Apache Iceberg", "iceberg_scan"),
        (".hoodie/hoodie.properties", "Apache Hudi", "spark.read.format('hudi')"),
        ("_spark_metadata/0", "a Spark stream's output", "spark.read.format('parquet')"),
    ],
)
def test_table_with_a_log_of_deleted_rows_is_refused(
    tmp_path: Path, name: str, kind: str, function: str
) -> None:
    data = write_parquet(tmp_path / "data", required_source())
    (data / "listings.parquet").unlink()
    at_the_top_and_below(data)
    mark = data / "listings" / name
    mark.parent.mkdir()
    mark.touch()
    with pytest.raises(TableFormatError) as caught:
        find_tables(data)
    assert caught.value.problem == (
        f"The folder listings is in the format of {kind}: "
        "its files hold deleted and replaced rows too."
    )
    assert function in caught.value.hint


def test_links_between_folders_are_followed_once(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.csv").touch()
        (tmp_path / name / "link").symlink_to(tmp_path / other)
    files, _ = find_files(tmp_path)
    assert files == [tmp_path / "a" / "x.csv", tmp_path / "b" / "x.csv"]


def test_table_as_file_and_as_folder_is_refused(tmp_path: Path) -> None:
    data = write_csv(tmp_path / "data", required_source())
    named_like_a_file(data)
    with pytest.raises(AmbiguousTableError, match=r"once: listings\.csv, listings\.parquet\."):
        find_tables(data)


@pytest.mark.parametrize("name", [b"caf\xe9.csv", b"\xff\xfe", b"a\nb.csv", b"x" * 250])
def test_odd_file_names_are_escaped_and_the_rest_goes_on(tmp_path: Path, name: bytes) -> None:
    data = tmp_path / "data"
    write_csv(data, required_source())
    (data / "orders.csv").rename(data / "moved")
    (data / "orders").mkdir()
    (data / "moved").rename(data / "orders" / os.fsdecode(name[:200] + b".csv"))
    write_part(data / "extra.parquet", LISTINGS)
    (data / os.fsdecode(name)).touch()
    report = validate(data, tmp_path / "out")
    assert [table.rows_valid for table in report.tables] == [2, 3, 3]
    assert len(report.ignored) == 2
    assert all(ignored.isprintable() for ignored in report.ignored)
    report.to_json().encode()


@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx"])
def test_pipe_in_place_of_a_file_is_refused_at_once(tmp_path: Path, suffix: str) -> None:
    data = write_csv(tmp_path / "data", required_source())
    os.mkfifo(data / f"stock.{suffix}")
    with pytest.raises(UnreadableFileError) as caught:
        find_tables(data)
    assert str(caught.value) == (
        f"The file stock.{suffix} can't be read: it is a pipe, not a file. "
        "Write what it gives to a file first."
    )


def test_empty_part_of_parquet_is_refused(tmp_path: Path) -> None:
    data = write_parquet(tmp_path / "data", required_source())
    (data / "listings.parquet").unlink()
    at_the_top_and_below(data)
    (data / "listings" / "lost.parquet").touch()
    with pytest.raises(UnreadableFileError, match=r"lost\.parquet .* is empty \(0 bytes\)"):
        find_tables(data)


def test_folder_without_files_counts_as_a_table_without_rows(tmp_path: Path) -> None:
    data = write_csv(tmp_path / "data", required_source())
    shutil.rmtree(data / "listings", ignore_errors=True)
    (data / "stock").mkdir()
    assert find_tables(data).tables[2].files == ()
