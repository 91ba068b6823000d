"""Measure R² on unseen products, over several draws of the folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score

from experiments.benchmarks.complete_journey.contestants import Contestant
from experiments.benchmarks.complete_journey.products import REPEAT_SHARE
from experiments.benchmarks.complete_journey.splits import UNSEEN, folds
from features.runtime.progress import ProgressCallback


@dataclass(frozen=True)
class ContestantScores:
    """R² of a contestant on a kind of unseen product, for each draw of the folds.

    Every product counts once, however many buyers it has. R² is computed over the predictions of
    all folds together.
    """

    contestant: str
    kind: str
    r2: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Return the mean over the draws."""
        return float(np.mean(self.r2))

    @property
    def spread(self) -> float:
        """Return the standard deviation over the draws, 0 for a single one."""
        return float(np.std(self.r2, ddof=1)) if len(self.r2) > 1 else 0.0


def run_benchmark(
    products: pd.DataFrame,
    contestants: Mapping[str, Contestant],
    seeds: Sequence[int],
    progress: ProgressCallback,
) -> list[ContestantScores]:
    """Let each contestant predict each kind of unseen product, and report each step."""
    results = []
    for name, contestant in contestants.items():
        for kind in UNSEEN:
            progress(f"{name}: {kind}")
            scores = tuple(score_held_out(products, contestant, kind, seed) for seed in seeds)
            results.append(ContestantScores(name, kind, scores))
    return results


def score_held_out(products: pd.DataFrame, contestant: Contestant, kind: str, seed: int) -> float:
    """Return the R² of predictions; no product is in the folds that its prediction learned from."""
    predicted = np.full(len(products), np.nan)
    for known, new in folds(products, kind, seed):
        predicted[new] = contestant(products.iloc[known], products.iloc[new])
    return float(r2_score(products[REPEAT_SHARE], predicted))
