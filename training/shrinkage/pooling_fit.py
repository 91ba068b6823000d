"""Learn the parameters of shrinkage and of the return expectation.

A rate with a label gets the strengths whose pooled rate predicts the label best (least weighted log
loss, by L-BFGS-B over log strengths). The repurchase rate has no label: its strengths come from how
much more the keys of a level differ than by chance (the method of moments for the beta-binomial
distribution: Kleinman 1973, "Proportions with extraneous variance"). The parameters of
features/declarations/return_expectation.py come from training/shrinkage/return_expectation_fit.py.
Sums are numpy's, never BLAS's, whose results depend on the number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from scipy.optimize import minimize

from features.declarations.levels import LEVEL_KEYS, Level
from features.declarations.shrinkage import (
    CHAIN,
    REPURCHASE_RATE,
    RETURN_RATE,
    SELL_THROUGH_RATE,
    Rate,
)
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray, IntArray
from training.data.sample import NO_ROWS, Sample
from training.data.training_set import TrainingSet
from training.shrinkage.return_expectation_fit import fit_return_expectation

TARGET_RATES: Final[Mapping[Target, Rate]] = {
    "sell_through": SELL_THROUGH_RATE,
    "return_risk": RETURN_RATE,
}
"""The past rate that predicts each target."""

MIN_STRENGTH: Final = 0.1
MAX_STRENGTH: Final = 1e6
"""Bounds in pseudo-trials: almost no shrinkage at the least, almost all at the most."""

START_STRENGTH: Final = 10.0
"""The start of the search, and its result without any row."""

MIN_SHARE: Final = 1e-6
"""Shares are kept this far from 0 and 1, so that no row has an infinite loss."""

_SIGNIFICANT_DIGITS: Final = 6


def fit_parameters(
    training_set: TrainingSet, samples: Mapping[Target, Sample], expectation: Sample
) -> dict[str, float]:
    """Return all parameters of derived features, learned on the given rows.

    `samples` holds each target's rows. Repurchases are counted at the last row of each listing in
    the sample of sell_through. A rate without a target keeps the start values: its counts are null,
    and so is the pooled rate. `expectation` holds the rows of the expected return rate, none
    without returns.
    """
    learned: dict[str, float] = {}
    for target, rate in TARGET_RATES.items():
        sample = samples.get(target, NO_ROWS)
        counts = _counts(training_set, rate, sample.rows)
        mean = smoothed_mean(sample.label, sample.weight)
        strengths = strengths_by_loss(counts, sample.label, sample.weight, mean=mean)
        learned |= _name_parameters(rate, mean, strengths)
    learned |= _fit_by_moments(training_set, REPURCHASE_RATE, samples["sell_through"].rows)
    mean = smoothed_mean(expectation.label, expectation.weight)
    return learned | fit_return_expectation(training_set.columns, expectation, mean)


def smoothed_mean(share: FloatArray, weight: FloatArray) -> float:
    """Return the weighted mean of shares and of one more trial with half a success.

    It is never quite 0 or 1, and 0.5 without any row.
    """
    return float(((share * weight).sum() + 0.5) / (weight.sum() + 1))


def strengths_by_loss(
    counts: Sequence[FloatArray], label: FloatArray, weight: FloatArray, *, mean: float
) -> FloatArray:
    """Return the strength of each level's prior that predicts `label` best.

    `counts` holds successes and trials of each level of the chain in turn, each of shape
    (rows,). Rows with null counts are left out.
    """
    start = np.full(len(CHAIN), START_STRENGTH)
    is_known = ~np.isnan(counts).any(axis=0)
    if not is_known.any():
        return start
    known = [column[is_known] for column in counts]
    bounds = [(math.log(MIN_STRENGTH), math.log(MAX_STRENGTH))] * len(CHAIN)
    result = minimize(
        loss_and_gradient,
        np.log(start),
        args=(known, label[is_known], weight[is_known], mean),
        method="L-BFGS-B",
        jac=True,
        bounds=bounds,
        options={"ftol": 1e-12, "gtol": 1e-9, "maxiter": 500},
    )
    return np.asarray(np.exp(result.x), np.float64)


def loss_and_gradient(
    log_strengths: FloatArray,
    counts: Sequence[FloatArray],
    label: FloatArray,
    weight: FloatArray,
    mean: float,
) -> tuple[float, FloatArray]:
    """Return the weighted mean log loss of the pooled rate, and its slope in each log strength.

    A level's estimate is `e = (s + k w) / (n + k)`. Its slope is `(w - e) / (n + k)` in its own
    strength k, and `k / (n + k)` in the wider estimate w.
    """
    estimate = np.full_like(label, mean)
    slopes: list[FloatArray] = []
    for strength, successes, trials in zip(
        np.exp(log_strengths), counts[::2], counts[1::2], strict=True
    ):
        wider, total = estimate, trials + strength
        estimate = (successes + strength * wider) / total
        slopes = [slope * strength / total for slope in slopes]
        slopes.append(strength * (wider - estimate) / total)
    share = np.clip(estimate, MIN_SHARE, 1 - MIN_SHARE)
    losses = -(label * np.log(share) + (1 - label) * np.log1p(-share))
    per_share = weight * (share - label) / (share * (1 - share)) / weight.sum()
    per_share[share != estimate] = 0.0
    gradient = np.array([(per_share * slope).sum() for slope in slopes])
    return float((weight * losses).sum() / weight.sum()), gradient


def strength_by_moments(successes: FloatArray, trials: FloatArray, prior: FloatArray) -> float:
    """Return the strength that explains how far keys lie from their prior means.

    Each array has shape (keys,). For n trials, prior mean p and strength k, the variance of
    successes is `n p (1 - p) (1 + (n - 1) / (k + 1))`.
    """
    chance = prior * (1 - prior)
    excess = ((successes - trials * prior) ** 2 - trials * chance).sum()
    pairs = (trials * (trials - 1) * chance).sum()
    if pairs <= 0:
        return START_STRENGTH
    correlation = min(max(excess / pairs, 1 / (1 + MAX_STRENGTH)), 1 / (1 + MIN_STRENGTH))
    return float(1 / correlation - 1)


def _fit_by_moments(training_set: TrainingSet, rate: Rate, rows: IntArray) -> dict[str, float]:
    rows = _last_listing_rows(training_set, rows)
    counts = _counts(training_set, rate, rows)
    is_known = ~np.isnan(counts).any(axis=0)
    rows, counts = rows[is_known], [column[is_known] for column in counts]
    firsts = [_first_key_rows(training_set, level, rows) for level in CHAIN]
    successes, trials = (column[firsts[0]].sum() for column in counts[:2])
    mean = float((successes + 0.5) / (trials + 1))
    return _name_parameters(rate, mean, strengths_by_moments(counts, firsts, mean=mean))


def strengths_by_moments(
    counts: Sequence[FloatArray], firsts: Sequence[IntArray], *, mean: float
) -> list[float]:
    """Return the strength of each level's prior, from wide to narrow.

    `counts` is as in `strengths_by_loss`; `firsts` holds the position of one row of each key, for
    each level.
    """
    estimate = np.full(counts[0].shape, mean)
    strengths = []
    for once, successes, trials in zip(firsts, counts[::2], counts[1::2], strict=True):
        strength = strength_by_moments(successes[once], trials[once], estimate[once])
        estimate = (successes + strength * estimate) / (trials + strength)
        strengths.append(strength)
    return strengths


def _last_listing_rows(training_set: TrainingSet, rows: IntArray) -> IntArray:
    """Return the last row of each listing among `rows`."""
    listing = training_set.keys["listing_id"].codes[rows]
    order = np.lexsort((training_set.as_of_day[rows], listing))
    backwards = rows[order][::-1]
    positions = np.unique(listing[order][::-1], return_index=True)[1]
    return backwards[positions]


def _first_key_rows(training_set: TrainingSet, level: Level, rows: IntArray) -> IntArray:
    """Return the position in `rows` of the first row of each key of a level."""
    codes = np.stack([training_set.keys[key].codes[rows] for key in LEVEL_KEYS[level]])
    return np.asarray(np.unique(codes, axis=1, return_index=True)[1], dtype=np.int64)


def _counts(training_set: TrainingSet, rate: Rate, rows: IntArray) -> list[FloatArray]:
    return [training_set.columns[name][rows] for name in rate.inputs]


def _name_parameters(
    rate: Rate, mean: float, strengths: Sequence[float] | FloatArray
) -> dict[str, float]:
    """Name rounded parameters; further digits are noise and differ between machines."""
    values = [float(f"{value:.{_SIGNIFICANT_DIGITS}g}") for value in (mean, *strengths)]
    return dict(zip(rate.parameters, values, strict=True))
