"""Compare forecasts with the truth: which share of the possible gain the model has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from experiments.benchmarks.models.knowable import KnowableRates
from experiments.simulator.truth.noise_floor import row_log_loss
from experiments.simulator.truth.reader import Truth
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray, IntArray
from training.data.training_set import TrainingSet

EXPECTED: Final[dict[Target, str]] = {
    "sell_through": "expected_sell_through",
    "return_risk": "expected_return_rate",
}
"""The column of the truth's moments that holds each target's expectation."""


@dataclass(frozen=True)
class TruthComparison:
    """Mean log losses with the target's weights, and how the model's estimates rank the rows.

    The losses of the ideal forecasters are None for a target without one.
    """

    rows: int
    model_loss: float
    shrinkage_loss: float
    truth_loss: float
    """Of the true expectation: a forecast can lose less only by luck."""
    rank_correlation: float
    """Spearman's, between estimates and true expectations; each row counts once."""
    knowable_loss: float | None = None
    """Of the ideal forecaster, who doesn't see the hidden draws (knowable.py)."""
    given_quality_loss: float | None = None
    """Of the ideal forecaster who also sees each product's quality."""

    @property
    def explained_share(self) -> float | None:
        """Return the share of the explainable gain over shrinkage that the model has.

        This share and the others are None where a small group of rows has no gain by chance.
        """
        return self._share(self.model_loss, self.truth_loss)

    @property
    def knowable_share(self) -> float | None:
        """Return the share of the explainable gain that the ideal forecaster has."""
        if self.knowable_loss is None:
            return None
        return self._share(self.knowable_loss, self.truth_loss)

    @property
    def explained_share_of_knowable(self) -> float | None:
        """Return the share of the ideal forecaster's gain that the model has."""
        if self.knowable_loss is None:
            return None
        return self._share(self.model_loss, self.knowable_loss)

    def _share(self, loss: float, least_loss: float) -> float | None:
        gain = self.shrinkage_loss - least_loss
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
    """Compare the estimates of rows with their true expectations; all of shape (rows,)."""

    def loss(estimate: FloatArray) -> float:
        return float(np.average(row_log_loss(label, estimate), weights=weight))

    return TruthComparison(
        rows=label.size,
        model_loss=loss(model),
        shrinkage_loss=loss(shrinkage),
        truth_loss=loss(truth),
        rank_correlation=float(spearmanr(model, truth).statistic),
        knowable_loss=None if knowable is None else loss(knowable.by_evidence),
        given_quality_loss=None if knowable is None else loss(knowable.given_quality),
    )


def look_up_expectations(
    truth: Truth, training_set: TrainingSet, rows: IntArray, target: Target
) -> FloatArray:
    """Return the true expectations of rows of the training set, NaN where the truth has none.

    A cold-start copy has the truth of the row that it copies.
    """
    listings = training_set.keys["listing_id"]
    requested = pd.MultiIndex.from_arrays(
        [np.array(listings.names, object)[listings.codes[rows]], training_set.as_of_day[rows]]
    )
    moments = truth.moments().select(["listing_id", "as_of_day", EXPECTED[target]]).to_pandas()
    keys = pd.MultiIndex.from_arrays([moments["listing_id"].astype(object), moments["as_of_day"]])
    known = pd.Series(moments[EXPECTED[target]].to_numpy(), index=keys)
    return np.asarray(known.reindex(requested).to_numpy(), np.float64)
