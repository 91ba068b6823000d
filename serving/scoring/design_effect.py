"""How far decisions of one listing say the same thing again.

Decisions of a listing come out alike, so that many of a few listings are worth fewer than they are.
The design effect (Kish 1965, "Survey sampling") says by how much: 1 + (m - 1) r for m decisions a
listing whose outcomes correlate by r within it. Past decisions that are exchangeable by listing,
and not one by one, bound what a new listing brings by that much less.
"""

from __future__ import annotations

import numpy as np

from features.runtime.arrays import BoolArray, IntArray


def design_effect(is_bad: BoolArray, listings: IntArray) -> float:
    """Return how many decisions are worth one that stands alone, at least 1.

    Both have shape (rows,), `listings` holds a number for each listing. The correlation is that of
    the analysis of variance with listings of unequal size (Donner 1986, "A review of inference
    procedures for the intraclass correlation coefficient in the one-way random effects model").
    """
    _, place, sizes = np.unique(listings, return_inverse=True, return_counts=True)
    rows, groups = is_bad.size, sizes.size
    if groups < 2 or groups == rows:  # noqa: PLR2004 - one group has no others
        return 1.0
    means = np.bincount(place, weights=is_bad) / sizes
    between = (sizes * (means - is_bad.mean()) ** 2).sum() / (groups - 1)
    within = ((is_bad - means[place]) ** 2).sum() / (rows - groups)
    usual_size = (rows - (sizes**2).sum() / rows) / (groups - 1)
    spread = between + (usual_size - 1) * within
    correlation = (between - within) / spread if spread > 0 else 0.0
    return 1.0 + max(float(correlation), 0.0) * (rows / groups - 1)
