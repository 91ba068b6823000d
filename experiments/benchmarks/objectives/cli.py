"""The command that compares what boosters of sell-through learn."""

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
        int, typer.Option(min=0, max=100, help="Number of simulated markets: seeds 0, 1 …")
    ] = 3,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Directory with source tables to compare on as well."),
    ] = None,
    origins: Annotated[
        int,
        typer.Option(min=1, max=12, help="Ends of the data, each a latest slice earlier."),
    ] = 3,
    work: Annotated[
        Path, typer.Option(help="Directory that keeps markets and training rows for the next run.")
    ] = Path("var/bench"),
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Compare demand, shares and counts as what boosters of sell-through learn.

    Demand of three sharpnesses and censored negative binomial counts of two sizes see no lot; the
    cross-entropy of shares and Tweedie of units do. All learn from the same rows, are calibrated by
    the same forward folds, and are judged on the lots that were asked and on random smaller ones.
    Each fit has as many boosters as `fold_boosters` in the settings. The last lines say whether the
    default wins; the exit code is 0 either way.
    """
    from experiments.benchmarks.objectives.benchmark import ObjectiveBenchmarkConfig, measure
    from experiments.benchmarks.objectives.page import as_document, page
    from experiments.benchmarks.results.output import print_benchmark
    from features.runtime.progress import SHORT_WORK_SECONDS, show_progress

    bench_config = ObjectiveBenchmarkConfig(
        _list_sources(preset, seeds, data or [], work=work), origins, work, _load_recipe(config)
    )
    with show_progress(delay_seconds=SHORT_WORK_SECONDS) as progress:
        result = measure(bench_config, progress)
    print_benchmark(page(result), as_document(result), as_json=json)


def _list_sources(preset: str, seeds: int, data: Sequence[Path], *, work: Path) -> list[Source]:
    from experiments.benchmarks.objectives.sources import NoSourcesError, Source, market_source
    from experiments.simulator.configuration.configuration import configure

    sources = [market_source(configure(preset, seed=seed), work) for seed in range(seeds)]
    sources += [Source(str(directory), directory) for directory in data]
    if not sources:
        raise NoSourcesError
    return sources


def _load_recipe(config: Path | None) -> TrainingRecipe:
    from features.catalogue.catalogue import CATALOGUE
    from features.dataset.horizons import Horizons
    from features.runtime.settings import load_section
    from training.data.training_input import TrainingRecipe
    from training.settings import TrainingSettings

    horizons = load_section(Horizons, "horizons", config)
    return TrainingRecipe(horizons, CATALOGUE, load_section(TrainingSettings, "training", config))
