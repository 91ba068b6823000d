"""Make the models of all targets: boosters, then calibration, then residuals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from features.declarations import FloatArray, Target
from serving.booster import Booster
from serving.footing import Footing, share_units
from serving.target_model import TargetModel, raw_share
from training.fitting import BoosterFitter, fit_boosters, fitted_now
from training.forecast import learn_finish
from training.material import Fitter, Material, Texts
from training.sample import Sample
from training.split import Division


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


def footing_of(
    material: Material, division: Division, models: Mapping[Target, TargetModel]
) -> Footing:
    """Return what intervals rest on, for each row of the training set.

    The units are only good for the division's calibration and latest rows, hidden ones included.
    Those of return risk come from the sell-through model in `models`, whose calibration is of
    later weeks: before the holidays 1.3 to 1.4 times as many units came on small simulated markets
    as it expected, in the latest slice 1.0 to 1.1 times. So the units of return risk's calibration
    rows are scaled to those that came in its shaping half; otherwise residuals of few units pass
    for ones of many, and intervals of listings with much evidence hold too little later.
    """
    later = (division.shaping, division.conformal, division.latest, division.latest_hidden)
    rows = np.concatenate([sample.rows for sample in later])
    offered = material.training_set.columns["units_offered"]
    sell_through = np.full(len(offered), np.nan)
    if division.target == "return_risk":
        sell_through[rows] = models["sell_through"].predict(material.matrix[rows])
    units = share_units(division.target, offered, sell_through)
    if division.target == "return_risk":
        units = _as_they_came(units, division)
    return material.training_set.footing(units)


def _as_they_came(units: FloatArray, division: Division) -> FloatArray:
    """Return expected units with those of the calibration slice scaled to what was ordered."""
    shaping = division.shaping
    scaled = units.copy()
    rows = np.concatenate([shaping.rows, division.conformal.rows])
    scaled[rows] *= shaping.weight.sum() / units[shaping.rows].sum()
    return np.fmax(scaled, 1.0)


def _finished(
    material: Material, division: Division, footing: Footing, texts: tuple[str, ...]
) -> TargetModel:
    boosters = tuple(Booster(text) for text in texts)
    rows = np.concatenate([division.shaping.rows, division.conformal.rows])
    raw = np.full(len(material.matrix), np.nan)
    raw[rows] = raw_share(division.target, boosters, material.matrix[rows])
    finish = learn_finish(raw, footing, division, keys=material.training_set.keys)
    return TargetModel(division.target, boosters, finish.knots, finish.residuals, finish.past)
