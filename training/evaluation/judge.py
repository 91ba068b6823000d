"""Forecast the latest rows with the model and with each baseline, for every metric to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from features.runtime.arrays import BoolArray, IntArray
from serving.conformal.cells import IntervalContext
from serving.prediction.outlook import Outlook
from training.calibration.conformal_calibrator import calibrate_target
from training.calibration.curves import fit_isotonic, fit_logistic
from training.calibration.fitted_target import FittedTarget
from training.data.cold_start_rows import Masked, has_full_history
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_input import TrainingInput
from training.data.training_set import TrainingSet
from training.evaluation.baselines import BASELINES, forward_predictions, raw_predictions
from training.metrics.metrics import Forecast, Metrics, measure
from training.settings import CORRECTED_TARGETS

MODEL: Final = "model"
PREDICTORS: Final = (MODEL, *BASELINES)

MIN_MARKET_ROWS: Final = 200
MAX_MARKETS: Final = 20
"""Most markets reported one by one, the largest; the others are merged."""

WARM: Final = "warm"
COLD: Final = "cold"
"""Listings with and without a history of their own."""

OTHER_MARKETS: Final = "other markets"

UNLISTED: Final = "not listed yet"
UNKNOWN: Final = "unknown product"
MASKED_GROUPS: Final = {UNLISTED: Masked.LISTING, UNKNOWN: Masked.PRODUCT}
"""Groups of cold-start copies of the latest slice, which know as much as candidates do."""


@dataclass(frozen=True)
class JudgedRows:
    """Forecasts of rows whose labels neither the model nor a baseline has learned.

    The rows of the latest slice come first, then their cold-start copies.
    """

    rows: Sample
    forecasts: Mapping[str, Forecast]
    """By predictor: the model and each baseline."""
    is_latest: BoolArray
    """True for rows of the latest slice; shape (rows,), as all masks here."""
    groups: Mapping[str, BoolArray]
    """Masks of the groups that are reported apart."""

    def metrics_by_predictor(self, mask: BoolArray, threshold: float) -> dict[str, Metrics]:
        """Measure each predictor on the rows of a mask."""
        rows = self.rows.select(mask)
        return {
            name: measure(rows.label, rows.weight, forecast.select(mask), threshold=threshold)
            for name, forecast in self.forecasts.items()
        }


def judge(fitted: FittedTarget, training_input: TrainingInput, split: TargetSplit) -> JudgedRows:
    """Let a target's model and the baselines forecast rows whose labels none of them has learned.

    The exposure of return risk is expected by the model of sell-through, which may have learned the
    sell-through of these rows, as that is known earlier (training/calibration/interval_context.py).
    """
    rows = split.latest.concat(split.latest_masked)
    return JudgedRows(
        rows,
        _forecast_with_all(fitted, training_input, split),
        has_full_history(training_input.training_set, rows.rows),
        _group_masks(training_input.training_set, rows.rows),
    )


def forecast(
    outlook: Outlook, context: IntervalContext, *, coverage: float, threshold: float
) -> Forecast:
    """Return estimates with their intervals and the probability of the event, shape (rows,)."""
    low, high = outlook.interval(context, coverage=coverage)
    return Forecast(outlook.share, low, high, outlook.prob_at_least(context, threshold=threshold))


def _forecast_with_all(
    fitted: FittedTarget, training_input: TrainingInput, split: TargetSplit
) -> dict[str, Forecast]:
    """Return each predictor's forecast of the latest rows and their cold-start copies."""
    training_set, settings = training_input.training_set, training_input.recipe.settings
    rows = split.latest.concat(split.latest_masked).rows
    matrix = training_input.design_matrix(rows)
    outlooks: dict[str, Outlook] = {
        MODEL: fitted.model.predict(matrix, training_input.demand[rows])
    }
    context = fitted.context
    fit_curve = fit_logistic if split.target in CORRECTED_TARGETS else fit_isotonic
    past = forward_predictions(training_input, split)
    now = raw_predictions(
        training_set, split.target, split.known, parameters=training_input.parameters
    )
    for name, raw in past.items():
        calibrator = calibrate_target(
            raw, context, split, keys=training_set.keys, fit_curve=fit_curve
        )
        outlooks[name] = calibrator.predict(now[name][rows])
    judged = context.select(rows)
    return {
        name: forecast(
            outlook,
            judged,
            coverage=settings.interval_coverage,
            threshold=settings.threshold(split.target),
        )
        for name, outlook in outlooks.items()
    }


def _group_masks(training_set: TrainingSet, rows: IntArray) -> dict[str, BoolArray]:
    """Return masks of shape (rows,): warm and cold starts, markets, copies; none is empty."""
    masked = training_set.masked[rows]
    is_latest = masked == Masked.NOTHING
    is_cold = training_set.is_cold[rows]
    market = training_set.keys["market"]
    codes = market.codes[rows]
    sizes = np.bincount(codes[is_latest], minlength=len(market.names))
    by_size = np.argsort(-sizes, kind="stable")[:MAX_MARKETS]
    large = [int(code) for code in by_size if sizes[code] >= MIN_MARKET_ROWS]
    groups = {WARM: is_latest & ~is_cold, COLD: is_latest & is_cold}
    groups |= {f"market {market.names[code]}": is_latest & (codes == code) for code in large}
    groups[OTHER_MARKETS] = is_latest & ~np.isin(codes, large)
    groups |= {name: masked == kind for name, kind in MASKED_GROUPS.items()}
    return {name: group for name, group in groups.items() if group.any()}
