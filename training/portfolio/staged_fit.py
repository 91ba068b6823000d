"""Fit one booster: for good, or to see how many trees predict other rows best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import lightgbm
import numpy as np
from scipy.special import expit

from features.runtime.arrays import FloatArray

PATIENCE: Final = 40
"""Trees without a gain on the rows to judge by, after which no more are grown."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What trees see of rows, and the log odds that they start from."""

    matrix: FloatArray
    """Shape (rows, columns)."""
    offset: FloatArray
    """Shape (rows,)."""
    native: int = 0
    """How many of the last columns hold the codes of categories."""


@dataclass(frozen=True, kw_only=True)
class StagedFit:
    """The rows and parameters of one booster; `label` and `weight` have shape (rows,)."""

    inputs: Inputs
    label: FloatArray
    weight: FloatArray
    parameters: Mapping[str, Any]

    def fit(self, seed: int, trees: int) -> str:
        """Fit a booster and return its text."""
        rows = self._dataset(self._seeded(seed))
        text: str = lightgbm.train(
            self._seeded(seed), rows, num_boost_round=trees
        ).model_to_string()
        return text

    def predict_stages(
        self, seed: int, others: StagedFit, checkpoints: Sequence[int]
    ) -> FloatArray:
        """Return shares of other rows after each number of trees, shape (checkpoints, rows).

        Trees stop where they predict those rows no better; later stages repeat the last one.
        """
        grown = self._grow(seed, others, max(checkpoints)) if max(checkpoints) else None
        stages = [others.inputs.offset + self._margin(grown, others, one) for one in checkpoints]
        return np.asarray(expit(stages), np.float64)

    def _margin(self, grown: lightgbm.Booster | None, others: StagedFit, trees: int) -> FloatArray:
        if grown is None or not trees:
            return np.zeros(len(others.inputs.matrix))
        margin = grown.predict(
            others.inputs.matrix,
            raw_score=True,
            num_iteration=min(trees, grown.current_iteration()),
            num_threads=1,
        )
        return np.asarray(margin, np.float64)

    def _grow(self, seed: int, others: StagedFit, trees: int) -> lightgbm.Booster:
        seeded = self._seeded(seed)
        rows = self._dataset(seeded)
        stop = lightgbm.early_stopping(PATIENCE, verbose=False)
        judges = [others._dataset(seeded, reference=rows)]
        return lightgbm.train(
            seeded, rows, num_boost_round=trees, valid_sets=judges, callbacks=[stop]
        )

    def _seeded(self, seed: int) -> dict[str, Any]:
        return {**self.parameters, "bagging_seed": seed, "feature_fraction_seed": seed}

    def _dataset(
        self, parameters: dict[str, Any], reference: lightgbm.Dataset | None = None
    ) -> lightgbm.Dataset:
        width = self.inputs.matrix.shape[1]
        return lightgbm.Dataset(
            self.inputs.matrix,
            self.label,
            reference=reference,
            weight=self.weight,
            init_score=self.inputs.offset,
            feature_name=[f"x{index}" for index in range(width)],
            categorical_feature=list(range(width - self.inputs.native, width)),
            params=parameters,
        )
