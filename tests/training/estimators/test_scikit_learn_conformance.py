"""scikit-learn's own list of checks.

They use labels of any size, and no tag says that labels must be shares. So the checks run on
subclasses that bring labels into [0, 1] and predictions back, as TransformedTargetRegressor does;
everything else is the estimators' own. That labels outside are refused is tested beside this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from features.runtime.arrays import FloatArray
from training.estimators.base import ShareModel
from training.estimators.boosted import ReturnRiskModel, SellThroughModel
from training.estimators.shrinkage import ShrinkageModel


class _OnAnyScale(ShareModel):
    def fit(self, X: object, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:  # noqa: N803 - its signature
        labels = np.asarray(y)
        if labels.dtype == object and labels.ndim and all(isinstance(one, int) for one in labels):
            labels = labels.astype(float)
        if not np.issubdtype(labels.dtype, np.number) or np.iscomplexobj(labels):
            return super().fit(X, y, sample_weight)
        if labels.size and np.isfinite(labels).all():
            self.least_, self.range_ = float(labels.min()), float(np.ptp(labels)) or 1.0
            labels = np.clip((labels - self.least_) / self.range_, 0, 1)
        return super().fit(X, labels, sample_weight)

    def predict(self, X: object) -> FloatArray:  # noqa: N803 - likewise
        return super().predict(X) * self.range_ + self.least_


class SellThrough(_OnAnyScale, SellThroughModel):
    pass


class ReturnRisk(_OnAnyScale, ReturnRiskModel):
    pass


class Shrinkage(_OnAnyScale, ShrinkageModel):
    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        # Without `groups`, which arrays of numbers don't suggest, it predicts the mean.
        tags.regressor_tags.poor_score = True
        return tags


SMALL: dict[str, Any] = {
    "min_samples_leaf": 1,
    "leaf_ridge": 0.0,
    "learning_rate": 0.3,
    "min_positives": 1,
}
MODELS = [
    SellThrough(boosters=1, trees=30, **SMALL),
    ReturnRisk(quick=True, boosters=2, trees=30, **SMALL),
    Shrinkage(min_positives=1),
]


def _expected_to_fail(_: ShareModel) -> dict[str, str]:
    return {
        "check_sample_weight_equivalence_on_dense_data": (
            "rows are held back and put into folds by their place: a repeated row may be in two "
            "folds, one with twice the weight can't"
        )
    }


@parametrize_with_checks(  # type: ignore[untyped-decorator]  # scikit-learn has no types
    MODELS, expected_failed_checks=_expected_to_fail
)
def test_estimator_meets_scikit_learns_check(
    estimator: ShareModel, check: Callable[[ShareModel], None]
) -> None:
    check(estimator)
