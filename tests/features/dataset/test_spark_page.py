"""Code that the documentation shows runs as it stands there."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.point_in_time.signal_rows import build_stored_rows
from tests.worlds.random_markets import HORIZONS, Engine, random_world

PAGE = Path(__file__).parents[3] / "docs" / "spark.md"
BLOCK = re.compile(r"(?:^    .*\n|^\n(?=    ))+", re.MULTILINE)


def test_page_about_spark_shows_how_to_leave_rows_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second block doesn't care which engine made the signals: here it is DuckDB."""
    opening, leaving = (textwrap.dedent(block) for block in BLOCK.findall(PAGE.read_text()))
    compile(opening, PAGE.name, "exec")
    dataset = Engine(random_world(1)).dataset
    names = {
        "dataset": dataset,
        "signals": build_stored_rows(dataset, HORIZONS),
        "CATALOGUE": CATALOGUE,
    }
    monkeypatch.chdir(tmp_path)
    exec(leaving, names)  # noqa: S102 - the page's own code is what is tested
    features, labels = (pq.read_table(tmp_path / name) for name in ("features", "labels"))
    assert features.num_rows == labels.num_rows > 0
    assert {feature.name for feature in CATALOGUE.base} <= set(features.column_names)
    assert {"sell_through", "return_risk"} <= set(labels.column_names)
