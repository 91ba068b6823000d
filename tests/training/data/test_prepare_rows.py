from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.dataset.horizons import Horizons
from features.runtime.errors import DataError
from tests.worlds.progress import Reports
from tests.worlds.sources import order, required_source, write_csv, write_parquet
from training.checkpoints.checkpoints import Checkpoints
from training.data.prepare_rows import PreparedRows, prepare_rows


def known(
    source: Path, run: Path, horizons: Horizons | None = None
) -> tuple[PreparedRows, list[str]]:
    reports = Reports()
    checkpoints = Checkpoints(run, {"code": "a"}, reports)
    rows = prepare_rows(source, horizons or Horizons(), checkpoints, reports)
    return rows, reports.stages


@dataclass(frozen=True)
class First:
    """What a first process made of a source, and was told."""

    source: Path
    run: Path
    rows: PreparedRows
    told: list[str]


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> First:
    root = tmp_path_factory.mktemp("first")
    tables = required_source()
    tables["orders"].append(order("bad", units=0))
    source = write_csv(root / "source", tables)
    return First(source, root / "run", *known(source, root / "run"))


@pytest.fixture
def first(made_once: First, tmp_path: Path) -> First:
    """Return a copy of the first run and its source, for a test to spoil."""
    source = shutil.copytree(made_once.source, tmp_path / "source")
    run = shutil.copytree(made_once.run, tmp_path / "run")
    return replace(made_once, source=source, run=run)


def test_rows_and_report_of_an_earlier_process_are_returned_in_full(first: First) -> None:
    assert [line.startswith(("check", "features")) for line in first.told] == [True, True]
    assert first.rows.reused == ()
    again, told = known(first.source, first.run)
    assert [line.endswith(": reused") for line in told] == [True, True]
    assert again.reused == ("check", "features")
    assert again.report == first.rows.report
    assert again.report.rows_quarantined == 1
    assert again.read_rows().equals(first.rows.read_rows(), check_metadata=True)
    assert first.rows.row_count == first.rows.read_rows().num_rows > 0


def _spoil_rows(run: Path) -> None:
    path = run / "training_rows.parquet"
    path.write_bytes(path.read_bytes()[:-9])


def _spoil_table(run: Path) -> None:
    pq.write_table(pq.read_table(run / "validated" / "orders.parquet")[:1], run / "o.parquet")
    (run / "o.parquet").rename(run / "validated" / "orders.parquet")


def _add_table(run: Path) -> None:
    shutil.copy(run / "validated" / "orders.parquet", run / "validated" / "stock.parquet")


@pytest.mark.parametrize(
    ("damage", "reused"),
    [
        (_spoil_rows, ("check",)),
        (_spoil_table, ("features",)),
        (_add_table, ("features",)),
    ],
)
def test_what_was_damaged_is_made_again_to_the_same_rows(
    first: First, damage: Callable[[Path], None], reused: tuple[str, ...]
) -> None:
    damage(first.run)
    again, _ = known(first.source, first.run)
    assert again.reused == reused
    assert again.read_rows().equals(first.rows.read_rows(), check_metadata=True)


def test_other_horizons_change_the_rows_and_not_the_tables(first: First) -> None:
    other, _ = known(first.source, first.run, Horizons(horizon_days=14))
    assert other.reused == ("check",)


def test_other_bytes_are_checked_again(first: First) -> None:
    tables = required_source()
    tables["orders"].append(order("bad", units=3))
    write_csv(first.source, tables)
    other, _ = known(first.source, first.run)
    assert other.reused == ()
    assert other.report.rows_quarantined == 0
    assert not other.read_rows().equals(first.rows.read_rows())


def test_other_names_beside_the_tables_are_reported_again(first: First) -> None:
    (first.source / "notes.txt").write_text("of somebody")
    other, _ = known(first.source, first.run)
    assert other.report.ignored == ("notes.txt",)
    assert other.reused == ("features",), "the tables are the same to the byte"


def test_broken_table_is_refused_however_often(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source", required_source())
    (source / "orders.parquet").write_bytes(b"nothing")
    for _ in range(2):
        with pytest.raises(DataError):
            known(source, tmp_path / "run")
