"""The estimator that only pools rates, as a baseline for boosters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from features.declarations.targets import TARGETS, Target
from training.encoding.input_table import InputTable
from training.encoding.target_encoder import LabelledRows
from training.estimators.base import ShareModel
from training.estimators.parameters import RandomState, refuse_unknown_choice
from training.estimators.share_calibrator import RawShares
from training.shrinkage.group_rates import ShrunkenRates
from training.shrinkage.variance_components import Variances


@dataclass(frozen=True)
class PooledShares:
    """The shrunken rates of a path of columns."""

    rates: ShrunkenRates
    path: tuple[int, ...]

    @property
    def variances(self) -> Variances:
        """Return how much rows differ, by chance and beyond it."""
        return self.rates.variances

    def predict(self, table: InputTable) -> RawShares:
        """Return each row's narrowest rate."""
        evidence = self.rates.look_up(table.codes[:, self.path])
        return RawShares(evidence.estimate, evidence.is_cold)


class ShrinkageModel(ShareModel):
    """Predict a share by empirical-Bayes shrinkage along `groups`, columns from wide to narrow.

    The strength of each level's shrinkage is learned in `fit`. Other columns aren't used.

    >>> import pandas as pd
    >>> X = pd.DataFrame({"maker": ["a", "b"] * 20})
    >>> model = ShrinkageModel(groups=["maker"], min_positives=1).fit(X, [0.1, 0.4] * 20)
    >>> model.predict(pd.DataFrame({"maker": ["a", "b", "new"]})).round(2).tolist()
    [0.1, 0.4, 0.25]
    """

    def __init__(  # noqa: PLR0913 - scikit-learn has all parameters here, one by one
        self,
        *,
        groups: Sequence[str] | None = (),
        target: Target = "sell_through",
        min_positives: int = 20,
        calibration_share: float = 0.2,
        calibration_groups: str | None = None,
        calibration_order: str | None = None,
        random_state: RandomState = 0,
    ) -> None:
        self.groups = groups
        self.target = target
        self.min_positives = min_positives
        self.calibration_share = calibration_share
        self.calibration_groups = calibration_groups
        self.calibration_order = calibration_order
        self.random_state = random_state

    @property
    def _target(self) -> Target:
        return self.target

    def _check_parameters(self, columns: Sequence[str]) -> None:
        super()._check_parameters(columns)
        refuse_unknown_choice("target", self.target, TARGETS)

    def _fit_forecaster(self, table: InputTable, rows: LabelledRows) -> PooledShares:
        path = self._path()
        codes = table.codes[:, path]
        return PooledShares(ShrunkenRates.fit(codes, rows.share, rows.trials), path)
