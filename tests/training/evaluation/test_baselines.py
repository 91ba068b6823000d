from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.declarations.shrinkage import pooled_rate
from features.declarations.targets import TARGETS, Target
from training.data.time_split import Division
from training.data.training_input import Material
from training.data.training_set import Coded, TrainingSet
from training.evaluation.baselines import (
    BASELINES,
    CONSTANT,
    LEAST_MEAN_ROWS,
    SHRINKAGE,
    raw_predictions,
)
from training.shrinkage.pooling_fit import RATE_OF, smoothed_mean


@pytest.mark.parametrize("target", TARGETS)
def test_constant_is_the_mean_of_the_training_labels(
    target: Target, material: Material, divisions: dict[Target, Division]
) -> None:
    learned = divisions[target].train
    train = learned.where(material.training_set.hidden[learned.rows] == 0)
    raw = raw_predictions(material.training_set, divisions[target], material.parameters)
    assert set(raw) == set(BASELINES)
    assert raw[CONSTANT] == pytest.approx(np.average(train.label, weights=train.weight), abs=1e-3)
    assert len(set(raw[CONSTANT])) == 1


@pytest.mark.parametrize("target", TARGETS)
def test_category_market_mean_is_that_of_a_loop_over_training_rows(
    target: Target, material: Material, divisions: dict[Target, Division]
) -> None:
    training_set, learned = _with_a_rare_category(material.training_set), divisions[target].train
    train = learned.where(training_set.hidden[learned.rows] == 0)
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
    means = {key: y / w for key, (rows, y, w) in sums.items() if rows >= LEAST_MEAN_ROWS}
    found = raw_predictions(training_set, divisions[target], material.parameters)
    expected = [means.get(key, constant) for key in keys]
    assert found["category_market_mean"] == pytest.approx(expected)
    assert constant in expected


def _with_a_rare_category(training_set: TrainingSet) -> TrainingSet:
    category = training_set.keys["category"]
    codes = category.codes.copy()
    codes[::400] = len(category.names)
    coded = Coded(codes, (*category.names, "rare"))
    return replace(training_set, keys={**training_set.keys, "category": coded})


@pytest.mark.parametrize("target", TARGETS)
def test_shrinkage_is_the_pooled_rate_that_the_model_sees(
    target: Target, material: Material, divisions: dict[Target, Division]
) -> None:
    raw = raw_predictions(material.training_set, divisions[target], material.parameters)
    rate = RATE_OF[target]
    inputs = material.recipe.catalogue.model_inputs
    seen = material.matrix[:, inputs.index(f"pooled_{rate.name}_{rate.days}d")]
    assert raw[SHRINKAGE].tolist() == seen.tolist()


def test_shrinkage_without_counts_is_the_constant(
    material: Material, divisions: dict[Target, Division]
) -> None:
    columns = dict(material.training_set.columns)
    rate = RATE_OF["return_risk"]
    columns[rate.inputs[0]] = np.where(
        np.arange(material.matrix.shape[0]) % 2, np.nan, columns[rate.inputs[0]]
    )
    training_set = replace(material.training_set, columns=columns)
    raw = raw_predictions(training_set, divisions["return_risk"], material.parameters)
    pooled = pooled_rate(
        *(columns[name] for name in rate.inputs),
        *(material.parameters[name] for name in rate.parameters),
    )
    expected = np.where(np.isnan(pooled), raw[CONSTANT], pooled)
    assert raw[SHRINKAGE].tolist() == expected.tolist()
    assert np.isnan(pooled).any()
