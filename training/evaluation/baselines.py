"""Baselines of a model: a constant, the mean of category and market, and shrinkage.

Each learns from the rows that the model's trees learn from: at each origin of the calibration slice
what was final by then, and for the latest slice all known rows. It gets calibration and intervals
as the model does, so that a difference in any metric comes from what was learned from the features.
The numbers of shrinkage are those of the model's own features, of the same moments
(training/shrinkage/learned_parameters.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from features.declarations.shrinkage import pooled_rate
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from training.data.cold_start_rows import has_full_history
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput
from training.data.training_set import TrainingSet
from training.shrinkage.pooling_fit import TARGET_RATES, smoothed_mean

CONSTANT: Final = "constant"
CATEGORY_MARKET_MEAN: Final = "category_market_mean"
SHRINKAGE: Final = "shrinkage"
BASELINES: Final = (CONSTANT, CATEGORY_MARKET_MEAN, SHRINKAGE)

MIN_MEAN_ROWS: Final = 20
"""A category and market with fewer rows to learn from gets the constant."""


def forward_predictions(training_input: TrainingInput, split: TargetSplit) -> dict[str, FloatArray]:
    """Return each baseline's raw predictions of the calibration rows, each as of its origin.

    They have shape (rows of the training set,), and are NaN in other rows.
    """
    training_set = training_input.training_set
    raw = {name: np.full(training_set.as_of_day.shape, np.nan) for name in BASELINES}
    for fold in split.folds:
        rows = fold.predicted.rows
        parameters = training_input.at(fold.first_day).parameters
        predicted = raw_predictions(training_set, split.target, fold.learned, parameters=parameters)
        for name in BASELINES:
            raw[name][rows] = predicted[name][rows]
    return raw


def raw_predictions(
    training_set: TrainingSet, target: Target, learned: Sample, *, parameters: Mapping[str, float]
) -> dict[str, FloatArray]:
    """Return each baseline's raw predictions for all rows of the training set.

    Means are those of the rows in `learned`, without cold-start copies, whose labels would count
    twice.
    """
    originals = learned.select(has_full_history(training_set, learned.rows))
    constant = smoothed_mean(originals.label, originals.weight)
    return {
        CONSTANT: np.full(training_set.as_of_day.shape, constant),
        CATEGORY_MARKET_MEAN: category_market_means(training_set, originals, constant),
        SHRINKAGE: shrunken_rates(training_set, target, parameters=parameters, constant=constant),
    }


def category_market_means(
    training_set: TrainingSet, learned: Sample, constant: float
) -> FloatArray:
    """Return the mean label in `learned` of each row's category and market."""
    category, market = training_set.keys["category"], training_set.keys["market"]
    cell = category.codes * len(market.names) + market.codes
    cells = len(category.names) * len(market.names)
    learned_cell = cell[learned.rows]
    rows = np.bincount(learned_cell, minlength=cells)
    weight = np.bincount(learned_cell, weights=learned.weight, minlength=cells)
    total = np.bincount(learned_cell, weights=learned.weight * learned.label, minlength=cells)
    means = np.full(cells, constant)
    np.divide(total, weight, out=means, where=rows >= MIN_MEAN_ROWS)
    return np.asarray(means[cell], dtype=np.float64)


def shrunken_rates(
    training_set: TrainingSet,
    target: Target,
    *,
    parameters: Mapping[str, float],
    constant: float,
) -> FloatArray:
    """Return the pooled past rate of the target, and the constant where its counts are null."""
    rate = TARGET_RATES[target]
    counts = [training_set.columns[name] for name in rate.inputs]
    pooled = pooled_rate(*counts, *(parameters[name] for name in rate.parameters))
    return np.where(np.isnan(pooled), constant, pooled)
