from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.declarations.shrinkage import pooled_rate
from features.declarations.targets import TARGETS, Target
from tests.worlds.training import HORIZONS
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput
from training.data.training_set import EncodedColumn, TrainingSet
from training.evaluation.baselines import (
    BASELINES,
    CONSTANT,
    MIN_MEAN_ROWS,
    SHRINKAGE,
    forward_predictions,
    raw_predictions,
)
from training.shrinkage.pooling_fit import TARGET_RATES, smoothed_mean


@pytest.mark.parametrize("target", TARGETS)
def test_constant_is_the_mean_of_the_training_labels(
    target: Target, training_input: TrainingInput, splits: dict[Target, TargetSplit]
) -> None:
    learned = splits[target].train
    train = learned.select(training_input.training_set.masked[learned.rows] == 0)
    raw = raw_predictions(
        training_input.training_set,
        target,
        splits[target].train,
        parameters=training_input.parameters,
    )
    assert set(raw) == set(BASELINES)
    assert raw[CONSTANT] == pytest.approx(np.average(train.label, weights=train.weight), abs=1e-3)
    assert len(set(raw[CONSTANT])) == 1


@pytest.mark.parametrize("target", TARGETS)
def test_category_market_mean_is_that_of_a_loop_over_training_rows(
    target: Target, training_input: TrainingInput, splits: dict[Target, TargetSplit]
) -> None:
    training_set, learned = _with_a_rare_category(training_input.training_set), splits[target].train
    train = learned.select(training_set.masked[learned.rows] == 0)
    keys = list(
        zip(
            training_set.keys["category"].codes.tolist(),
            training_set.keys["market"].codes.tolist(),
            strict=True,
        )
    )
    sums: dict[tuple[int, int], list[float]] = {}
    for row, label, weight in zip(train.rows, train.label, train.weight, strict=True):
        cell = sums.setdefault(keys[row], [0.0, 0.0, 0.0])
        cell[0] += 1
        cell[1] += label * weight
        cell[2] += weight
    constant = smoothed_mean(train.label, train.weight)
    means = {key: y / w for key, (rows, y, w) in sums.items() if rows >= MIN_MEAN_ROWS}
    found = raw_predictions(training_set, target, learned, parameters=training_input.parameters)
    expected = [means.get(key, constant) for key in keys]
    assert found["category_market_mean"] == pytest.approx(expected)
    assert constant in expected


@pytest.mark.parametrize("target", TARGETS)
def test_a_calibration_row_is_predicted_from_labels_that_were_final_at_its_origin(
    target: Target, training_input: TrainingInput, splits: dict[Target, TargetSplit]
) -> None:
    training_set, split = training_input.training_set, splits[target]
    outcome, as_of_day = training_set.outcomes[target], training_set.as_of_day
    raw = forward_predictions(training_input, split)
    calibration = np.concatenate([split.curve_fit.rows, split.residual_fit.rows])
    for predicted in raw.values():
        assert np.flatnonzero(~np.isnan(predicted)).tolist() == sorted(calibration.tolist())
    known = split.known.rows[training_set.masked[split.known.rows] == 0]
    constants = []
    for span in split.days.origins:
        final = known[as_of_day[known] + HORIZONS.maturity_days(target) <= span.first]
        rows = calibration[span.contains(as_of_day[calibration])]
        constants.append(smoothed_mean(outcome.label[final], outcome.weight[final]))
        assert raw[CONSTANT][rows] == pytest.approx(constants[-1])
    assert len(set(constants)) > 1


def _with_a_rare_category(training_set: TrainingSet) -> TrainingSet:
    category = training_set.keys["category"]
    codes = category.codes.copy()
    codes[::400] = len(category.names)
    coded = EncodedColumn(codes, (*category.names, "rare"))
    return replace(training_set, keys={**training_set.keys, "category": coded})


@pytest.mark.parametrize("target", TARGETS)
def test_shrinkage_is_the_pooled_rate_that_the_model_sees(
    target: Target, training_input: TrainingInput, splits: dict[Target, TargetSplit]
) -> None:
    raw = raw_predictions(
        training_input.training_set,
        target,
        splits[target].train,
        parameters=training_input.parameters,
    )
    rate = TARGET_RATES[target]
    inputs = training_input.recipe.catalogue.model_inputs
    seen = training_input.design_matrix(training_input.training_set.rows)[
        :, inputs.index(f"pooled_{rate.name}_{rate.days}d")
    ]
    assert raw[SHRINKAGE].tolist() == seen.tolist()


def test_shrinkage_without_counts_is_the_constant(
    training_input: TrainingInput, splits: dict[Target, TargetSplit]
) -> None:
    columns = dict(training_input.training_set.columns)
    rate = TARGET_RATES["return_risk"]
    columns[rate.inputs[0]] = np.where(
        np.arange(training_input.training_set.rows.size) % 2, np.nan, columns[rate.inputs[0]]
    )
    training_set = replace(training_input.training_set, columns=columns)
    raw = raw_predictions(
        training_set,
        "return_risk",
        splits["return_risk"].train,
        parameters=training_input.parameters,
    )
    pooled = pooled_rate(
        *(columns[name] for name in rate.inputs),
        *(training_input.parameters[name] for name in rate.parameters),
    )
    expected = np.where(np.isnan(pooled), raw[CONSTANT], pooled)
    assert raw[SHRINKAGE].tolist() == expected.tolist()
    assert np.isnan(pooled).any()
