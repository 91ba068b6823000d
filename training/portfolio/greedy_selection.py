"""Weigh the members of an ensemble by greedy selection with replacement.

Source: Caruana, Niculescu-Mizil, Crew and Ksikes, "Ensemble selection from libraries of models",
ICML 2004, with a sorted start of one member.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from features.runtime.arrays import FloatArray

MAX_PICKS: Final = 10
MIN_GAIN: Final = 1e-6
"""The smallest gain in log loss that is worth another pick. It is far above rounding, so that equal
ensembles are equal whatever the order of the rows."""
MIN_SHARE: Final = 1e-6
"""Predictions stay this far from 0 and 1, where one surprise would have an infinite loss."""


def select_members(shares: FloatArray, label: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the weight of each member in an average of predicted shares; weights sum to 1.

    `shares` has shape (members, rows) and holds out-of-fold predictions; `label` and `weight` have
    shape (rows,). The first pick is the best member. Each later pick is the member that lowers the
    weighted log loss of the average most, until no pick lowers it. Of members that are equal within
    `MIN_GAIN`, one that was picked before is preferred, then the first one. The average is never
    worse on these rows than the best member.
    """
    shares, label, weight = _sort_rows(np.clip(shares, MIN_SHARE, 1 - MIN_SHARE), label, weight)
    picks = np.zeros(len(shares), np.int64)
    total, best = np.zeros_like(label), np.inf
    for count in range(1, MAX_PICKS + 1):
        losses = np.array([_log_loss((total + row) / count, label, weight) for row in shares])
        if not losses.min() < best - MIN_GAIN:
            break
        pick = _first_of_equals(losses, picks)
        picks[pick] += 1
        total, best = total + shares[pick], losses[pick]
    return np.asarray(picks / picks.sum(), np.float64)


def _first_of_equals(losses: FloatArray, picks: np.ndarray) -> int:
    """Return the best member; a tie goes to the members picked before, then to the first."""
    is_best = losses <= losses.min() + MIN_GAIN / 2
    is_picked = is_best & (picks > 0)
    return int(np.argmax(is_picked if is_picked.any() else is_best))


def _sort_rows(
    shares: FloatArray, label: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sort rows by their values, so that sums don't depend on the order they came in."""
    order = np.lexsort([*shares, weight, label])
    return shares[:, order], label[order], weight[order]


def _log_loss(share: FloatArray, label: FloatArray, weight: FloatArray) -> float:
    losses = label * np.log(share) + (1 - label) * np.log1p(-share)
    return -float((weight * losses).sum() / weight.sum())
