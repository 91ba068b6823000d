"""Commands of the experiments: the simulated market and the benchmarks."""

from __future__ import annotations

import typer

from experiments.benchmarks.complete_journey.cli import bench_complete_journey
from experiments.benchmarks.estimators.cli import bench_estimators
from experiments.benchmarks.features.cli import bench_features
from experiments.benchmarks.models.cli import bench_models
from experiments.benchmarks.objectives.cli import bench_objectives
from experiments.benchmarks.online.cli import bench_online
from experiments.benchmarks.real.cli import bench_real
from experiments.benchmarks.training.cli import bench_training
from experiments.benchmarks.unripe.cli import bench_unripe
from experiments.simulator.cli import bench_truth, plot_market, simulate

market_app = typer.Typer()
market_app.command("simulate", epilog="Example: xuanpin simulate --out market --preset small")(
    simulate
)

bench_app = typer.Typer(name="bench", help="Measure accuracy against known truth, and costs.")


@bench_app.callback()
def bench_group() -> None:
    """Measure accuracy against known truth, and costs."""


bench_app.command("truth", epilog="Example: xuanpin bench truth market")(bench_truth)
bench_app.command("complete-journey", epilog="Example: xuanpin bench complete-journey --seeds 1")(
    bench_complete_journey
)
bench_app.command(
    "estimators", epilog="Example: xuanpin bench estimators --tables 6 --max-rows 5000"
)(bench_estimators)
bench_app.command("pictures", epilog="Example: xuanpin bench pictures market --out docs/market")(
    plot_market
)
bench_app.command("features", epilog="Example: xuanpin bench features --lines 1000000")(
    bench_features
)
bench_app.command("online", epilog="Example: xuanpin bench online --keys 1000000")(bench_online)
bench_app.command("models", epilog="Example: xuanpin bench models --preset small --seeds 1")(
    bench_models
)
bench_app.command(
    "objectives", epilog="Example: xuanpin bench objectives --seeds 3 --data data --origins 3"
)(bench_objectives)
bench_app.command(
    "real", epilog="Example: xuanpin bench real --data online_retail.parquet --only by-hand"
)(bench_real)
bench_app.command("unripe", epilog="Example: xuanpin bench unripe --seeds 1")(bench_unripe)
bench_app.command("training", epilog="Example: xuanpin bench training --repeats 3 --dask")(
    bench_training
)
