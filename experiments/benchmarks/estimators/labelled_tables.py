"""Tables of labelled rows, cut into rows to learn from and rows to predict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from features.runtime.arrays import FloatArray

TEST_SHARE = 0.25


@dataclass(frozen=True)
class LabelledTable:
    """Rows to learn from, followed by rows to predict."""

    name: str
    frame: pd.DataFrame
    share: FloatArray
    trials: FloatArray
    """The trials behind each share; all 1 where a contestant isn't told them."""
    train_rows: int

    @classmethod
    def shuffled(
        cls, name: str, frame: pd.DataFrame, share: FloatArray, trials: FloatArray
    ) -> Self:
        """Return a table whose rows to predict are drawn at random."""
        order = np.random.default_rng(0).permutation(len(frame))
        test_rows = round(TEST_SHARE * len(frame))
        rows = frame.iloc[order].reset_index(drop=True)
        return cls(name, rows, share[order], trials[order], len(frame) - test_rows)

    @property
    def train(self) -> pd.DataFrame:
        """Return the rows to learn from."""
        return self.frame[: self.train_rows]

    @property
    def test(self) -> pd.DataFrame:
        """Return the rows to predict."""
        return self.frame[self.train_rows :].reset_index(drop=True)
