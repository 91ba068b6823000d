"""The benchmark of training: its arithmetic, and a tiny market from end to end."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from experiments.benchmarks.results.figures import ElapsedTime, MedianRange
from experiments.benchmarks.training.benchmark import (
    TrainingBenchmarkConfig,
    TrainingBenchmarkResult,
    measure,
)
from experiments.benchmarks.training.engines import EngineComparison
from experiments.benchmarks.training.page import as_document, page, verdict_lines
from experiments.benchmarks.training.timing import (
    DifferentTreesError,
    TimingComparison,
    TimingPair,
    time_in_turns,
)
from experiments.simulator.configuration.configuration import Simulation
from features.runtime.progress import ignore_progress
from training.fit.fit_targets import fit_locally
from training.settings import TrainingSettings

MARKET = Simulation(products=300, chunk_products=150, markets=("US", "DE"), days=330)
SETTINGS = TrainingSettings(trees=10, boosters=2, min_positives=5, min_rows=30)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> TrainingBenchmarkResult:
    work = tmp_path_factory.mktemp("work")
    return measure(
        TrainingBenchmarkConfig(MARKET, work, SETTINGS, 2, lambda _: fit_locally), ignore_progress
    )


def test_all_ways_are_measured_and_grow_the_same_trees(measured: TrainingBenchmarkResult) -> None:
    names = [one.name for one in measured.compared]
    assert names == ["SellThroughModel", "ReturnRiskModel", "main job, both targets"]
    assert [one.trees for one in measured.compared] == [40, 40, 20 + 10 + 3 * 10 + 2 + 2]
    # Trees of two boosters, of an early one, and of one at each of three and two origins.
    for one in measured.compared:
        assert len(one.pairs) == 2
        assert one.ratio.median > 0.2
        assert one.pairs[0].bare.cpu_seconds > 0


def test_an_engine_that_is_the_local_one_loses_the_same(measured: TrainingBenchmarkResult) -> None:
    engines = measured.engines
    assert engines is not None
    for target, loss in engines.local_loss.items():
        assert engines.cluster_loss[target] == MedianRange(loss, loss, loss)


def test_page_and_document_hold_every_fit(measured: TrainingBenchmarkResult) -> None:
    console = Console(file=io.StringIO(), width=240)
    console.print(page(measured))
    printed = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO from above
    document = json.loads(json.dumps(as_document(measured)))
    for one in document["compared"]:
        assert one["name"] in printed
        assert f"{one['ratio']['median']:.2f} (" in printed
    for loss in document["engines"]["local_loss"].values():
        assert f"{loss:.5f}" in printed


def test_ways_take_turns_in_going_first() -> None:
    went: list[str] = []

    def way(name: str) -> tuple[str, ElapsedTime]:
        went.append(name)
        return "same", ElapsedTime(1.0, 1.0)

    time_in_turns("x", lambda: way("product"), lambda: way("bare"), 3)
    assert went == ["product", "bare", "bare", "product", "product", "bare"]


def test_ways_that_come_to_other_trees_are_refused() -> None:
    took = ElapsedTime(1.0, 1.0)
    with pytest.raises(DifferentTreesError, match="x: the product"):
        time_in_turns("x", lambda: ("one", took), lambda: ("other", took), 1)


@pytest.mark.parametrize(
    ("wall", "cpu", "loss", "reached"),
    [
        (1.2, 1.1, 0.5049, [True, True, True]),
        (1.4, 1.1, 0.4949, [False, True, False]),
        (1.3, 1.31, 0.5051, [True, False, False]),
    ],
)
def test_verdicts_say_which_bounds_are_reached(
    wall: float, cpu: float, loss: float, reached: list[bool]
) -> None:
    pair = TimingPair(ElapsedTime(wall, cpu), ElapsedTime(1.0, 1.0))
    once = MedianRange(1.0, 1.0, 1.0)
    engines = EngineComparison(
        once, once, {"sell_through": 0.5}, {"sell_through": MedianRange(loss, loss, loss)}
    )
    compared = TimingComparison("fit", trees=1, rows=1, inputs=1, pairs=(pair,))
    lines = verdict_lines(TrainingBenchmarkResult(1, (compared,), engines))
    assert [line.startswith("reached") for line in lines] == reached
    assert (
        len(verdict_lines(replace(TrainingBenchmarkResult(1, (compared,), engines), engines=None)))
        == 2
    )
