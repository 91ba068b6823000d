"""Make the models of all targets: boosters, then calibration, then residuals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from features.declarations import Target
from serving.booster import Booster
from serving.target_model import TargetModel, mean_prediction
from training.fitting import fit_boosters
from training.forecast import learn_finish
from training.material import Material
from training.split import Division


def fit_targets(
    material: Material, divisions: Mapping[Target, Division]
) -> dict[Target, TargetModel]:
    """Fit each target on its training slice and finish it on its calibration slice.

    Raises:
        TrainingError: a training slice teaches nothing.
    """
    samples = {target: division.train for target, division in divisions.items()}
    recipe = material.recipe
    texts = fit_boosters(material.matrix, samples, recipe.catalogue, recipe.settings)
    return {
        target: _finished(material, division, texts[target])
        for target, division in divisions.items()
    }


def _finished(material: Material, division: Division, texts: tuple[str, ...]) -> TargetModel:
    boosters = tuple(Booster(text) for text in texts)
    rows = np.concatenate([division.shaping.rows, division.conformal.rows])
    raw = np.full(len(material.matrix), np.nan)
    raw[rows] = mean_prediction(boosters, material.matrix[rows])
    finish = learn_finish(raw, material.training_set, division)
    return TargetModel(division.target, boosters, finish.knots, finish.residuals)
