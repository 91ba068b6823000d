"""The command that compares what boosters may minimise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from experiments.benchmarks.objectives.sources import Source
    from training.data.training_input import TrainingRecipe


def bench_objectives(
    preset: Annotated[str, typer.Option(help="small, medium or large.")] = "small",
    seeds: Annotated[
        int, typer.Option(min=0, max=100, help="Simulated markets, with seeds from 0 on.")
    ] = 3,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Directory with source tables, compared on beside the markets."),
    ] = None,
    origins: Annotated[
        int, typer.Option(min=1, max=12, help="Ends of the data, each a latest slice earlier.")
    ] = 3,
    work: Annotated[
        Path, typer.Option(help="Directory that keeps markets and training rows for the next run.")
    ] = Path("var/bench"),
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Compare objectives, and averages of seeds, on forward splits of several data sets.

    Five boosters each: four of cross-entropy and one of Tweedie on units, and five of
    cross-entropy, L2, L1, the median, another quantile or Tweedie; one and three of cross-entropy;
    and nine of it, shrinkage and a constant for reference, all on the same rows. Exit code 0
    whether or not the default wins: the last lines say.
    """
    from json import dumps

    from experiments.benchmarks.objectives.benchmark import ObjectiveBenchmarkConfig, measure
    from experiments.benchmarks.objectives.page import as_document, page
    from features.runtime.console import print_results
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress

    plan = ObjectiveBenchmarkConfig(
        _sources(preset, seeds, data or [], work=work), origins, work, _recipe(config)
    )
    with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
        found = measure(plan, progress)
    if json:
        typer.echo(dumps(as_document(found)))
    else:
        print_results(page(found))


def _sources(preset: str, seeds: int, data: Sequence[Path], *, work: Path) -> list[Source]:
    from experiments.benchmarks.objectives.sources import Source, market_source
    from experiments.simulator.configuration.configuration import configure

    sources = [market_source(configure(preset, seed=seed), work) for seed in range(seeds)]
    sources += [Source(str(directory), directory) for directory in data]
    if not sources:
        raise typer.BadParameter("no market and no data: name --data, or one seed or more")
    return sources


def _recipe(config: Path | None) -> TrainingRecipe:
    from features.catalogue.catalogue import CATALOGUE
    from features.dataset.horizons import Horizons
    from features.runtime.settings import load_section
    from training.data.training_input import TrainingRecipe
    from training.settings import TrainingSettings

    horizons = load_section(Horizons, "horizons", config)
    return TrainingRecipe(horizons, CATALOGUE, load_section(TrainingSettings, "training", config))
