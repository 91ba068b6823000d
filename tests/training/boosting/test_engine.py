from __future__ import annotations

from pathlib import Path

import pytest
import typer
from dask import config

from features.runtime.errors import SettingsError
from training.boosting.dask_fitting import DaskFitter
from training.boosting.engine import Engine, fitter_for


def test_local_engine_needs_no_cluster() -> None:
    assert fitter_for(Engine.LOCAL, None) is None


@pytest.mark.parametrize("scheduler", [None, "tcp://127.0.0.1:8786"])
def test_dask_engine_reads_the_rows_where_they_are(scheduler: str | None, tmp_path: Path) -> None:
    cluster = fitter_for(Engine.DASK, scheduler)
    assert cluster is not None
    assert cluster(tmp_path / "rows.parquet") == DaskFitter(tmp_path / "rows.parquet", scheduler)


@pytest.mark.parametrize(("set_to", "seconds"), [("1s", 1), (2.5, 2.5), ("2 m", 120)])
def test_dask_engine_waits_as_long_as_dask_is_set_to(set_to: object, seconds: float) -> None:
    with config.set({"distributed.comm.timeouts.connect": set_to}):
        assert DaskFitter(Path("rows.parquet")).timeout_seconds == seconds


def test_dask_engine_refuses_to_wait_for_no_length_of_time() -> None:
    with (
        config.set({"distributed.comm.timeouts.connect": "a while"}),
        pytest.raises(
            SettingsError, match=r"timeouts.connect in .* should be a length of time such as"
        ),
    ):
        DaskFitter(Path("rows.parquet"))


def test_scheduler_without_its_engine_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="--engine dask"):
        fitter_for(Engine.LOCAL, "tcp://127.0.0.1:8786")
