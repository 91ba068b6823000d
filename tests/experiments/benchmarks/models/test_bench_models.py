"""The comparison of models with the truth: its arithmetic, and a tiny market from end to end."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from experiments.benchmarks.models.against_truth import TruthComparison, compare_with_truth
from experiments.benchmarks.models.benchmark import (
    EVERYTHING,
    MarketFigures,
    ModelBenchmarkConfig,
    TargetFigures,
    measure,
)
from experiments.benchmarks.models.lot_curves import (
    DECISIONS,
    LOTS,
    measure_errors,
    pool_seeds,
)
from experiments.benchmarks.models.page import as_document, page, verdicts
from experiments.simulator.configuration.configuration import Simulation
from features.runtime.arrays import FloatArray
from features.runtime.progress import ignore_progress
from training.evaluation.coverage import ALL_ROWS, MIN_CELL_ROWS, Coverage
from training.settings import TrainingSettings

MARKET = Simulation(products=300, chunk_products=150, markets=("US", "DE"), days=330)
SETTINGS = TrainingSettings(trees=20, boosters=1, min_positives=5, min_rows=30)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[MarketFigures]:
    return measure(
        ModelBenchmarkConfig([MARKET], tmp_path_factory.mktemp("work"), SETTINGS), ignore_progress
    )


def _expected_loss(truth: FloatArray, estimate: FloatArray) -> float:
    """Return what an estimate loses on average over the dice, in a plain loop."""
    losses = [
        -(share * math.log(said) + (1 - share) * math.log(1 - said))
        for share, said in zip(truth.tolist(), estimate.tolist(), strict=True)
    ]
    return float(np.mean(losses))


@pytest.mark.parametrize("model", ["truth", "shrinkage", "worse"])
def test_explained_share_runs_from_shrinkage_to_the_truth(model: str) -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.2, 0.8, 20_000)
    estimates = {
        "truth": truth,
        "shrinkage": 0.25 + truth / 2,
        "worse": 0.4 + truth / 5,
    }
    found = compare_with_truth(
        rng.binomial(50, truth) / 50,
        rng.integers(1, 9, truth.size).astype(float),
        model=estimates[model],
        shrinkage=estimates["shrinkage"],
        truth=truth,
    )
    losses = {name: _expected_loss(truth, estimate) for name, estimate in estimates.items()}
    gain = losses["shrinkage"] - losses["truth"]
    expected = (losses["shrinkage"] - losses[model]) / gain
    assert found.explained_share == pytest.approx(expected, abs=0.1)
    assert found.rank_correlation == pytest.approx(1.0)


def test_share_of_no_gain_is_none_and_counts_as_nothing_explained() -> None:
    even = TruthComparison(
        rows=9, model_loss=0.5, shrinkage_loss=0.4, truth_loss=0.4, rank_correlation=0.5
    )
    assert even.explained_share is None
    market = _figures(0.6, 0.8, 0.8, 0.01)
    target = replace(market.targets[0], by_group={EVERYTHING: even})
    without = [replace(market, targets=[target])]
    document = as_document(without)
    assert document["markets"][0]["targets"][0]["by_group"][EVERYTHING]["explained_share"] is None
    assert verdicts(without)[0].startswith("not reached: sell_through: 0.000")
    assert verdicts([market, market, *without])[0].startswith("not reached: sell_through: 0.600 (0")


def test_explained_share_weighs_rows_as_the_target_does() -> None:
    label, weight = np.array([0.0, 1.0]), np.array([1.0, 3.0])
    half = np.full(2, 0.5)
    found = compare_with_truth(
        label, weight, model=np.array([0.5, 0.9]), shrinkage=half, truth=np.array([0.1, 0.8])
    )
    expected = (1 * np.log(2) - 3 * np.log(0.9)) / 4
    assert found.model_loss == pytest.approx(expected)


def test_models_are_compared_with_the_truth_of_the_same_rows(found: list[MarketFigures]) -> None:
    (market,) = found
    assert [one.target for one in market.targets] == ["sell_through", "return_risk"]
    for one in market.targets:
        everything = one.by_group[EVERYTHING]
        assert everything.truth_loss < min(everything.model_loss, everything.shrinkage_loss)
        assert {"not listed yet", "unknown product"} <= set(one.by_group)
        assert 0 <= one.calibration_error < 0.2
        assert ALL_ROWS not in one.cells
        assert all(cell.rows >= MIN_CELL_ROWS for cell in one.cells.values())
        least = one.cells[one.least_cell]
        assert all(least.coverage <= cell.coverage for cell in one.cells.values())
    sell_through = market.targets[0].by_group[EVERYTHING]
    assert sell_through.explained_share is not None
    assert sell_through.explained_share > 0
    assert sell_through.rank_correlation > 0.3


def test_expected_units_grow_with_the_lot_and_are_near_the_truth(
    found: list[MarketFigures],
) -> None:
    for errors in found[0].by_lot.values():
        assert [error.lot for error in errors] == LOTS.tolist()
        true = [error.true_units for error in errors]
        expected = [error.true_units + error.bias for error in errors]
        for units in (true, expected):
            assert units == sorted(units)
            assert 0 < units[0] <= 1
        assert true[-1] < LOTS[-1]
        assert all(error.mean_absolute_error >= abs(error.bias) - 1e-9 for error in errors)
    decisions = found[0].by_lot[DECISIONS]
    assert all(error.mean_absolute_error < 0.6 * error.true_units for error in decisions[:4])


def test_errors_of_lots_are_means_over_rows_and_pool_over_seeds() -> None:
    true = np.tile(np.arange(1.0, 9.0), (2, 1))
    off = true + np.array([[1.0], [-3.0]])
    (first, *_) = measure_errors(off, true)
    assert (first.rows, first.true_units) == (2, 1.0)
    assert (first.mean_absolute_error, first.bias) == (2.0, -1.0)
    more = np.repeat(true, 3, axis=0)
    seeds = [{DECISIONS: measure_errors(off, true)}, {DECISIONS: measure_errors(more, more)}]
    pooled = pool_seeds(seeds)[DECISIONS][0]
    assert (pooled.rows, pooled.bias, pooled.mean_absolute_error) == (8, -0.25, 0.5)


def test_page_and_document_hold_every_group(found: list[MarketFigures]) -> None:
    console = Console(file=io.StringIO(), width=200)
    console.print(page(found))
    printed = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO from above
    document = json.loads(json.dumps(as_document(found)))
    for target in document["markets"][0]["targets"]:
        for name, group in target["by_group"].items():
            assert name in printed
            assert f"{group['explained_share']:.3f}" in printed


def test_document_tells_what_can_be_known_of_return_risk_alone(found: list[MarketFigures]) -> None:
    document = json.loads(json.dumps(as_document(found)))
    sell_through, return_risk = document["markets"][0]["targets"]
    for group in sell_through["by_group"].values():
        assert group["knowable_loss"] is group["knowable_share"] is None
        assert group["explained_share_of_knowable"] is None
    everything = return_risk["by_group"][EVERYTHING]
    gain = everything["shrinkage_loss"] - everything["knowable_loss"]
    had = everything["shrinkage_loss"] - everything["model_loss"]
    assert gain > 0
    assert everything["explained_share_of_knowable"] == pytest.approx(had / gain)
    (line,) = document["bounds"]
    assert line.startswith(f"return_risk: {everything['knowable_share']:.3f} of")


def _coverage(share: float) -> Coverage:
    return Coverage(
        rows=200,
        listings=60,
        coverage=share,
        error=0.03,
        width=0.3,
        plain_coverage=0.8,
        plain_width=0.4,
        is_merged=False,
    )


def _figures(explained: float, coverage: float, cell: float, error: float) -> MarketFigures:
    group = TruthComparison(
        rows=9, model_loss=1 - explained, shrinkage_loss=1.0, truth_loss=0.0, rank_correlation=0.5
    )
    figures = TargetFigures(
        target="sell_through",
        by_group={EVERYTHING: group},
        calibration_error=error,
        unseen_season=0.25,
        error_without_calendar=0.0417,
        coverage=coverage,
        width=0.3,
        plain_width=0.4,
        cells={"much DE": _coverage(cell), "some DE": _coverage(cell + 0.01)},
    )
    return MarketFigures(seed=0, rows=9, targets=[figures], by_lot={})


def test_page_says_how_much_of_the_season_was_news() -> None:
    console = Console(file=io.StringIO(), width=200)
    console.print(page([_figures(0.61, 0.8, 0.76, 0.01)]))
    printed = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO from above
    assert "unseen season" in printed
    assert "25%" in printed
    assert "without calendar" in printed
    assert "0.0417" in printed


@pytest.mark.parametrize(
    ("figures", "reached"),
    [
        ((0.61, 0.80, 0.76, 0.01), [True, True, True, True]),
        ((0.59, 0.83, 0.74, 0.03), [False, False, False, False]),
        ((0.61, 0.77, 0.76, 0.01), [True, True, False, True]),
        ((0.61, 0.83, 0.76, 0.01), [True, True, False, True]),
    ],
)
def test_verdicts_say_which_bounds_every_seed_reaches(
    figures: tuple[float, float, float, float], reached: list[bool]
) -> None:
    explained, coverage, cell, error = figures
    good = _figures(0.7, 0.8, 0.79, 0.0)
    found = [good, _figures(explained, coverage, cell, error), good]
    assert [line.startswith("reached") for line in verdicts(found)] == reached
