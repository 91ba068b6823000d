"""Learn the numbers of the return expectation that predict labels best.

The weighted log loss is minimised by L-BFGS-B (Byrd et al. 1995) over log strengths, plain effects,
and known shares between 0 and 1; means are those of the rows. Gradients are numeric, because the
formula is short. Every step of the search lowers the loss, so that a search that ends early is no
worse than its start.

There are two starts, because beside millions of units a strength of 10 has no slope to follow: the
usual one, and one where the past of market and categories hardly counts. What the second start
saves: docs/decisions/two-starts-of-return-expectation.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from scipy.optimize import minimize

from features.declarations.functions import ratio
from features.declarations.return_evidence import (
    INPUTS,
    PARAMETERS,
    WIDE_LEVELS,
    name_inputs,
    name_parameters,
)
from features.declarations.return_expectation import expected_rate
from features.declarations.shrinkage import RETURN_RATE
from features.runtime.arrays import FloatArray
from training.data.sample import Sample
from training.metrics.metrics import row_log_loss

START_STRENGTH: Final = 10.0
STRENGTH_BOUNDS: Final = (0.1, 1e9)
"""In pseudo-trials. The upper bound is more than any market has sold, so that its past can lose all
weight."""
NO_HISTORY_STRENGTH: Final = 1e8
"""A strength at which the past of a market or a category hardly counts."""
MAX_EFFECT: Final = 20.0
START_KNOWN_SHARES: Final = (0.75, 0.35, 0.1)
"""Known shares of old, middle and young units if returns came evenly over 30 days."""
_IS_STRENGTH: Final = np.array(["strength" in name for name in PARAMETERS])
_IS_WIDE: Final = np.isin(
    PARAMETERS, [f"expected_return_strength_{level.value}" for level in WIDE_LEVELS]
)
_IS_KNOWN_SHARE: Final = np.array(["known_share" in name for name in PARAMETERS])
_IS_MEAN: Final = np.array([name.endswith("_mean") for name in PARAMETERS])
_SIGNIFICANT_DIGITS: Final = 3
"""Further digits are noise of the numeric gradients."""


def fit_return_expectation(
    columns: Mapping[str, FloatArray], sample: Sample, mean: float
) -> dict[str, float]:
    """Return all parameters by name; without any known count, those of the start.

    `columns` are those of the training set, `mean` is the label's weighted mean.
    """
    counts = [columns[name][sample.rows] for name in RETURN_RATE.inputs]
    known = np.flatnonzero(~np.isnan(counts).any(axis=0) & (sample.weight > 0))
    inputs = np.stack([columns[name][sample.rows[known]] for name in INPUTS])
    values = _initial_values(inputs, mean)
    if known.size:
        label, weight = sample.label[known], sample.weight[known]
        starts = values, np.where(_IS_WIDE, NO_HISTORY_STRENGTH, values)
        fits = [_run_search(start, inputs, label, weight) for start in starts]
        values, _ = min(fits, key=lambda fit: fit[1])
    rounded = (float(f"{value:.{_SIGNIFICANT_DIGITS}g}") for value in values)
    return dict(zip(PARAMETERS, rounded, strict=True))


def _initial_values(inputs: FloatArray, mean: float) -> FloatArray:
    """Return the rows' means, the usual strengths, and effects of 0."""
    columns = dict(zip(INPUTS, inputs, strict=True))
    defects = ratio(
        columns["defective_units_supplier_365d"], columns["inspected_units_supplier_365d"]
    )
    low = ratio(columns["low_star_reviews_supplier_180d"], columns["reviews_supplier_180d"])
    means = {
        "expected_return_mean": mean,
        "expected_return_audit_mean": _mean(columns["audit_result_supplier"]),
        "expected_return_defect_mean": _mean(defects),
        "expected_return_low_star_mean": _mean(low),
    }
    values = np.where(_IS_STRENGTH, START_STRENGTH, 0.0)
    values[_IS_KNOWN_SHARE] = START_KNOWN_SHARES
    return np.array(
        [means.get(name, value) for name, value in zip(PARAMETERS, values, strict=True)]
    )


def _mean(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else 0.0


def _run_search(
    start: FloatArray, inputs: FloatArray, label: FloatArray, weight: FloatArray
) -> tuple[FloatArray, float]:
    """Return the values at the end of a search, and their loss."""
    is_free = ~_IS_MEAN
    named = name_inputs([*inputs])

    def expand_free(free: FloatArray) -> FloatArray:
        values = start.copy()
        values[is_free] = np.where(_IS_STRENGTH[is_free], np.exp(free), free)
        return values

    def loss(free: FloatArray) -> float:
        estimate = expected_rate(named, name_parameters([*expand_free(free)[:, np.newaxis]]))
        return float((weight * row_log_loss(label, estimate)).sum() / weight.sum())

    lower = np.where(_IS_STRENGTH, np.log(STRENGTH_BOUNDS[0]), 0.0)
    upper = np.where(_IS_STRENGTH, np.log(STRENGTH_BOUNDS[1]), MAX_EFFECT)
    upper[_IS_KNOWN_SHARE] = 1.0
    logs = np.log(np.where(_IS_STRENGTH, start, 1.0))
    result = minimize(
        loss,
        np.where(_IS_STRENGTH, logs, start)[is_free],
        method="L-BFGS-B",
        bounds=list(zip(lower[is_free], upper[is_free], strict=True)),
        options={"ftol": 1e-9, "maxiter": 100, "maxfun": 3_000},
    )
    return expand_free(result.x), float(result.fun)
