"""The command that measures the noise floor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bench_truth(
    data: Annotated[Path, typer.Argument(help="Directory that `xuanpin simulate` wrote.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Tell what a perfect forecaster would lose on a simulated market: no model can lose less."""
    from dataclasses import asdict
    from json import dumps

    from rich.console import Console
    from rich.table import Table

    from experiments.simulator.tables.writing import truth_directory
    from experiments.simulator.truth.noise_floor import noise_floors
    from experiments.simulator.truth.reader import Truth

    floors = noise_floors(Truth.open(truth_directory(data)))
    if json:
        typer.echo(dumps([{**asdict(floor), "learnable": floor.learnable} for floor in floors]))
        return
    table = Table("target", "moments", "rows", "mean", "perfect log loss", "constant", "learnable")
    for floor in floors:
        loss = f"{floor.log_loss:.4f} ± {1.96 * floor.standard_error:.4f}"
        constant, learnable = f"{floor.constant_log_loss:.4f}", f"{floor.learnable:.0%}"
        rows, mean = f"{floor.rows:,}", f"{floor.mean:.3f}"
        table.add_row(floor.target, floor.moments, rows, mean, loss, constant, learnable)
    Console().print(table)
