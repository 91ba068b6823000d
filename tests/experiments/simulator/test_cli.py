"""The commands that make a market, measure its noise floor and draw its pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from experiments.simulator.cli import bench_truth, plot_market, simulate
from features.runtime.errors import SettingsError

app = typer.Typer()
app.command()(simulate)
app.command()(bench_truth)
app.command()(plot_market)
SIZE = ["--products", "120", "--days", "150", "--markets", "US,DE"]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cli") / "market"
    made = CliRunner().invoke(app, ["simulate", "--out", str(out), *SIZE, "--json"])
    assert made.exit_code == 0
    assert json.loads(made.stdout)["products"] == 120
    return out


def test_simulate_command_tells_where_market_and_truth_are(tmp_path: Path) -> None:
    made = CliRunner().invoke(app, ["simulate", "--out", str(tmp_path / "m"), *SIZE])
    assert "120 products" in made.stdout
    assert "m-truth" in made.stdout.replace("\n", "")


def test_bench_truth_command_tells_the_floor_of_both_targets(market: Path) -> None:
    shown = CliRunner().invoke(app, ["bench-truth", str(market)])
    assert shown.exit_code == 0
    assert "sell_through" in shown.stdout
    floors = json.loads(CliRunner().invoke(app, ["bench-truth", str(market), "--json"]).stdout)
    assert {floor["target"] for floor in floors} == {"sell_through", "return_risk"}


def test_simulate_command_refuses_an_unknown_market(tmp_path: Path) -> None:
    out = str(tmp_path / "m")
    refused = CliRunner().invoke(app, ["simulate", "--out", out, "--markets", "US,XX"])
    assert isinstance(refused.exception, SettingsError)
    assert not (tmp_path / "m").exists()


def test_plot_command_draws_every_picture(market: Path, tmp_path: Path) -> None:
    drawn = CliRunner().invoke(app, ["plot-market", str(market), "--out", str(tmp_path / "p")])
    assert drawn.exit_code == 0
    names = {path.name for path in (tmp_path / "p").glob("*.png")}
    assert names == {Path(line).name for line in drawn.stdout.split()}
    assert all((tmp_path / "p" / name).stat().st_size > 10_000 for name in names)
