from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from training.boosting.dask_fitting import DaskFitter
from training.errors import SchedulerWithoutDaskError
from training.pipeline.cli import Engine, app, choose_fitter


def test_local_engine_needs_no_cluster() -> None:
    assert choose_fitter(Engine.LOCAL, None) is None


@pytest.mark.parametrize("scheduler", [None, "tcp://127.0.0.1:8786"])
def test_dask_engine_reads_the_rows_where_they_are(scheduler: str | None, tmp_path: Path) -> None:
    cluster = choose_fitter(Engine.DASK, scheduler)
    assert cluster is not None
    assert cluster(tmp_path / "rows.parquet") == DaskFitter(tmp_path / "rows.parquet", scheduler)


def test_scheduler_without_its_engine_is_refused() -> None:
    with pytest.raises(SchedulerWithoutDaskError):
        choose_fitter(Engine.LOCAL, "tcp://127.0.0.1:8786")


@pytest.mark.parametrize("command", ["train", "run", "backtest"])
def test_command_shows_its_options_exit_codes_and_an_example(command: str) -> None:
    page = " ".join(CliRunner().invoke(app, [command, "--help"]).stdout.split())
    for words in ("--data", "--out", "--config", "Exit codes: 0 done; 2 wrong usage or settings;"):
        assert words in page
    assert f"Example: xuanpin {command} --data data --out var/run" in page
