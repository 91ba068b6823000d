"""Make the models of all targets: boosters, then calibration, then residuals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from features.declarations import FloatArray, Target
from serving.booster import Booster
from serving.footing import Footing, share_units
from serving.target_model import TargetModel, raw_share
from training.fitting import BoosterFitter, fit_boosters, fitted_now
from training.forecast import curves_of_model, learn_finish
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
    Those of return risk come from the sell-through model in `models`: on the latest rows as when
    serving, though its curve knows of some weeks that these rows look ahead to. So that residuals
    don't, on calibration rows its boosters speak for themselves, of rows that they learned from,
    and are scaled to the units that came in the shaping half: before the holidays 1.3 to 1.4 times
    as many came on small simulated markets as were expected, and residuals of few units must not
    pass for ones of many.
    """
    calibration = np.concatenate([division.shaping.rows, division.conformal.rows])
    latest = np.concatenate([division.latest.rows, division.latest_hidden.rows])
    offered = material.training_set.columns["units_offered"]
    sell_through = np.full(len(offered), np.nan)
    if division.target == "return_risk":
        seller = models["sell_through"]
        inputs = material.matrix[calibration]
        sell_through[calibration] = raw_share(seller.target, seller.boosters, inputs)
        sell_through[latest] = seller.predict(material.asked(seller.target, latest))
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
    curves = curves_of_model(division.target, material.recipe.catalogue.model_inputs)
    finish = learn_finish(raw, footing, division, keys=material.training_set.keys, curves=curves)
    return TargetModel(division.target, boosters, finish.knots, finish.residuals, finish.past)
