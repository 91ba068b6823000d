"""Dirt: planted beside clean rows, counted in a ledger, and caught by the check to the row."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from experiments.simulator.tables.dirt import KINDS, PlantedRows, SeenAs, read_ledger
from experiments.simulator.tables.simulate import simulate
from experiments.simulator.tables.writing import truth_directory
from features.contract.tables import TABLE_BY_NAME
from tests.worlds.simulated import TINY, make_market

DIRTY = TINY.model_copy(update={"dirty": 0.04})
needs_check = pytest.mark.skipif(
    find_spec("features.validation.validate") is None,
    reason="the check of source tables isn't there yet",
)


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dirty") / "market"
    simulate(DIRTY, out)
    return out


def ledger_of(out: Path) -> list[PlantedRows]:
    return read_ledger((truth_directory(out) / "dirt.json").read_text())


def test_dirt_of_every_kind_is_in_the_ledger(dirty: Path) -> None:
    planted = {(one.table, one.kind) for one in ledger_of(dirty) if one.rows > 0}
    assert planted == {(table, kind.name) for kind in KINDS for table in kind.tables}


def test_dirt_is_added_and_no_clean_row_is_changed(dirty: Path) -> None:
    rows: dict[str, int] = {}
    for one in ledger_of(dirty):
        rows[one.table] = rows.get(one.table, 0) + one.rows
    for name, clean in make_market(TINY)[0].items():
        soiled = pq.read_table(dirty / name).to_pandas()
        assert len(soiled) == len(clean) + rows.get(name, 0)
        key = list(TABLE_BY_NAME[name].key)
        kept = soiled.drop_duplicates().merge(clean, on=list(clean.columns))
        once = kept.sort_values(key, ignore_index=True)
        expected = clean.sort_values(key, ignore_index=True)
        pd.testing.assert_frame_equal(once, expected, check_dtype=False)


def test_dirt_of_none_is_an_empty_ledger(tmp_path: Path) -> None:
    little = TINY.model_copy(update={"products": 40, "chunk_products": 40, "days": 90})
    simulate(little, tmp_path / "clean")
    assert ledger_of(tmp_path / "clean") == []


def test_dirt_in_titles_is_personal_data(dirty: Path) -> None:
    titles = pq.read_table(dirty / "products", columns=["title"])["title"].to_pylist()
    found = [one for one in titles if re.search(r"\S+@\S+\.\w+|\+44 20 \d{4} \d{4}", one)]
    assert len(found) == sum(one.rows for one in ledger_of(dirty) if one.kind == "personal_data")


@needs_check
def test_dirt_is_caught_and_counted_right(dirty: Path, tmp_path: Path) -> None:
    from features.validation.validate import validate

    report = validate(dirty, tmp_path / "checked")
    for table in report.tables:
        planted = [one for one in ledger_of(dirty) if one.table == table.name]
        dropped = sum(one.rows for one in planted if one.seen_as is SeenAs.DROPPED)
        by_reason: dict[str, int] = {}
        for one in planted:
            if one.seen_as is SeenAs.QUARANTINED:
                by_reason[one.reason] = by_reason.get(one.reason, 0) + one.rows
        assert table.rows_dropped == dropped
        assert {found.reason: found.rows for found in table.quarantined} == by_reason
        warned = [f"{w.reason}: {w.rows:,} rows" for w in planted if w.seen_as is SeenAs.WARNED]
        assert [re.match(r"[^ ]+ [\d,]+ rows", one)[0] for one in table.warnings] == warned  # type: ignore[index]  # no match fails the test


@needs_check
def test_clean_market_passes_the_check_untouched(tmp_path: Path) -> None:
    from features.validation.validate import validate

    simulate(TINY, tmp_path / "market")
    report = validate(tmp_path / "market", tmp_path / "checked")
    assert report.rows_quarantined == 0
    assert sum(table.rows_dropped for table in report.tables) == 0
    assert (report.absent, report.ignored) == ((), ())
