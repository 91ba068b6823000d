"""Forecasts beside the truth: how much of the gain that is there to be had is had."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from experiments.benchmarks.models.knowable import KnowableRates
from experiments.simulator.truth.noise_floor import row_log_loss
from features.runtime.arrays import FloatArray


@dataclass(frozen=True)
class TruthComparison:
    """Mean log losses, weighted as the target is, and how the model's estimates rank the rows.

    What can be known is None where nobody has derived it.
    """

    rows: int
    model_loss: float
    shrinkage_loss: float
    truth_loss: float
    """Of the true expectation: no forecast can lose less but by luck."""
    rank_correlation: float
    """Spearman's, of estimates and true expectations, each row counted once."""
    knowable_loss: float | None = None
    """Of the ideal forecaster without the hidden draws (knowable.py)."""
    quality_told_loss: float | None = None
    """Of the same forecaster, told each product's quality besides."""

    @property
    def explained(self) -> float | None:
        """Return the share of the explainable gain over shrinkage that the model has.

        Like the other shares None where chance left no gain: in a small group of rows.
        """
        return self._share(self.model_loss, self.truth_loss)

    @property
    def knowable(self) -> float | None:
        """Return the share of the explainable gain that can be known."""
        if self.knowable_loss is None:
            return None
        return self._share(self.knowable_loss, self.truth_loss)

    @property
    def explained_of_knowable(self) -> float | None:
        """Return the share of the gain that can be known that the model has."""
        if self.knowable_loss is None:
            return None
        return self._share(self.model_loss, self.knowable_loss)

    def _share(self, loss: float, least: float) -> float | None:
        gain = self.shrinkage_loss - least
        return (self.shrinkage_loss - loss) / gain if gain > 0 else None


def compare_with_truth(  # noqa: PLR0913 - a forecaster each
    label: FloatArray,
    weight: FloatArray,
    *,
    model: FloatArray,
    shrinkage: FloatArray,
    truth: FloatArray,
    knowable: KnowableRates | None = None,
) -> TruthComparison:
    """Compare the estimates of rows with what was to be expected; all of shape (rows,)."""

    def loss(estimate: FloatArray) -> float:
        return float(np.average(row_log_loss(label, estimate), weights=weight))

    return TruthComparison(
        rows=label.size,
        model_loss=loss(model),
        shrinkage_loss=loss(shrinkage),
        truth_loss=loss(truth),
        rank_correlation=float(spearmanr(model, truth).statistic),
        knowable_loss=None if knowable is None else loss(knowable.by_evidence),
        quality_told_loss=None if knowable is None else loss(knowable.given_quality),
    )
