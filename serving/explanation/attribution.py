"""Share out the distance between an estimate and that of the usual listing among the inputs.

A share is computed from a margin: log odds for return risk, the logarithm of demand over the lot
for sell-through. Trees add up in it exactly (`Booster.split_trees`), so the candidate's margin is
the usual one plus a difference for each input. The margin bends into a share along the straight way
from the usual listing to the candidate, on which every input gets its difference times the mean
slope of the share: the values of Aumann and Shapley (1974) for a cost of a sum. Points therefore
add up to the estimate, and have the signs and the proportions of the differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from features.runtime.arrays import FloatArray
from serving.conformal.cells import EVIDENCE_AMOUNTS, OwnEvidence
from serving.prediction.predict import Predictions
from serving.prediction.target_model import TargetModel
from serving.prediction.usual_listings import UsualListings

NEAR: Final = 1e-6
"""Margins this close have the slope at the usual listing; a quotient would be rounding errors."""
STEP: Final = 1e-3
NO_EVIDENCE: Final = EVIDENCE_AMOUNTS.index(OwnEvidence.NONE)


@dataclass(frozen=True)
class Attribution:
    """What moves the estimates of one target."""

    usual: FloatArray
    """The estimate for the usual listing of each row's market, shape (rows,)."""
    points: FloatArray
    """Percentage points of each input, of the calendar and of having no history; shape (rows,
    inputs + 2)."""


def attribute(
    model: TargetModel, predictions: Predictions, usual: Sequence[UsualListings]
) -> Attribution:
    """Return how far each input moves the estimates of a target.

    `usual` has the usual listings of each row's market. What a candidate without a history has in
    common with others like it is one part; its inputs are compared with those of the others.
    """
    is_new = (predictions.own_evidence == NO_EVIDENCE)[:, np.newaxis]
    listed, new = (
        np.array([getattr(one, kind).parts[model.target] for one in usual])
        for kind in ("listed", "new")
    )
    compared = np.where(is_new, new, listed)
    parts = model.split_margin(predictions.matrix, predictions.demand)
    differences = np.column_stack(
        (parts.inputs - compared, parts.calendar, (compared - listed).sum(axis=1))
    )
    usual_margin = parts.constant + listed.sum(axis=1)
    usual_share = model.share_of_margin(usual_margin)
    distance = differences.sum(axis=1)
    is_near = np.abs(distance) < NEAR
    estimate = predictions.targets[model.target].estimate
    slope = np.where(
        is_near,
        (model.share_of_margin(usual_margin + STEP) - usual_share) / STEP,
        (estimate - usual_share) / np.where(is_near, 1.0, distance),
    )
    return Attribution(usual=usual_share, points=100.0 * slope[:, np.newaxis] * differences)
