"""The commands that simulate a market, draw its pictures and measure its noise floor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer


def simulate(
    out: Annotated[Path, typer.Option(help="Directory to write; the truth goes to OUT-truth.")],
    preset: Annotated[str, typer.Option(help="small, medium or large.")] = "small",
    products: Annotated[int | None, typer.Option(help="Number of proposed products.")] = None,
    markets: Annotated[str | None, typer.Option(help="Codes of markets, such as US,GB,DE.")] = None,
    days: Annotated[int | None, typer.Option(help="Days of history.")] = None,
    seed: Annotated[int | None, typer.Option(help="Equal seeds give equal bytes.")] = None,
    dirty: Annotated[
        float | None, typer.Option(help="Rows of dirt to add, as a share of each table.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file with parameters; see docs/market.md.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the rows by table as JSON.")] = False,
) -> None:
    """Simulate a market with known truth: all tables of the contract, and the truth beside them."""
    from json import dumps

    from experiments.simulator.configuration.configuration import configure
    from experiments.simulator.tables.simulate import simulate as make_market
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress

    market = configure(
        preset,
        file=config,
        products=products,
        markets=None if markets is None else tuple(markets.split(",")),
        days=days,
        seed=seed,
        dirty=dirty,
    )
    with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
        rows = make_market(market, out, progress)
    typer.echo(dumps(rows) if json else _describe_market(out, rows))


def _describe_market(out: Path, rows: Mapping[str, int]) -> str:
    from experiments.simulator.tables.writing import truth_directory
    from features.runtime.text import quote_path

    counts = ", ".join(f"{count:,} {name}" for name, count in rows.items())
    truth = quote_path(truth_directory(out))
    return f"The market is in {quote_path(out)}: {counts}.\nIts truth is in {truth}."


def plot_market(
    data: Annotated[Path, typer.Argument(help="Directory that `xuanpin simulate` wrote.")],
    out: Annotated[Path, typer.Option(help="Directory for the pictures.")],
) -> None:
    """Draw the market's mechanisms: the pictures of docs/market.md."""
    from experiments.simulator.pictures.plots import draw_all
    from features.runtime.text import quote_path

    for path in draw_all(data, out):
        typer.echo(quote_path(path))


def bench_truth(
    data: Annotated[Path, typer.Argument(help="Directory that `xuanpin simulate` wrote.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Measure the loss of a perfect forecaster on a simulated market: no model can lose less."""
    from dataclasses import asdict
    from json import dumps

    from rich.table import Table

    from experiments.simulator.tables.writing import truth_directory
    from experiments.simulator.truth.noise_floor import measure_noise_floors
    from experiments.simulator.truth.reader import Truth
    from features.runtime.console import print_results

    floors = measure_noise_floors(Truth.open(truth_directory(data)))
    if json:
        typer.echo(dumps([{**asdict(floor), "learnable": floor.learnable} for floor in floors]))
        return
    table = Table("target", "moments", "rows", "mean", "perfect log loss", "constant", "learnable")
    for floor in floors:
        loss = f"{floor.log_loss:.4f} ± {1.96 * floor.standard_error:.4f}"
        constant, learnable = f"{floor.constant_log_loss:.4f}", f"{floor.learnable:.0%}"
        rows, mean = f"{floor.rows:,}", f"{floor.mean:.3f}"
        table.add_row(floor.target, floor.moments, rows, mean, loss, constant, learnable)
    print_results(table)
