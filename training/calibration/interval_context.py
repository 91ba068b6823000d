"""What the intervals of a training set's rows rest on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from serving.conformal.cells import Footing, share_units
from serving.prediction.target_model import TargetModel, raw_share
from training.data.time_split import Division
from training.data.training_input import Material


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
