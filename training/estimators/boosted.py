"""The estimators that boost: `SellThroughModel` and `ReturnRiskModel`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from pydantic import ValidationError

from features.declarations.targets import Target
from features.runtime.settings import SHOULD_BE
from features.runtime.text import escape
from training.encoding.input_table import InputTable
from training.encoding.target_encoder import LabelledRows
from training.estimator_errors import InvalidParameterError, UnknownColumnsError
from training.estimators.base import ShareModel
from training.estimators.boosted_shares import BoostedShares, BoostingConfig, boost_shares
from training.estimators.parameters import (
    ANY_NUMBER,
    KNOWN_SHARE,
    NON_NEGATIVE,
    RandomState,
    parse_name,
    parse_signs,
    refuse_learning_from_order,
)
from training.settings import TrainingSettings

BOOSTER_SETTINGS: Final = ("boosters", "trees", "leaves", "learning_rate", "min_samples_leaf")


class BoostedShareModel(ShareModel):
    """Predict a share by shrinkage along `groups`, corrected by small boosters.

    Columns of text, objects or categories are encoded by codes and by shrunken means, out of fold
    while fitting; unseen levels are missing. `monotone` maps columns of numbers to 1 (the share
    never falls as they grow) or -1 (it never rises). With a number as `random_state` the result
    depends on nothing but the rows, their order, and the parameters.

    `known_share` is the share of the rows that boosters see with all their levels known. They see
    the other rows as rows of an unseen level, and so learn how to predict one.
    """

    _target_name: ClassVar[Target]

    def __init__(  # noqa: PLR0913 - scikit-learn has all parameters here, one by one
        self,
        *,
        groups: Sequence[str] | None = (),
        monotone: Mapping[str, int] | None = None,
        boosters: int = 5,
        trees: int = 200,
        leaves: int = 15,
        learning_rate: float = 0.04,
        min_samples_leaf: int = 40,
        leaf_ridge: float = 20.0,
        known_share: float = 0.5,
        min_positives: int = 20,
        calibration_share: float = 0.2,
        calibration_groups: str | None = None,
        calibration_order: str | None = None,
        random_state: RandomState = 0,
    ) -> None:
        self.groups = groups
        self.monotone = monotone
        self.boosters = boosters
        self.trees = trees
        self.leaves = leaves
        self.learning_rate = learning_rate
        self.min_samples_leaf = min_samples_leaf
        self.leaf_ridge = leaf_ridge
        self.known_share = known_share
        self.min_positives = min_positives
        self.calibration_share = calibration_share
        self.calibration_groups = calibration_groups
        self.calibration_order = calibration_order
        self.random_state = random_state

    @property
    def _target(self) -> Target:
        return self._target_name

    def _fit_forecaster(self, table: InputTable, rows: LabelledRows) -> BoostedShares:
        return boost_shares(table, rows, self.boosting())

    def boosting(self) -> BoostingConfig:
        """Return the configuration of the boosters; the columns must be known."""
        return BoostingConfig(
            settings=self._settings(),
            leaf_ridge=self.leaf_ridge,
            known_share=self.known_share,
            path=self._path(),
            monotone=self._monotone_signs(),
        )

    def _settings(self) -> TrainingSettings:
        given = {name: getattr(self, name) for name in BOOSTER_SETTINGS}
        for name, value in given.items():
            ANY_NUMBER.refuse_invalid(name, value)
        try:
            return TrainingSettings(**given, random_state=self.seed_)
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            should_be = first["msg"].removeprefix(SHOULD_BE)
            shown = escape(str(first["input"]))
            raise InvalidParameterError(name, shown, requirement=should_be) from error

    def _monotone_signs(self) -> tuple[int, ...]:
        """Return the sign of each column of numbers."""
        signs, numbers = parse_signs(self.monotone), list(self.reader_.fill_values)
        unknown = [name for name in signs if name not in numbers]
        if unknown:
            raise UnknownColumnsError("monotone", unknown, numbers)
        return tuple(signs.get(name, 0) for name in numbers)

    def _check_parameters(self, columns: Sequence[str]) -> None:
        super()._check_parameters(columns)
        self._settings()
        order = parse_name("calibration_order", self.calibration_order)
        refuse_learning_from_order(order, "monotone", list(parse_signs(self.monotone)))
        KNOWN_SHARE.refuse_invalid("known_share", self.known_share)
        NON_NEGATIVE.refuse_invalid("leaf_ridge", self.leaf_ridge)


class SellThroughModel(BoostedShareModel):
    """Predict the share of offered units that sell; sample weights are offered units, or 1."""

    _target_name = "sell_through"


class ReturnRiskModel(BoostedShareModel):
    """Predict the share of sold units that come back; sample weights are units sold.

    An interval contains the share that comes back of the units expected to sell, which
    `predict_interval` takes as `units`.
    """

    _target_name = "return_risk"
