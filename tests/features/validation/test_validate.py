"""Validation from end to end: what is written, that each row is accounted for, hostile data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import features.files.source
from features.cells.casting import arrow_schema
from features.contract.errors import (
    AllNullColumnError,
    EmptyTableError,
    NeverVisibleError,
    NoValidRowsError,
    UnevenRowsError,
    UnreadableFileError,
    WrongTypeError,
)
from features.contract.tables import TABLE_BY_NAME
from features.runtime.errors import DataError, StorageError
from features.validation.validate import validate
from tests.worlds.sources import (
    REQUIRED,
    Source,
    as_arrow,
    order,
    required_source,
    small_source,
    write_csv,
    write_parquet,
)


def written(out: Path) -> dict[str, bytes]:
    files = (file for file in out.rglob("*") if file.is_file())
    return {str(file.relative_to(out)): file.read_bytes() for file in files}


def test_validation_of_valid_rows_writes_each_table_in_the_contracts_form(tmp_path: Path) -> None:
    source = small_source()
    report = validate(write_csv(tmp_path / "data", source), tmp_path / "out")
    assert set(written(tmp_path / "out")) == {f"{t}.parquet" for t in source} | {"report.json"}
    for name, rows in source.items():
        table = pq.read_table(tmp_path / "out" / f"{name}.parquet")
        assert table.schema == arrow_schema(TABLE_BY_NAME[name])
        nulls = dict.fromkeys(TABLE_BY_NAME[name].columns)
        assert table.to_pylist() == [{**nulls, **row} for row in rows]
        assert report.table(name).rows_valid == len(rows)


def reversed_columns(directory: Path, source: Source) -> Path:
    turned = {name: [dict(reversed(row.items())) for row in rows] for name, rows in source.items()}
    return write_csv(directory, turned)


def in_folders(directory: Path, source: Source) -> Path:
    for name, rows in source.items():
        (directory / name).mkdir(parents=True)
        pq.write_table(as_arrow(name, rows[:1]), directory / name / "part-0.parquet")
        if rows[1:]:
            write_csv(directory / name, {"part-1": rows[1:]})
    return directory


def with_other_types(directory: Path, source: Source) -> Path:
    write_parquet(directory, source)
    for file in directory.iterdir():
        table = pq.read_table(file)
        for place, field in enumerate(table.schema):
            table = table.set_column(place, field.name, table[field.name].cast(other(field.type)))
        pq.write_table(table, file)
    return directory


def other(arrow_type: pa.DataType) -> pa.DataType:
    """Return a type that engines write the same values in."""
    others = {
        pa.string(): pa.large_string(),
        pa.int64(): pa.int32(),
        pa.bool_(): pa.int8(),
        pa.timestamp("us"): pa.timestamp("ns", "Asia/Shanghai"),
    }
    return others.get(arrow_type, arrow_type)


@pytest.fixture(scope="module")
def written_from_csv(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    root = tmp_path_factory.mktemp("csv")
    validate(write_csv(root / "data", small_source()), root / "out")
    return written(root / "out")


@pytest.mark.parametrize("write", [write_parquet, reversed_columns, in_folders, with_other_types])
def test_validation_of_the_same_rows_in_another_form_writes_the_same_bytes(
    tmp_path: Path, write: Callable[[Path, Source], Path], written_from_csv: dict[str, bytes]
) -> None:
    # H35: reordered columns and other spellings of a type are harmless.
    validate(write(tmp_path / "data", small_source()), tmp_path / "out")
    assert written(tmp_path / "out") == written_from_csv


def test_validation_again_replaces_the_earlier_result(tmp_path: Path) -> None:
    source = required_source()
    source["orders"].append(order("bad", units=0))
    validate(write_parquet(tmp_path / "data", source), tmp_path / "out")
    assert "quarantine/orders.parquet" in written(tmp_path / "out")
    validate(write_parquet(tmp_path / "data", required_source()), tmp_path / "out")
    assert set(written(tmp_path / "out")) == {f"{t}.parquet" for t in REQUIRED} | {"report.json"}
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["data", "out"]


def test_validation_of_its_own_result_finds_nothing_more(tmp_path: Path) -> None:
    source = small_source()
    source["orders"] += [order("bad", units=0), order("l1")]
    first = validate(write_csv(tmp_path / "data", source), tmp_path / "once")
    again = validate(tmp_path / "once", tmp_path / "twice")
    assert first.rows_quarantined == 1
    assert again.rows_quarantined == 0
    assert again.ignored == ()
    assert [table.rows_read for table in again.tables] == [t.rows_valid for t in first.tables]


def test_validation_keeps_quarantined_rows_as_in_the_source(tmp_path: Path) -> None:
    source = required_source()
    source["orders"] = [
        {**row, "colour": "red"}
        for row in (order("l1"), order("x", units="two", unit_price_minor=-1), order("y", "nope"))
    ]
    data = write_csv(tmp_path / "data", source)
    with (data / "orders.csv").open("a", encoding="utf-8") as file:
        file.write("z,short\n")
    report = validate(data, tmp_path / "out")
    kept = pq.read_table(tmp_path / "out" / "quarantine" / "orders.parquet").to_pylist()
    shown = ("order_line_id", "order_id", "units", "colour", "title")
    assert [{name: row[name] for name in row if name in shown} for row in kept] == [
        {"order_line_id": "x", "order_id": "o", "units": "two", "colour": "red"},
        {"order_line_id": "y", "order_id": "o", "units": "2", "colour": "red"},
        {"order_line_id": "z", "order_id": "short", "units": None, "colour": None},
    ]
    assert [(row["quarantine_row_number"], row["quarantine_reason"]) for row in kept] == [
        (2, "units: not a whole number; unit_price_minor: outside 0 to 10,000,000,000"),
        (3, "no_valid_listing"),
        (4, "wrong number of cells"),
    ]
    assert report.table("orders").warnings == ("ignored columns, not in the contract: colour",)


def test_validation_of_nested_extra_columns_keeps_them_as_text(tmp_path: Path) -> None:
    data = write_parquet(tmp_path / "data", required_source())
    orders = pq.read_table(data / "orders.parquet").slice(0, 2)
    place = orders.schema.get_field_index("units")
    spoilt = orders.set_column(place, "units", pa.array([2, 0]))
    pq.write_table(spoilt.append_column("tags", pa.array([["a"], ["b"]])), data / "orders.parquet")
    validate(data, tmp_path / "out")
    kept = pq.read_table(tmp_path / "out" / "quarantine" / "orders.parquet").to_pylist()
    assert [(row["tags"], row["creator_id"]) for row in kept] == [('["b"]', None)]


def csv_text(name: str, content: str) -> Callable[[Path], object]:
    return lambda data: (data / name).write_text(content, encoding="utf-8")


def cells(table: str, **values: object) -> Callable[[Path], object]:
    """Write a table with the same cells in every row."""
    rows = [{**row, **values} for row in small_source()[table]]
    return lambda data: write_csv(data, {table: rows})


def damage(name: str) -> Callable[[Path], object]:
    """Write zeros over the middle of a Parquet file of random text."""

    def spoil(data: Path) -> None:
        rows = [order(f"l{number * 7919 % 10007}") for number in range(5000)]
        write_parquet(data, {"orders": rows})
        (data / "orders.csv").unlink()
        content = (data / name).read_bytes()
        (data / name).write_bytes(content[:1000] + bytes(20_000) + content[21_000:])

    return spoil


HEADER = ",".join(required_source()["orders"][0])
STOCK = "listing_id,on_hand_units,inbound_units,event_time,available_at\n"


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        # H35: empty, header only, all null, changed type.
        (csv_text("orders.csv", ""), UnreadableFileError, r"orders\.csv .* is empty \(0 bytes\)"),
        (csv_text("orders.csv", "\n"), EmptyTableError, "The table orders has no rows"),
        (csv_text("orders.csv", HEADER), EmptyTableError, r"table orders.* Export it again\."),
        (csv_text("stock.csv", STOCK), EmptyTableError, "Remove it; the table is optional"),
        (lambda data: (data / "stock").mkdir(), EmptyTableError, "The table stock"),
        (cells("orders", units=None), AllNullColumnError, r"orders\.units needs a value"),
        (
            cells("orders", units="two"),
            WrongTypeError,
            r"orders\.units should hold whole numbers, but none of its 3 values",
        ),
        (
            cells("orders", promised_days="soon"),
            WrongTypeError,
            r"orders\.promised_days should hold numbers",
        ),
        (
            cells("orders", units=0),
            NoValidRowsError,
            r"none is valid\..* reasons: units: outside",
        ),
        (cells("orders", listing_id="x"), NoValidRowsError, r"no_valid_listing: no valid row of"),
        (cells("listings", product_id="x"), NoValidRowsError, r"table listings"),
        (cells("orders", available_at=None), NeverVisibleError, r"orders\.available_at"),
        (damage("orders.parquet"), UnreadableFileError, r"orders\.parquet can't be read: its"),
        (csv_text("stock.csv", STOCK + '"p1,1\n'), UnreadableFileError, r"stock\.csv can't be"),
        (csv_text("stock.csv", STOCK + 'a"' * 9_000_000), UnevenRowsError, "The table stock has 1"),
    ],
)
def test_validation_of_a_broken_table_stops_and_writes_nothing(
    tmp_path: Path,
    spoil: Callable[[Path], object],
    error: type[DataError],
    message: str,
) -> None:
    data = write_csv(tmp_path / "data", required_source())
    spoil(data)
    with pytest.raises(error, match=message):
        validate(data, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_validation_of_a_broken_link_is_a_storage_error(tmp_path: Path) -> None:
    data = write_csv(tmp_path / "data", required_source())
    (data / "stock.parquet").symlink_to("elsewhere")
    with pytest.raises(StorageError, match=r"There is no such file or directory: .*stock"):
        validate(data, tmp_path / "out")


def test_validation_of_an_optional_table_without_a_valid_row_counts_it_as_absent(
    tmp_path: Path,
) -> None:
    source = required_source() | {"prices": small_source()["prices"]}
    source["prices"][0]["price_minor"] = 0
    report = validate(write_csv(tmp_path / "data", source), tmp_path / "out")
    assert not (tmp_path / "out" / "prices.parquet").exists()
    assert (tmp_path / "out" / "quarantine" / "prices.parquet").exists()
    assert report.table("prices").warnings == ("no valid row: the table counts as absent",)


SECRETS = ("lea.wong@example.com", "+86 138 0013 8000", "13800138000", "+49-30-901820")


def test_validation_of_planted_personal_data_counts_and_never_shows_it(tmp_path: Path) -> None:
    # H40: the title is free text, which is no feature; elsewhere such values are quarantined.
    source = required_source()
    product = source["products"][0]
    source["products"] += [
        {**product, "product_id": f"q{i}", "title": f"Lamp, ask {secret}, 220 V"}
        for i, secret in enumerate(SECRETS)
    ]
    source["orders"] += [order(f"q{i}", buyer_key=secret) for i, secret in enumerate(SECRETS)]
    report = validate(write_csv(tmp_path / "data", source), tmp_path / "out")
    assert report.table("products").warnings == (
        "title: 4 rows seem to hold e-mail addresses or phone numbers",
    )
    assert not any(secret in report.to_json() for secret in SECRETS)
    orders = (tmp_path / "out" / "orders.parquet").read_bytes()
    assert SECRETS[0].encode() not in orders


def test_validation_in_small_batches_equals_validation_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = small_source()
    source["orders"] += [order(f"n{i % 5}", units=i % 3) for i in range(20)]
    data = write_parquet(tmp_path / "data", source)
    validate(data, tmp_path / "once")
    monkeypatch.setattr(features.files.source, "BATCH_ROWS", 3)
    validate(data, tmp_path / "small")
    tables = [f"{name}.parquet" for name in source] + ["quarantine/orders.parquet"]
    for name in tables:
        assert pq.read_table(tmp_path / "small" / name) == pq.read_table(tmp_path / "once" / name)
    assert written(tmp_path / "small")["report.json"] == written(tmp_path / "once")["report.json"]
