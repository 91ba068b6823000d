"""Writing an import, and the command that does it all."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from features.importers.cli import app
from features.importers.online_retail.buyers import WeakKeyError
from features.importers.online_retail.local_times import OpenDateOrderError
from features.importers.online_retail.source import UnreadableSourceError
from features.importers.online_retail.storage import IMPORT_FILES
from features.runtime.atomic import ForeignDirectoryError
from features.runtime.errors import StorageError

LINES = """\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,12/1/2010 8:26,2.55,jane@example.org,EIRE
536365,POST,POSTAGE,1,12/1/2010 8:26,18,jane@example.org,EIRE
C536379,85123A,WHITE HANGING HEART T-LIGHT HOLDER,-1,12/13/2010 9:41,2.55,jane@example.org,EIRE
C536380,22423,REGENCY CAKESTAND 3 TIER,-1,12/13/2010 9:45,12.75,jane@example.org,EIRE
"""


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "online_retail.csv"
    path.write_text(LINES)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["online-retail", *map(str, arguments)])


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_import_command_ends_with_a_summary_that_adds_up(lines: Path, tmp_path: Path) -> None:
    result = run(lines, "--out", tmp_path / "made" / "here")
    assert result.exit_code == 0
    assert (
        result.stdout
        == f"""\
Online Retail is in {tmp_path / "made" / "here"}

        4  lines read
        1  kept as order lines
        1  cancellations matched to earlier purchases
        1  removed: no sales of products
              1  postage  postage and carriage
        1  quarantined (quarantine.parquet)
              1  cancellation_without_purchase  the customer didn't buy the product before

        1  rows of products
        1  rows of listings
        0  rows of prices
        1  rows of orders
        1  rows of returns
        1  markets, 2010-12-01 to 2010-12-01

The source has no stock: units offered will be imputed.
The source has one time: available_at equals event_time; in prices, both are the day's end.
A listing begins with its first known sale: listed_at and list_price_minor are that sale's.
Dates are read with the month first: 01/12/2010 is 12 January.
The buyers' pseudonyms use the published key: anyone with the customer numbers can reverse
them. For private data, give a private key with --key FILE.
Online Retail, Daqing Chen, UCI Machine Learning Repository, doi 10.24432/C5BW33, CC BY 4.0.
"""
    )


def test_import_command_with_json_prints_the_file_it_wrote(lines: Path, tmp_path: Path) -> None:
    result = run(lines, "--out", tmp_path / "out", "--json")
    assert result.stdout_bytes == (tmp_path / "out" / "import.json").read_bytes()
    report = json.loads(result.stdout)
    assert report["lines"]["read"] == 4
    assert report["first_event"] == "2010-12-01T08:26:00Z"
    assert report["markets"] == ["IE"]


def test_import_command_is_told_the_order_of_day_and_month(lines: Path, tmp_path: Path) -> None:
    lines.write_text(LINES.replace("12/13/2010", "12/3/2010"))
    assert isinstance(run(lines, "--out", tmp_path / "out").exception, OpenDateOrderError)
    result = run(lines, "--out", tmp_path / "out", "--dates", "day-first", "--json")
    report = json.loads(result.stdout)
    assert report["first_event"] == "2010-01-12T08:26:00Z"
    assert "Dates are read with the day first: 01/12/2010 is 1 December." in report["notes"]


def test_import_command_twice_writes_the_same_bytes(lines: Path, tmp_path: Path) -> None:
    for name in ("first", "second", "second"):
        assert run(lines, "--out", tmp_path / name).exit_code == 0
    assert contents(tmp_path / "first") == contents(tmp_path / "second")
    assert set(contents(tmp_path / "first")) == IMPORT_FILES - {"prices.parquet"}
    assert {path.name for path in tmp_path.iterdir()} == {lines.name, "first", "second"}


def test_import_command_writes_customers_as_pseudonyms_only(lines: Path, tmp_path: Path) -> None:
    key = tmp_path / "pseudonyms.key"
    key.write_bytes(bytes(range(32)))
    assert run(lines, "--out", tmp_path / "out", "--key", key).exit_code == 0
    written = b"".join(contents(tmp_path / "out").values())
    assert b"jane" not in written
    assert b"example.org" not in written
    assert bytes(range(32)) not in written


def test_import_command_replaces_an_earlier_import(lines: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert run(lines, "--out", out).exit_code == 0
    lines.write_text(LINES.replace("85123A", "84029G"))
    assert run(lines, "--out", out).exit_code == 0
    assert b"84029G" in (out / "products.parquet").read_bytes()


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        (["thesis.txt"], "thesis.txt"),
        (["orders.parquet"], "orders.parquet"),
        (["import.json", "orders.parquet"], "import.json, orders.parquet"),
        ([f"{i}.txt" for i in range(9)], "0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 4 more"),
    ],
)
def test_import_command_refuses_a_directory_that_is_no_import(
    lines: Path, tmp_path: Path, files: list[str], shown: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in files:
        (out / name).write_text('{"format": "something else"}')
    before = contents(out)
    result = run(lines, "--out", out)
    assert isinstance(result.exception, ForeignDirectoryError)
    assert f"other files: {shown}. Name another directory" in str(result.exception)
    assert contents(out) == before


def test_import_command_refuses_an_import_that_a_person_added_to(
    lines: Path, tmp_path: Path
) -> None:
    assert run(lines, "--out", tmp_path / "out").exit_code == 0
    (tmp_path / "out" / "notes.txt").write_text("mine")
    result = run(lines, "--out", tmp_path / "out")
    assert isinstance(result.exception, ForeignDirectoryError)
    assert "notes.txt" in str(result.exception)


def test_import_command_refuses_a_file_as_directory(lines: Path) -> None:
    result = run(lines, "--out", lines)
    assert isinstance(result.exception, ForeignDirectoryError)
    assert lines.read_text() == LINES


def test_import_command_on_a_full_disk_leaves_the_earlier_import(
    lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert run(lines, "--out", out).exit_code == 0
    before = contents(out)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    result = run(lines, "--out", out)
    monkeypatch.undo()
    assert isinstance(result.exception, StorageError)
    assert "Free some space" in str(result.exception)
    assert contents(out) == before
    assert {path.name for path in tmp_path.iterdir()} == {lines.name, "out"}


def test_import_command_checks_everything_before_it_reads_lines(tmp_path: Path) -> None:
    (tmp_path / "short.key").write_bytes(b"short")
    absent, out = tmp_path / "absent.parquet", tmp_path / "out"
    result = run(absent, "--out", out, "--key", tmp_path / "short.key")
    assert isinstance(result.exception, WeakKeyError)
    result = run(absent, "--out", out)
    assert isinstance(result.exception, UnreadableSourceError)
    assert not out.exists()


def test_import_command_into_a_link_keeps_the_link(lines: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert run(lines, "--out", tmp_path / "link").exit_code == 0
    assert (tmp_path / "link").is_symlink()
    assert set(contents(tmp_path / "real")) == IMPORT_FILES - {"prices.parquet"}
    shutil.rmtree(tmp_path / "real")


def test_import_command_help_shows_an_example() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "xuanpin import online-retail" in result.stdout
