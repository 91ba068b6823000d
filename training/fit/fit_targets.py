"""Make the models of all targets: boosters, then calibration, then residuals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from features.declarations.targets import Target
from serving.conformal.cells import Footing
from serving.prediction.booster import Booster
from serving.prediction.target_model import TargetModel, raw_share
from training.boosting.fit_boosters import BoosterFitter, fit_boosters, fitted_now
from training.calibration.conformal_fit import curves_of_model, learn_finish
from training.calibration.interval_context import footing_of
from training.data.sample import Sample
from training.data.time_split import Division
from training.data.training_input import Fitter, Material, Texts


def fit_here(
    material: Material, samples: Mapping[Target, Sample], *, each: BoosterFitter = fitted_now
) -> Texts:
    """Fit the boosters on this machine: the fitter of every training that names no other.

    `each` fits one booster, or knows it from an earlier process.
    """
    recipe = material.recipe
    return fit_boosters(material.matrix, samples, recipe.catalogue, recipe.settings, fitter=each)


def fit_targets(
    material: Material, divisions: Mapping[Target, Division], fit: Fitter = fit_here
) -> dict[Target, TargetModel]:
    """Fit each target on its training slice and finish it on its calibration slice.

    Raises:
        TrainingError: a training slice teaches nothing.
    """
    samples = {target: division.train for target, division in divisions.items()}
    texts = fit(material, samples)
    models: dict[Target, TargetModel] = {}
    for target, division in divisions.items():  # sell-through first: it tells the units expected
        footing = footing_of(material, division, models)
        models[target] = _finished(material, division, footing, texts[target])
    return models


def _finished(
    material: Material, division: Division, footing: Footing, texts: tuple[str, ...]
) -> TargetModel:
    boosters = tuple(Booster(text) for text in texts)
    rows = np.concatenate([division.shaping.rows, division.conformal.rows])
    raw = np.full(len(material.matrix), np.nan)
    raw[rows] = raw_share(division.target, boosters, material.matrix[rows])
    curves = curves_of_model(division.target, material.recipe.catalogue.model_inputs)
    finish = learn_finish(raw, footing, division, keys=material.training_set.keys, curves=curves)
    return TargetModel(division.target, boosters, finish.knots, finish.residuals, finish.past)
