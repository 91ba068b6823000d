from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from features.declarations.targets import TARGETS, Target
from features.runtime.progress import ignore_progress
from serving.prediction.predict import predict
from tests.worlds.training import market_rows
from training.calibration.interval_context import Sellers, build_target_context
from training.data.time_split import TargetSplit
from training.data.training_input import (
    BoosterRequest,
    LearnedParameters,
    TrainingInput,
    TrainingRecipe,
)
from training.data.training_set import EncodedColumn
from training.evaluation import judge as judge_module
from training.evaluation.baselines import BASELINES
from training.evaluation.evaluate import Evaluation, evaluate, flatten_metrics
from training.evaluation.judge import (
    COLD,
    MAX_MARKETS,
    MIN_MARKET_ROWS,
    MODEL,
    OTHER_MARKETS,
    PREDICTORS,
    WARM,
)
from training.fit.train import TrainOutput, train
from training.metrics.metrics import row_log_loss, weighted_mean
from training.settings import UpliftSetting

MANY_MARKETS = 40


ALWAYS = UpliftSetting(name="always", first="01-01", last="12-31", uplift=0.5)


@pytest.mark.parametrize("rises", [(), (ALWAYS,)], ids=["no calendar", "calendar"])
@pytest.mark.parametrize("target", TARGETS)
def test_evaluation_judges_what_serving_would_answer(
    target: Target,
    rises: tuple[UpliftSetting, ...],
    trained: TrainOutput,
    recipe: TrainingRecipe,
    training_input: TrainingInput,
    splits: dict[Target, TargetSplit],
) -> None:
    settings = recipe.settings.model_copy(update={"seasonal_uplifts": rises})
    told = TrainingInput.build(
        replace(recipe, settings=settings),
        training_input.training_set,
        LearnedParameters(training_input.parameters_of_origins, training_input.parameters),
        splits,
    )
    latest, models = splits[target].latest, trained.contents.models
    columns = {name: one[latest.rows] for name, one in training_input.training_set.columns.items()}
    markets = training_input.training_set.row_markets(latest.rows)
    demand = told.demand[latest.rows]
    assert (rises != ()) == (demand != 1.0).any()
    answered = predict(models, columns, markets, coverage=0.8, demand=demand).targets[target]
    seller = models.targets["sell_through"]
    request = BoosterRequest("sell_through", splits["sell_through"].train, 1)
    sellers = Sellers(seller, seller.boosters, request)
    context = build_target_context(told, splits[target], sellers)
    fitted = replace(trained.fitted[target], context=context)
    judged = evaluate(fitted, told, splits[target]).overall[MODEL]
    losses = row_log_loss(latest.label, answered.estimate)
    inside = (latest.label >= answered.low) & (latest.label <= answered.high)
    assert judged.log_loss == weighted_mean(losses, latest.weight)
    assert judged.coverage == inside.mean()
    assert judged.width == (answered.high - answered.low).mean()
    assert judged.rows == latest.rows.size


@pytest.mark.parametrize("target", TARGETS)
def test_evaluation_gains_are_the_differences_of_the_losses(
    target: Target, trained: TrainOutput
) -> None:
    evaluation = trained.evaluations[target]
    assert set(evaluation.overall) == set(PREDICTORS)
    for baseline in BASELINES:
        for loss, spread in evaluation.differences[baseline].items():
            better = getattr(evaluation.overall[MODEL], loss)
            assert spread.mean == pytest.approx(
                getattr(evaluation.overall[baseline], loss) - better
            )
            assert spread.low < spread.mean < spread.high


def test_evaluation_finds_the_model_better_than_shrinkage_where_it_must_be(
    trained: TrainOutput,
) -> None:
    evaluation = trained.evaluations["sell_through"]
    for loss in ("log_loss", "mean_absolute_error"):
        assert evaluation.differences["shrinkage"][loss].low > 0
    # the standard deviation of a market of 200 listings is 0.03
    assert evaluation.overall[MODEL].coverage == pytest.approx(0.8, abs=0.09)


def test_calibration_error_of_a_single_market_is_small(trained: TrainOutput) -> None:
    # Those of single markets reach 0.03; the mean of many is held below.
    assert trained.evaluations["sell_through"].overall[MODEL].calibration_error < 0.035


def test_intervals_of_many_markets_hold_what_they_say_on_average(recipe: TrainingRecipe) -> None:
    # The rows of a listing share its luck, and a market has 200 listings: the coverages of single
    # markets have a standard deviation of 0.03, and their calibration errors reach 0.03.
    judged = [
        train(market_rows(seed), recipe, git_commit="unknown", progress=ignore_progress).evaluations
        for seed in range(6)
    ]
    for target in TARGETS:
        ours = [evaluations[target].overall[MODEL] for evaluations in judged]
        assert np.mean([one.coverage for one in ours]) == pytest.approx(0.8, abs=0.04)
        assert np.mean([one.calibration_error for one in ours]) < 0.02


@pytest.mark.parametrize("target", TARGETS)
def test_evaluation_groups_part_the_latest_slice(target: Target, trained: TrainOutput) -> None:
    evaluation = trained.evaluations[target]
    rows = {name: metrics[MODEL].rows for name, metrics in evaluation.by_group.items()}
    whole = evaluation.overall[MODEL].rows
    assert rows.get(WARM, 0) + rows.get(COLD, 0) == whole
    markets = [count for name, count in rows.items() if name.startswith("market ")]
    assert sum(markets) + rows.get(OTHER_MARKETS, 0) == whole
    assert min(markets) >= MIN_MARKET_ROWS
    assert rows[OTHER_MARKETS] > 0


def test_evaluation_says_which_moments_its_slices_span(
    trained: TrainOutput, splits: dict[Target, TargetSplit]
) -> None:
    for target, evaluation in trained.evaluations.items():
        days = splits[target].days
        found = {
            name: (facts.first_day, facts.last_day) for name, facts in evaluation.slices.items()
        }
        assert found == {
            "train": (days.train.first, days.train.last),
            "calibration": (days.calibration.first, days.calibration.last),
            "conformal": (days.calibration.first, days.calibration.last),
            "latest": (days.latest.first, days.latest.last),
        }


def _evaluate_sell_through(
    trained: TrainOutput, training_input: TrainingInput, splits: dict[Target, TargetSplit]
) -> Evaluation:
    split, fitted = splits["sell_through"], trained.fitted["sell_through"]
    context = build_target_context(training_input, split, None)
    return evaluate(replace(fitted, context=context), training_input, split)


def _with_markets(training_input: TrainingInput, names: tuple[str, ...]) -> TrainingInput:
    """Deal the rows out to markets in turn."""
    codes = np.arange(training_input.training_set.rows.size) % len(names)
    keys = {**training_input.training_set.keys, "market": EncodedColumn(codes, names)}
    return replace(training_input, training_set=replace(training_input.training_set, keys=keys))


@pytest.mark.parametrize(("least", "reported"), [(1, MAX_MARKETS), (MIN_MARKET_ROWS, 0)])
def test_evaluation_stays_bounded_and_merges_small_markets(
    least: int,
    reported: int,
    trained: TrainOutput,
    training_input: TrainingInput,
    splits: dict[Target, TargetSplit],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(judge_module, "MIN_MARKET_ROWS", least)
    dealt = _with_markets(training_input, tuple(f"M{i}" for i in range(MANY_MARKETS)))
    evaluation = _evaluate_sell_through(trained, dealt, splits)
    markets = [name for name in evaluation.by_group if name.startswith("market ")]
    assert len(markets) == reported
    assert OTHER_MARKETS in evaluation.by_group


def test_evaluation_with_cold_starts_reports_them_apart(
    trained: TrainOutput, training_input: TrainingInput, splits: dict[Target, TargetSplit]
) -> None:
    rows = splits["sell_through"].latest.rows
    columns = {name: one.copy() for name, one in training_input.training_set.columns.items()}
    for name in ("units_ordered_84d", "units_offered_180d", "units_ripe_180d"):
        columns[name][rows[::3]] = 0.0
    cold = replace(
        training_input, training_set=replace(training_input.training_set, columns=columns)
    )
    evaluation = _evaluate_sell_through(trained, cold, splits)
    is_cold = cold.training_set.is_cold[rows]
    assert is_cold[::3].all()
    assert evaluation.by_group[COLD][MODEL].rows == is_cold.sum()
    assert evaluation.by_group[WARM][MODEL].rows == (~is_cold).sum() > 0


def _leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in _leaves(one)]
    return [value]


def test_evaluation_is_json_without_nan(trained: TrainOutput) -> None:
    for evaluation in trained.evaluations.values():
        text = json.dumps(evaluation.as_json(), allow_nan=False)
        assert _leaves(json.loads(text)) == _leaves(evaluation.as_json())


def test_flat_metrics_name_target_predictor_and_metric(trained: TrainOutput) -> None:
    flat = flatten_metrics(trained.evaluations)
    evaluation: Evaluation = trained.evaluations["return_risk"]
    assert flat["return_risk.model.log_loss"] == evaluation.overall[MODEL].log_loss
    assert (
        flat["return_risk.gain_over_shrinkage.log_loss.low"]
        == evaluation.differences["shrinkage"]["log_loss"].low
    )
    assert len(flat) == len(TARGETS) * (len(PREDICTORS) * 11 + len(BASELINES) * 2 * 3)
    assert np.isfinite(list(flat.values())).all()
