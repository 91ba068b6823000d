from __future__ import annotations

from pathlib import Path

import pytest
import typer

from training.dask_fitting import DaskFitter
from training.engine import Engine, cluster_of


def test_local_engine_needs_no_cluster() -> None:
    assert cluster_of(Engine.LOCAL, None) is None


@pytest.mark.parametrize("scheduler", [None, "tcp://127.0.0.1:8786"])
def test_dask_engine_reads_the_rows_where_they_are(scheduler: str | None, tmp_path: Path) -> None:
    cluster = cluster_of(Engine.DASK, scheduler)
    assert cluster is not None
    assert cluster(tmp_path / "rows.parquet") == DaskFitter(tmp_path / "rows.parquet", scheduler)


def test_scheduler_without_its_engine_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="--engine dask"):
        cluster_of(Engine.LOCAL, "tcp://127.0.0.1:8786")
