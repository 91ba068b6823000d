from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.declarations.targets import TARGETS, Target
from serving.conformal.cell_residuals import MAX_STORED
from serving.prediction.predict import predict
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput
from training.evaluation import coverage as coverage_module
from training.evaluation.coverage import clustered_standard_error
from training.evaluation.evaluate import evaluate
from training.fit.train import TrainOutput


@pytest.mark.parametrize("target", TARGETS)
def test_coverage_of_all_rows_is_the_evaluations_and_beside_it_the_plain_one(
    target: Target,
    trained: TrainOutput,
    training_input: TrainingInput,
    splits: dict[Target, TargetSplit],
) -> None:
    evaluation, split = trained.evaluations[target], splits[target]
    whole = evaluation.by_cell["all"]
    judged = evaluation.overall["model"]
    assert (whole.rows, whole.coverage, whole.width) == (judged.rows, judged.coverage, judged.width)
    fitted = trained.fitted[target]
    known, latest = split.residual_fit, split.latest
    errors = np.abs(known.label - fitted.forward[known.rows])
    assert errors.size <= MAX_STORED  # none is thinned away: the reach is one residual exactly
    quantile = np.sort(errors)[math.ceil((errors.size + 1) * 0.8) - 1]
    matrix, demand = training_input.design_matrix(latest.rows), training_input.demand[latest.rows]
    estimate = fitted.model.predict(matrix, demand).share
    low, high = np.maximum(estimate - quantile, 0), np.minimum(estimate + quantile, 1)
    inside = (low <= latest.label) & (latest.label <= high)
    assert (whole.plain_coverage, whole.plain_width) == (inside.mean(), (high - low).mean())


def test_coverage_is_told_for_every_cell_with_rows_enough(
    trained: TrainOutput,
    training_input: TrainingInput,
    splits: dict[Target, TargetSplit],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(coverage_module, "MIN_CELL_ROWS", 1)
    split = splits["sell_through"]
    models = trained.contents.models
    evaluation = evaluate(trained.fitted["sell_through"], training_input, split)
    rows = split.latest.rows
    columns = {name: one[rows] for name, one in training_input.training_set.columns.items()}
    markets = np.array(training_input.training_set.row_markets(rows))
    demand = training_input.demand[rows]
    found = predict(models, columns, markets.tolist(), coverage=0.8, demand=demand)
    said = found.targets["sell_through"]
    inside = (said.low <= split.latest.label) & (split.latest.label <= said.high)
    cells = {name: one for name, one in evaluation.by_cell.items() if name != "all"}
    assert sum(one.rows for one in cells.values()) == rows.size
    assert (
        evaluation.by_cell["all"].listings
        == np.unique(training_input.training_set.listings[rows]).size
    )
    assert all(0 < one.listings <= one.rows for one in cells.values())
    assert sum(one.coverage * one.rows for one in cells.values()) == pytest.approx(inside.sum())
    for name, one in cells.items():
        market = name.partition(" ")[2]
        assert one.rows <= (markets == market).sum()
    merged = sum(one.rows for one in cells.values() if one.is_merged)
    assert merged == said.is_merged.sum()


@pytest.mark.parametrize("most", [1, 2])
def test_coverage_stays_bounded(
    most: int,
    trained: TrainOutput,
    training_input: TrainingInput,
    splits: dict[Target, TargetSplit],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(coverage_module, "MIN_CELL_ROWS", 1)
    monkeypatch.setattr(coverage_module, "MAX_CELLS", most)
    split = splits["sell_through"]
    evaluation = evaluate(trained.fitted["sell_through"], training_input, split)
    sizes = [one.rows for name, one in evaluation.by_cell.items() if name != "all"]
    assert len(sizes) == most
    assert sizes == sorted(sizes, reverse=True)


def test_error_of_rows_of_their_own_is_that_of_a_share() -> None:
    is_held = np.arange(200) % 5 > 0
    expected = np.sqrt(0.8 * 0.2 / 199)
    assert clustered_standard_error(is_held, np.arange(200)) == pytest.approx(expected)


@given(
    held=st.lists(st.booleans(), min_size=2, max_size=60),
    times=st.integers(1, 9),
    of=st.integers(1, 5),
)
def test_error_of_a_share_is_the_same_when_every_row_is_said_again(
    held: list[bool], times: int, of: int
) -> None:
    is_held, clusters = np.array(held), np.arange(len(held)) // of
    again = clustered_standard_error(np.repeat(is_held, times), np.repeat(clusters, times))
    assert again == pytest.approx(clustered_standard_error(is_held, clusters))


def test_error_of_a_share_is_how_much_it_differs_from_draw_to_draw() -> None:
    rng = np.random.default_rng(0)
    shares, errors = [], []
    for _ in range(400):
        chance = rng.beta(8 / 3, 2 / 3, 150)
        clusters = np.repeat(np.arange(150), rng.integers(1, 5, 150))
        is_held = rng.random(clusters.size) < chance[clusters]
        shares.append(is_held.mean())
        errors.append(clustered_standard_error(is_held, clusters))
    assert np.mean(errors) == pytest.approx(np.std(shares), rel=0.1)


def test_error_of_one_listing_is_not_known() -> None:
    assert clustered_standard_error(np.array([True, False]), np.zeros(2, np.int64)) == 0
