"""Forecasts beside the truth: how much of the gain that is there to be had is had."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from experiments.truth.noise_floor import row_log_loss
from features.declarations import FloatArray


@dataclass(frozen=True)
class AgainstTruth:
    """Mean log losses, weighted as the target is, and how the model's estimates rank the rows."""

    rows: int
    model_loss: float
    shrinkage_loss: float
    truth_loss: float
    """Of the true expectation: no forecast can lose less but by luck."""
    rank_correlation: float
    """Spearman's, of estimates and true expectations, each row counted once."""

    @property
    def explained(self) -> float:
        """Return the share of the explainable gain over shrinkage that the model has."""
        return (self.shrinkage_loss - self.model_loss) / (self.shrinkage_loss - self.truth_loss)


def against_truth(
    label: FloatArray,
    weight: FloatArray,
    *,
    model: FloatArray,
    shrinkage: FloatArray,
    truth: FloatArray,
) -> AgainstTruth:
    """Compare the estimates of rows with what was to be expected; all of shape (rows,)."""

    def loss(estimate: FloatArray) -> float:
        return float(np.average(row_log_loss(label, estimate), weights=weight))

    return AgainstTruth(
        rows=label.size,
        model_loss=loss(model),
        shrinkage_loss=loss(shrinkage),
        truth_loss=loss(truth),
        rank_correlation=float(spearmanr(model, truth).statistic),
    )
