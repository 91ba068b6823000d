"""Measure how much decisions of one listing repeat each other.

Decisions of a listing have similar outcomes, so many decisions of a few listings carry less
information than their number says. The design effect (Kish 1965, "Survey sampling") measures it:
1 + (m - 1) r for m decisions a listing whose outcomes correlate by r within it. Past decisions that
are exchangeable by listing, but not one by one, bound a new listing's outcome less by this factor.
"""

from __future__ import annotations

import numpy as np

from features.runtime.arrays import BoolArray, IntArray


def design_effect(is_bad: BoolArray, listings: IntArray) -> float:
    """Return how many decisions carry the information of one independent decision, at least 1.

    Both arrays have shape (rows,); `listings` has a number for each listing. The correlation comes
    from the analysis of variance with groups of unequal size (Donner 1986, "A review of inference
    procedures for the intraclass correlation coefficient in the one-way random effects model").
    """
    _, group, sizes = np.unique(listings, return_inverse=True, return_counts=True)
    rows, groups = is_bad.size, sizes.size
    if groups < 2 or groups == rows:  # noqa: PLR2004 - one group has no variance between groups
        return 1.0
    means = np.bincount(group, weights=is_bad) / sizes
    between = (sizes * (means - is_bad.mean()) ** 2).sum() / (groups - 1)
    within = ((is_bad - means[group]) ** 2).sum() / (rows - groups)
    usual_size = (rows - (sizes**2).sum() / rows) / (groups - 1)
    total = between + (usual_size - 1) * within
    correlation = (between - within) / total if total > 0 else 0.0
    return 1.0 + max(float(correlation), 0.0) * (rows / groups - 1)
