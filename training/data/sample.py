"""Select the rows with a final label, and refuse samples that no model can learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import BoolArray, FloatArray, IntArray
from training.data.cold_start_rows import Masked
from training.data.training_set import TrainingSet
from training.errors import InvalidLabelsError, NoLabelsError, OneClassError, TooFewPositivesError

LARGE_QUANTILE: Final = 0.95
MAX_WEIGHT: Final = 10.0
"""Most that a row weighs, in multiples of the weight of a large row, at `LARGE_QUANTILE`."""


@dataclass(frozen=True)
class Sample:
    """Rows with a final label, each array of shape (rows,); `rows` are positions in the set."""

    rows: IntArray
    label: FloatArray
    weight: FloatArray

    def select(self, mask: BoolArray) -> Sample:
        """Return the rows where `mask`, of shape (rows,), is true."""
        return Sample(self.rows[mask], self.label[mask], self.weight[mask])

    def limit_weight(self, limit: float) -> Sample:
        """Return the rows with weights of at most `limit`."""
        return Sample(self.rows, self.label, np.minimum(self.weight, limit))

    def concat(self, other: Sample) -> Sample:
        """Return these rows followed by those of `other`."""
        return Sample(
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.label, other.label]),
            np.concatenate([self.weight, other.weight]),
        )


NO_ROWS: Final = Sample(np.empty(0, np.int64), np.empty(0), np.empty(0))
"""The sample of a target without labels."""


def final_rows(training_set: TrainingSet, target: Target) -> Sample:
    """Return the rows whose label is final and has a weight above 0.

    A row without orders has no return risk and is left out. Errors count the rows that were read,
    without their cold-start copies.

    Raises:
        NoLabelsError: no row has a final label.
        InvalidLabelsError: a final label is missing or outside 0 and 1.
    """
    outcome = training_set.outcomes[target]
    is_final = outcome.is_mature & (outcome.weight > 0)
    is_original = training_set.masked == Masked.NOTHING
    is_share = (outcome.label >= 0) & (outcome.label <= 1)
    if not (is_final & ~np.isnan(outcome.label)).any():
        raise NoLabelsError(target, int((outcome.is_mature & is_original).sum()))
    invalid = int((is_final & ~is_share & is_original).sum())
    if invalid:
        raise InvalidLabelsError(target, invalid=invalid, rows=int((is_final & is_original).sum()))
    rows = np.flatnonzero(is_final)
    return Sample(rows, outcome.label[rows], outcome.weight[rows])


def find_weight_limit(weight: FloatArray) -> float:
    """Return the most that a row may weigh, by the weights of rows that are learned from.

    A million units typed by mistake would count for more than all other rows together.
    """
    if not weight.size:
        return np.inf
    return MAX_WEIGHT * float(np.quantile(weight, LARGE_QUANTILE, method="inverted_cdf"))


def is_learnable(label: FloatArray, *, min_rows: int, min_positives: int) -> bool:
    """Return True if there are enough labels to learn from, and not all are the same."""
    if label.size < min_rows or label.min() == label.max():
        return False
    return bool((label > 0).sum() >= min_positives)


def refuse_unlearnable(
    target: Target, slice_name: str, label: FloatArray, *, min_positives: int
) -> None:
    """Refuse labels that no model can learn from.

    Raises:
        OneClassError: all labels are the same.
        TooFewPositivesError: fewer than `min_positives` labels are above 0.
    """
    if label.min() == label.max():
        raise OneClassError(target, slice_name, float(label[0]))
    positives = int((label > 0).sum())
    if positives < min_positives:
        raise TooFewPositivesError(target, slice_name, needed=min_positives, positives=positives)
