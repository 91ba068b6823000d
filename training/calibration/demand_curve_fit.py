"""Fit the line from sums of trees to the logarithm of demand, and the chance of any demand."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from serving.demand.lot_demand import log_lot, share_of_margin
from serving.prediction.demand_curve import MAX_STRETCH, MIN_CHANCE, DemandCurve
from training.data.sample import Sample
from training.data.training_input import TrainingInput
from training.metrics.metrics import row_log_loss, weighted_mean

MAX_START: Final = 20.0
FIRST_CHANCE: Final = 0.9
"""The chance that the search begins with: at 1 it would have nowhere to go."""
_SIGNIFICANT_DIGITS: Final = 6
"""Further digits differ between machines."""


def fit_start(
    widened: FloatArray, share: FloatArray, weight: FloatArray, sharpness: float
) -> float:
    """Return the logarithm of the one demand with the least log loss; arrays have shape (rows,).

    `widened` is the logarithm of each lot (serving/demand/lot_demand.py).
    """

    def loss(log_demand: float) -> float:
        return weighted_mean(
            row_log_loss(share, share_of_margin(log_demand - widened, sharpness)), weight
        )

    found = minimize_scalar(loss, bounds=(-MAX_START, MAX_START), method="bounded")
    return _round(found.x)


def find_start(training_input: TrainingInput, target: Target, sample: Sample) -> float:
    """Return the constant that the trees of a target start from beside the offset of each row."""
    if target != "sell_through":
        return 0.0
    lot, order_size = (values[sample.rows] for values in training_input.lots)
    sharpness = training_input.recipe.settings.sharpness
    return fit_start(log_lot(lot, order_size), sample.label, sample.weight, sharpness)


def fit_demand_curve(  # noqa: PLR0913 - what a row's share depends on
    raw: FloatArray,
    share: FloatArray,
    weight: FloatArray,
    *,
    lot: FloatArray,
    order_size: FloatArray,
    sharpness: float,
    min_chance: float = MIN_CHANCE,
) -> DemandCurve:
    """Return the line and the chance with the least log loss; all arrays have shape (rows,).

    They keep what the trees guarantee: demand never rises with the price. What the chance is worth:
    docs/decisions/demand-under-the-share.md.
    """
    widened = log_lot(lot, order_size)

    def loss(numbers: FloatArray) -> float:
        shift, stretch, chance = numbers
        expected = chance * share_of_margin(shift + stretch * raw - widened, sharpness)
        return weighted_mean(row_log_loss(share, expected), weight)

    start = fit_start(widened - raw, share, weight, sharpness)
    found = minimize(
        loss,
        np.array([start, 1.0, FIRST_CHANCE]),
        method="L-BFGS-B",
        bounds=[(start - MAX_START, start + MAX_START), (0.0, MAX_STRETCH), (min_chance, 1.0)],
        options={"ftol": 1e-14, "gtol": 1e-8, "maxiter": 500},
    )
    shift, stretch, chance = (_round(number) for number in found.x)
    return DemandCurve(shift, stretch, sharpness, chance)


def _round(number: float) -> float:
    return float(f"{number:.{_SIGNIFICANT_DIGITS}g}")
