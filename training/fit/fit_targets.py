"""Make the models of all targets: boosters, then calibration, then residuals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from features.declarations.targets import Target
from serving.conformal.cells import IntervalContext
from serving.prediction.booster import Booster
from serving.prediction.target_model import TargetModel, raw_share
from training.boosting.fit_boosters import BoosterFitter, fit_booster, fit_boosters
from training.calibration.conformal_fit import learn_finish, model_curves
from training.calibration.interval_context import build_interval_context
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_input import BoosterTexts, Fitter, TrainingInput


def fit_locally(
    training_input: TrainingInput,
    samples: Mapping[Target, Sample],
    *,
    fitter: BoosterFitter = fit_booster,
) -> BoosterTexts:
    """Fit the boosters on this machine: the fitter of every training that names no other.

    `fitter` fits one booster, or knows it from an earlier process.
    """
    recipe = training_input.recipe
    return fit_boosters(
        training_input.matrix, samples, recipe.catalogue, recipe.settings, fitter=fitter
    )


def fit_targets(
    training_input: TrainingInput, splits: Mapping[Target, TargetSplit], fit: Fitter = fit_locally
) -> dict[Target, TargetModel]:
    """Fit each target on its training slice and finish it on its calibration slice.

    Raises:
        TrainingError: a training slice teaches nothing.
    """
    samples = {target: split.train for target, split in splits.items()}
    texts = fit(training_input, samples)
    models: dict[Target, TargetModel] = {}
    for target, split in splits.items():  # sell-through first: it tells the units expected
        context = build_interval_context(training_input, split, models)
        models[target] = _fit_target_model(training_input, split, context, texts[target])
    return models


def _fit_target_model(
    training_input: TrainingInput,
    split: TargetSplit,
    context: IntervalContext,
    texts: tuple[str, ...],
) -> TargetModel:
    boosters = tuple(Booster(text) for text in texts)
    rows = np.concatenate([split.curve_fit.rows, split.residual_fit.rows])
    raw = np.full(len(training_input.matrix), np.nan)
    raw[rows] = raw_share(split.target, boosters, training_input.matrix[rows])
    curves = model_curves(split.target, training_input.recipe.catalogue.model_inputs)
    finish = learn_finish(raw, context, split, keys=training_input.training_set.keys, curves=curves)
    return TargetModel(
        split.target, boosters, finish.knots, finish.residuals, finish.calibration_sample
    )
