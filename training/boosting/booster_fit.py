"""Fit one booster: its rows, parameters and seed.

LightGBM learns from bins, which take an eighth of the memory of the inputs at most. So the rows of
a request are binned once, the inputs are freed, and all its boosters learn from the same bins
(docs/decisions/memory-of-the-main-job.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import lightgbm
import numpy as np

from features.runtime.arrays import FloatArray
from training.boosting.objectives import DemandObjective


@dataclass(frozen=True)
class BoosterFit:
    """The rows and parameters of one booster.

    `inputs` has shape (rows, names), the other arrays (rows,). Trees correct the `offset`, if there
    is one: a share is computed from the sum of both.
    """

    inputs: FloatArray
    label: FloatArray
    weight: FloatArray
    names: Sequence[str] = field(kw_only=True)
    parameters: Mapping[str, Any] = field(kw_only=True)
    trees: int = field(kw_only=True)
    offset: FloatArray | None = None
    objective: DemandObjective | None = field(default=None, kw_only=True)
    """Replaces the objective of `parameters`; None leaves it."""

    def fit(self, seed: int) -> str:
        """Fit the booster and return its text."""
        return self.bin().fit(seed)

    def bin(self) -> BinnedFit:
        """Bin the rows; the result doesn't hold the inputs."""
        rows = lightgbm.Dataset(
            self.inputs,
            self.label,
            weight=self.weight,
            init_score=self.offset,
            feature_name=list(self.names),
            params=dict(self.parameters),
        ).construct()
        return BinnedFit(rows, self._row_facts(), self.parameters, self.trees, self.objective)

    def _row_facts(self) -> dict[str, object]:
        """Return every field that is about the rows, arrays by digest."""
        values = {declared.name: getattr(self, declared.name) for declared in fields(self)}
        return {
            name: _digest(value) if isinstance(value, np.ndarray) else value
            for name, value in values.items()
            if name not in {"parameters", "trees", "objective"}
        }


@dataclass(frozen=True)
class BinnedFit:
    """The binned rows and the parameters of one booster or several, which differ by their seeds.

    Several threads may fit boosters to the same rows at once: LightGBM only reads them.
    """

    rows: lightgbm.Dataset
    row_facts: Mapping[str, object]
    """What the rows were made of, arrays by digest."""
    parameters: Mapping[str, Any]
    trees: int
    objective: DemandObjective | None = None

    def fit(self, seed: int) -> str:
        """Fit a booster and return its text."""
        seeded = {**self.parameters, "bagging_seed": seed, "feature_fraction_seed": seed}
        if self.objective is not None:
            seeded["objective"] = self.objective
        text: str = lightgbm.train(seeded, self.rows, num_boost_round=self.trees).model_to_string()
        return text

    @property
    def facts(self) -> dict[str, object]:
        """Return everything but the seed that the booster depends on."""
        sharpness = None if self.objective is None else self.objective.sharpness
        return {
            **self.row_facts,
            "parameters": self.parameters,
            "trees": self.trees,
            "sharpness": sharpness,
        }


def _digest(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> str:
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape}\n".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
