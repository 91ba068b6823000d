"""Samples: rows that have a final label, and whether they can teach anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.declarations.targets import Target
from features.runtime.arrays import BoolArray, FloatArray, IntArray
from training.data.cold_start_rows import Masked
from training.data.training_set import TrainingSet
from training.errors import InvalidLabelsError, NoLabelsError, OneClassError, TooFewPositivesError


@dataclass(frozen=True)
class Sample:
    """Rows with a final label: their positions in the training set, labels and weights."""

    rows: IntArray
    label: FloatArray
    weight: FloatArray

    def select(self, mask: BoolArray) -> Sample:
        """Return the rows that a mask of shape (rows,) picks."""
        return Sample(self.rows[mask], self.label[mask], self.weight[mask])

    def concat(self, other: Sample) -> Sample:
        """Return these rows, then the other ones."""
        return Sample(
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.label, other.label]),
            np.concatenate([self.weight, other.weight]),
        )


NO_ROWS: Final = Sample(np.empty(0, np.int64), np.empty(0), np.empty(0))
"""What there is of a target that the data have no labels of."""


def final_rows(training_set: TrainingSet, target: Target) -> Sample:
    """Return the rows whose label is final and rests on some evidence.

    A return risk of a row without any order doesn't exist: such rows are left out. Refusals count
    rows as they were read, without their copies that know less.

    Raises:
        NoLabelsError: there is none.
        InvalidLabelsError: a final label is missing or no share.
    """
    outcome = training_set.outcomes[target]
    is_evidence = outcome.is_mature & (outcome.weight > 0)
    is_read = training_set.masked == Masked.NOTHING
    is_share = (outcome.label >= 0) & (outcome.label <= 1)
    if not (is_evidence & ~np.isnan(outcome.label)).any():
        raise NoLabelsError(target, int((outcome.is_mature & is_read).sum()))
    broken = int((is_evidence & ~is_share & is_read).sum())
    if broken:
        raise InvalidLabelsError(target, broken=broken, rows=int((is_evidence & is_read).sum()))
    rows = np.flatnonzero(is_evidence)
    return Sample(rows, outcome.label[rows], outcome.weight[rows])


def refuse_unlearnable(
    target: Target, slice_name: str, label: FloatArray, *, min_positives: int
) -> None:
    """Refuse labels that teach nothing.

    Raises:
        OneClassError: all are the same.
        TooFewPositivesError: hardly any is above 0.
    """
    if label.min() == label.max():
        raise OneClassError(target, slice_name, float(label[0]))
    positives = int((label > 0).sum())
    if positives < min_positives:
        raise TooFewPositivesError(target, slice_name, needed=min_positives, found=positives)
