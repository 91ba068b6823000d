"""Fit the models of all targets: boosters, then calibration, then residuals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from features.declarations.targets import Target
from serving.conformal.cells import IntervalContext
from serving.prediction.booster import Booster
from serving.prediction.target_model import TargetModel, raw_share
from training.boosting.fit_boosters import BoosterFitter, fit_booster, fit_boosters
from training.calibration.choose import model_curves
from training.calibration.conformal_calibrator import calibrate_target
from training.calibration.interval_context import build_target_context
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_input import BoosterTexts, Fitter, TrainingInput


@dataclass(frozen=True)
class FittedTargets:
    """The model of each target, and the interval context of all training rows for it."""

    models: Mapping[Target, TargetModel]
    contexts: Mapping[Target, IntervalContext]


def fit_locally(
    training_input: TrainingInput,
    samples: Mapping[Target, Sample],
    *,
    fitter: BoosterFitter = fit_booster,
) -> BoosterTexts:
    """Fit the boosters of all targets on this machine.

    `fitter` fits one booster, or reads it from a checkpoint.
    """
    recipe = training_input.recipe
    return fit_boosters(
        training_input.design_matrix, samples, recipe.catalogue, recipe.settings, fitter=fitter
    )


def fit_targets(
    training_input: TrainingInput, splits: Mapping[Target, TargetSplit], fit: Fitter = fit_locally
) -> FittedTargets:
    """Fit each target on its training slice and calibrate it on its calibration slice.

    Raises:
        TrainingError: a training slice can't support a model.
    """
    samples = {target: split.train for target, split in splits.items()}
    texts = fit(training_input, samples)
    models: dict[Target, TargetModel] = {}
    contexts: dict[Target, IntervalContext] = {}
    for target, split in splits.items():  # sell-through first: return risk needs its model
        contexts[target] = build_target_context(training_input, split, models)
        models[target] = _fit_target(training_input, split, contexts[target], texts[target])
    return FittedTargets(models, contexts)


def _fit_target(
    training_input: TrainingInput,
    split: TargetSplit,
    context: IntervalContext,
    texts: tuple[str, ...],
) -> TargetModel:
    boosters = tuple(Booster(text) for text in texts)
    rows = np.concatenate([split.curve_fit.rows, split.residual_fit.rows])
    raw = np.full(training_input.training_set.rows.size, np.nan)
    raw[rows] = raw_share(split.target, boosters, training_input.design_matrix(rows))
    calibrator = calibrate_target(
        raw,
        context,
        split,
        keys=training_input.training_set.keys,
        curves=model_curves(split.target, training_input.recipe.catalogue.model_inputs),
    )
    return TargetModel(
        split.target, boosters, calibrator.curve, calibrator.residuals, calibrator.sample
    )
