"""Predict the targets from columns: the part below look-up, shared by serving and evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from features.catalogue.catalogue import Catalogue
from features.declarations.targets import Target
from features.runtime.arrays import BoolArray, FloatArray, IntArray
from serving.conformal.cells import IntervalContext, build_interval_context, expected_orders
from serving.errors import BrokenFileError
from serving.prediction.outlook import Outlook
from serving.prediction.target_model import TargetModel, servable_targets


@dataclass(frozen=True)
class Models:
    """Everything that turns columns into predictions: a model for each target, and parameters.

    `targets` has sell-through, and return risk if the training data had returns.
    """

    catalogue: Catalogue
    parameters: Mapping[str, float]
    targets: Mapping[Target, TargetModel]

    def __post_init__(self) -> None:
        """Refuse models that don't fit the catalogue."""
        servable_targets("the models", self.targets)
        if set(self.parameters) != set(self.catalogue.parameters):
            raise BrokenFileError(
                "the pooling parameters", f"they have the names {sorted(self.parameters)}"
            )
        for model in self.targets.values():
            for booster in model.boosters:
                if booster.feature_names != self.catalogue.model_inputs:
                    raise BrokenFileError(
                        f"a booster of {model.target}", "its input columns aren't the catalogue's"
                    )


@dataclass(frozen=True)
class Prediction:
    """Calibrated estimates of one target with intervals, each of shape (rows,), in [0, 1]."""

    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    coverage: float
    """The share of outcomes that the intervals should cover."""
    is_merged: BoolArray
    """Whether a row's interval uses a wider cell than its own (serving/conformal/cells.py)."""


@dataclass(frozen=True)
class Predictions:
    """The predictions of all targets, with the inputs that explain them."""

    matrix: FloatArray
    """The design matrix, shape (rows, inputs)."""
    own_evidence: IntArray
    """Index of each row's own evidence in `serving.conformal.cells.EVIDENCE_AMOUNTS`, (rows,)."""
    demand: FloatArray
    """Expected demand as a multiple of the usual one, shape (rows,)."""
    targets: Mapping[Target, Prediction]

    @property
    def score(self) -> FloatArray | None:
        """Return the ranking number: kept sell-through = sell-through x (1 - return risk).

        None if return risk isn't predicted, because then nobody knows which units stay sold.
        """
        if "return_risk" not in self.targets:
            return None
        return self.targets["sell_through"].estimate * (1 - self.targets["return_risk"].estimate)


def predict(
    models: Models,
    columns: Mapping[str, FloatArray],
    markets: Sequence[str],
    *,
    coverage: float,
    demand: FloatArray,
) -> Predictions:
    """Predict all targets for rows given as columns.

    A row's result doesn't depend on the other rows.

    Args:
        models: the models of a bundle.
        columns: every base feature and request field of the catalogue by name, float64 of shape
            (rows,), null as NaN.
        markets: the market of each row.
        coverage: the coverage of the intervals, in (0, 1).
        demand: expected demand as a multiple of the usual one, shape (rows,)
            (serving/prediction/seasonality.py).

    Raises:
        InvalidPredictionError: a model gives a value that isn't finite.
    """
    matrix = models.catalogue.design_matrix(columns, models.parameters)
    outlooks = {target: model.predict(matrix, demand) for target, model in models.targets.items()}
    ordered = expected_orders(columns["units_offered"], outlooks["sell_through"].share)
    context = build_interval_context(markets, columns, ordered)
    targets = {
        target: _add_interval(models.targets[target], outlook, context, coverage=coverage)
        for target, outlook in outlooks.items()
    }
    return Predictions(matrix=matrix, own_evidence=context.evidence, demand=demand, targets=targets)


def _add_interval(
    model: TargetModel, outlook: Outlook, context: IntervalContext, *, coverage: float
) -> Prediction:
    low, high = outlook.interval(context, coverage=coverage)
    is_merged = model.residuals.is_merged(context)
    return Prediction(
        estimate=outlook.share, low=low, high=high, coverage=coverage, is_merged=is_merged
    )
