"""The sample of past decisions that selection compares candidates with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from features.runtime.arrays import FloatArray, IntArray
from serving.conformal.cells import EVIDENCE_AMOUNTS
from serving.errors import BrokenFileError

MAX_ROWS: Final = 4000
"""Most decisions kept; a random part is as exchangeable with candidates as the whole."""


@dataclass(frozen=True)
class CalibrationSample:
    """Calibration rows, each predicted by a model that hadn't learned from it.

    Each array has shape (rows,).
    """

    estimate: FloatArray
    outcome: FloatArray
    evidence: IntArray
    """Index of each row's own evidence in `serving.conformal.cells.EVIDENCE_AMOUNTS`."""
    listings: IntArray
    """A number for each listing, whose decisions have similar outcomes."""

    def __post_init__(self) -> None:
        """Check lengths and ranges.

        Raises:
            BrokenFileError: the columns can't be such rows.
        """
        shares = (self.estimate, self.outcome)
        columns = (*shares, self.evidence, self.listings)
        amounts = range(len(EVIDENCE_AMOUNTS))
        faults = {
            "columns of unequal length": len({len(column) for column in columns}) > 1,
            f"more than {MAX_ROWS} rows": self.estimate.size > MAX_ROWS,
            "a share outside [0, 1]": any(not ((c >= 0) & (c <= 1)).all() for c in shares),
            "an unknown amount of evidence": not np.isin(self.evidence, amounts).all(),
        }
        for fault, is_present in faults.items():
            if is_present:
                raise BrokenFileError("selection.json", fault)
