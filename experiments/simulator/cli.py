"""The command that makes a simulated market, and the one that draws its pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def simulate(
    out: Annotated[Path, typer.Option(help="Directory to write; the truth goes to OUT-truth.")],
    preset: Annotated[str, typer.Option(help="small, medium or large.")] = "small",
    products: Annotated[int | None, typer.Option(help="Products proposed.")] = None,
    markets: Annotated[str | None, typer.Option(help="Such as US,GB,DE,FR,IT,ES.")] = None,
    days: Annotated[int | None, typer.Option(help="Days of history.")] = None,
    seed: Annotated[int | None, typer.Option(help="Equal seeds give equal bytes.")] = None,
    dirty: Annotated[
        float | None, typer.Option(help="Rows of dirt planted, as a share of each table.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file with sizes of mechanisms; see docs/market.md.")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the rows by table as JSON and nothing else.")
    ] = False,
) -> None:
    """Simulate a market whose truth is known: all tables of the contract, and the truth beside."""
    from json import dumps

    from rich.console import Console
    from rich.progress import Progress

    from experiments.simulator.configuration.configuration import configure
    from experiments.simulator.tables.simulate import simulate as make_market
    from experiments.simulator.tables.writing import truth_directory

    market = configure(
        preset,
        file=config,
        products=products,
        markets=None if markets is None else tuple(markets.split(",")),
        days=days,
        seed=seed,
        dirty=dirty,
    )
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Simulating", total=market.chunks)
        rows = make_market(market, out, lambda done, _: progress.update(task, completed=done))
    if json:
        typer.echo(dumps(rows))
        return
    counted = ", ".join(f"{count:,} {name}" for name, count in rows.items())
    typer.echo(f"A market is in {out}: {counted}.\nIts truth is in {truth_directory(out)}.")


def plot_market(
    data: Annotated[Path, typer.Argument(help="Directory that `xuanpin simulate` wrote.")],
    out: Annotated[Path, typer.Option(help="Directory for the pictures.")],
) -> None:
    """Draw the market's mechanisms: the pictures of docs/market.md."""
    from experiments.simulator.pictures.plots import draw_all

    for path in draw_all(data, out):
        typer.echo(str(path))
