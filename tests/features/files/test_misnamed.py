"""Data that isn't read because of its name: refused or reported, with the command that mends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.contract.errors import MisnamedTableError, UnreadPartsError
from features.files.source import find_tables
from features.runtime.text import PYTHON
from features.validation.validate import validate
from tests.worlds.sources import required_source, write_csv


@pytest.mark.parametrize(
    ("name", "table", "way_out"),
    [
        ("Listings.csv", "listings", "Run `mv data/Listings.csv data/listings.csv`."),
        ("listing.csv", "listings", "Run `mv data/listing.csv data/listings.csv`."),
        ("LISTINGS.PARQUET", "listings", "Run `mv data/LISTINGS.PARQUET data/listings.parquet`."),
        ("Return.csv", "returns", "Run `mv data/Return.csv data/returns.csv`."),
        ("delivery.csv", "deliveries", "Run `mv data/delivery.csv data/deliveries.csv`."),
        (
            "Video Stats.csv",
            "video_stats",
            "Run `mv 'data/Video Stats.csv' data/video_stats.csv`.",
        ),
        ("returns (1).csv", "returns", "Run `mv 'data/returns (1).csv' data/returns.csv`."),
        ("orders_2024-03.csv", "orders", "Run `mv data/orders_2024-03.csv data/orders.csv`."),
        ("orders.csv.csv", "orders", "Run `mv data/orders.csv.csv data/orders.csv`."),
        ("orders.utf8.csv", "orders", "Run `mv data/orders.utf8.csv data/orders.csv`."),
        (
            "orders.csv.txt",
            "orders",
            "Run `mv data/orders.csv.txt data/orders.csv`; tabs are read.",
        ),
        ("orders copy.csv", "orders", "Run `mv 'data/orders copy.csv' data/orders.csv`."),
        (
            "orders - Copy (2).csv",
            "orders",
            "Run `mv 'data/orders - Copy (2).csv' data/orders.csv`.",
        ),
        ("Copy of orders.csv", "orders", "Run `mv 'data/Copy of orders.csv' data/orders.csv`."),
        ("orders", "orders", "Run `mv data/orders data/orders.csv`; its content tells the format."),
        ("prices.tsv", "prices", "Run `mv data/prices.tsv data/prices.csv`; tabs are read."),
        ("prices.pq", "prices", "Run `mv data/prices.pq data/prices.parquet`."),
        (
            "prices.csv.gz",
            "prices",
            "Run `gunzip data/prices.csv.gz`, and name the result data/prices.csv.",
        ),
        (
            "prices.parquet.zst",
            "prices",
            "Run `unzstd --rm data/prices.parquet.zst`, and name the result data/prices.parquet.",
        ),
        ("prices.xls", "prices", "In Excel choose File > Save As > Excel Workbook (.xlsx)."),
        (
            "prices.jsonl",
            "prices",
            (
                f'Run `{PYTHON} -c "import sys, duckdb; duckdb.read_json(sys.argv[1])'
                '.write_parquet(sys.argv[2])" data/prices.jsonl data/prices.parquet`.'
            ),
        ),
    ],
)
def test_file_named_nearly_like_an_absent_table_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, table: str, way_out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    data = write_csv(Path("data"), required_source())
    (data / f"{table}.csv").unlink(missing_ok=True)
    (data / name).touch()
    with pytest.raises(MisnamedTableError) as caught:
        find_tables(data)
    assert str(caught.value) == (
        f"The source has no table {table}, but it has {name}, which isn't read because of its "
        f"name. {way_out} If it is something else, move it out of the directory."
    )


@pytest.mark.parametrize("name", ["Orders.csv", "orders (1).csv", "orders.csv.gz"])
def test_second_file_of_a_table_is_in_the_report(tmp_path: Path, name: str) -> None:
    data = write_csv(tmp_path / "data", required_source())
    (data / name).touch()
    assert validate(data, tmp_path / "out").table("orders").warnings == (
        f"{name} isn't read because of its name; it may hold more rows of this table",
    )


@pytest.mark.parametrize(
    ("names", "way_out"),
    [
        (["a.csv", "b.tsv"], "Run `mv data/returns/b.tsv data/returns/b.tsv.csv`; tabs are read."),
        (
            ["part-0.csv.gz"],
            (
                "Run `gunzip data/returns/part-0.csv.gz`, and name the result "
                "data/returns/part-0.csv."
            ),
        ),
        (
            ["day=1/part-00000"],
            (
                "Run `mv data/returns/day=1/part-00000 data/returns/day=1/part-00000.csv`; "
                "its content tells the format."
            ),
        ),
        (["a.orc"], "Write it as data/returns/a.orc.parquet instead."),
    ],
)
def test_part_of_a_table_is_not_left_out_because_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], way_out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    data = write_csv(Path("data"), required_source())
    for name in names:
        (data / "returns" / name).parent.mkdir(parents=True, exist_ok=True)
        (data / "returns" / name).write_text("order_id,reason,event_time,available_at\n")
    with pytest.raises(UnreadPartsError) as caught:
        find_tables(data)
    assert str(caught.value) == (
        "The folder returns holds files that aren't read because of their names: "
        f"{names[-1]}. {way_out} What is no part of the table, move out of the folder."
    )
