"""Past decisions with what was said of them and what came: what selection compares with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.runtime.arrays import FloatArray, IntArray
from serving.conformal.cells import EVIDENCE_AMOUNTS
from serving.errors import BrokenFileError

MAX_ROWS: Final = 4000
"""Decisions kept: a random part of all, which is as exchangeable with candidates as the whole."""


@dataclass(frozen=True)
class CalibrationSample:
    """Calibration rows that no model was fitted on: estimate, outcome and own evidence."""

    estimate: FloatArray
    outcome: FloatArray
    evidence: IntArray
    """Places in `serving.conformal.cells.LEVELS`."""
    listings: IntArray
    """A number for each listing: decisions of one come out alike."""

    def __post_init__(self) -> None:
        """Refuse what can't be such rows."""
        columns = (self.estimate, self.outcome)
        all_columns = (*columns, self.evidence, self.listings)
        faults = {
            "columns of unequal length": len({len(c) for c in all_columns}) > 1,
            f"more than {MAX_ROWS} rows": self.estimate.size > MAX_ROWS,
            "a share outside [0, 1]": any(not ((c >= 0) & (c <= 1)).all() for c in columns),
            "an unknown level of evidence": not np.isin(
                self.evidence, range(len(EVIDENCE_AMOUNTS))
            ).all(),
        }
        for fault, is_found in faults.items():
            if is_found:
                raise BrokenFileError("past decisions", fault)


def subsample(
    estimate: FloatArray, outcome: FloatArray, evidence: IntArray, *, listings: IntArray
) -> CalibrationSample:
    """Keep calibration rows of shape (rows,): all, or `MAX_ROWS` of them drawn without looking.

    The same rows give the same draw.
    """
    rows = np.arange(estimate.size)
    if rows.size > MAX_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, MAX_ROWS, replace=False))
    _, numbers = np.unique(listings[rows], return_inverse=True)
    return CalibrationSample(
        estimate[rows], outcome[rows], evidence[rows], numbers.astype(np.int64)
    )
