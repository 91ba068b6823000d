"""The estimators that boost: `SellThroughModel` and `ReturnRiskModel`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import numpy as np
import pandas as pd
from pydantic import ValidationError

from features.declarations.targets import Target
from features.runtime.arrays import BoolArray
from features.runtime.settings import SHOULD_BE
from features.runtime.text import escape
from training.encoding.input_table import InputTable
from training.encoding.target_encoder import LabelledRows
from training.estimator_errors import (
    InvalidParameterError,
    NothingToHoldBackError,
    UnknownColumnsError,
)
from training.estimators.base import ShareModel
from training.estimators.boosted_shares import (
    BoostedShares,
    BoostingConfig,
    WeighedMember,
    boost_shares,
)
from training.estimators.choose_members import Validation, can_validate, split_clusters
from training.estimators.holdout import hold_out_latest
from training.estimators.parameters import (
    ANY_NUMBER,
    KNOWN_SHARE,
    NON_NEGATIVE,
    RandomState,
    parse_name,
    parse_signs,
    refuse_learning_from_order,
    refuse_no_flag,
)
from training.portfolio.members import (
    ENCODINGS,
    ENCODINGS_OF_UNSEEN_LEVELS,
    PORTFOLIO,
    SINGLE,
    Member,
)
from training.settings import TrainingSettings

CAPACITY: Final = ("trees", "leaves", "learning_rate", "min_samples_leaf", "leaf_ridge")
"""Parameters that fix what validation would choose; None leaves the choice."""
BOOSTER_SETTINGS: Final = ("boosters", *CAPACITY)
KNOWN_SHARE_WITH_GROUPS: Final = 0.5
NOT_VALIDATED: Final = (
    "The boosters' capacity is the default, for too few rows were left to validate others."
)


class BoostedShareModel(ShareModel):
    """Predict a share by an average of small boosters that correct shrinkage.

    Boosters differ in their capacity and in how they see columns of text, objects or categories.
    Validation on the rows of fit chooses among a declared portfolio
    (training/portfolio/members.py) and weighs the members; it judges rows of whole groups with
    `calibration_groups`, later rows with `calibration_order`. `trees`, `leaves`, `learning_rate`,
    `min_samples_leaf` and `leaf_ridge` fix a part of that choice for all members. `quick` takes one
    member without validation, in a third of the time or less. `boosters` is the number of boosters
    that the members share by their weights.

    Labels of a row never encode it; unseen levels are missing. `known_share` is the share of the
    rows that boosters see, and are judged by, with all their levels known. They see the other rows
    as rows of an unseen level, and so learn how to predict one. By default it is 0.5 with `groups`
    or `calibration_groups`, and 1 without, where only the levels that other folds lack are unseen.

    `monotone` maps columns of numbers to 1 (the share never falls as they grow) or -1 (it never
    rises). With a number as `random_state` the result depends on nothing but the rows, their order,
    and the parameters.

    Attributes:
        members_: the members that were chosen, with their trees and weights.
    """

    _target_name: ClassVar[Target]

    def __init__(  # noqa: PLR0913 - scikit-learn has all parameters here, one by one
        self,
        *,
        groups: Sequence[str] | None = (),
        monotone: Mapping[str, int] | None = None,
        quick: bool = False,
        boosters: int = 5,
        trees: int | None = None,
        leaves: int | None = None,
        learning_rate: float | None = None,
        min_samples_leaf: int | None = None,
        leaf_ridge: float | None = None,
        known_share: float | None = None,
        min_positives: int = 20,
        calibration_share: float = 0.2,
        calibration_groups: str | None = None,
        calibration_order: str | None = None,
        random_state: RandomState = 0,
    ) -> None:
        self.groups = groups
        self.monotone = monotone
        self.quick = quick
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

    def _choose_model(self, frame: pd.DataFrame, table: InputTable, rows: LabelledRows) -> None:
        """Choose the members on the rows that aren't held back."""
        single = self._fix_capacity(SINGLE)
        self.members_: tuple[WeighedMember, ...] = (WeighedMember(single, 1.0),)
        if self.quick:
            return
        folds = self._split_folds(frame)
        if not can_validate(rows.share, folds):
            self.notes_ = (*self.notes_, NOT_VALIDATED)
            return
        validation = Validation(table, rows, folds, self._judged_known_share(), self.boosting())
        self.members_ = validation.choose(self._portfolio(has_categories=bool(table.codes.size)))

    def _fit_forecaster(self, table: InputTable, rows: LabelledRows) -> BoostedShares:
        return boost_shares(table, rows, self.boosting(), self.members_)

    def boosting(self) -> BoostingConfig:
        """Return the configuration of the boosters; the columns must be known."""
        return BoostingConfig(
            settings=self._settings(),
            known_share=self._known_share(),
            path=self._path(),
            monotone=self._monotone_signs(),
        )

    def _portfolio(self, *, has_categories: bool) -> tuple[Member, ...]:
        """Return the members to choose from, each once, with the parameters that are fixed."""
        encodings = ENCODINGS_OF_UNSEEN_LEVELS if self._known_share() < 1 else ENCODINGS
        if not has_categories:
            encodings = encodings - {"effects_and_codes"}
        members = [self._fix_capacity(one) for one in PORTFOLIO if one.encoding in encodings]
        return tuple(dict.fromkeys(members))

    def _fix_capacity(self, member: Member) -> Member:
        settings = self._settings()
        is_fixed = {name: getattr(self, name) is not None for name in CAPACITY}
        return member.fix(
            **{name: getattr(settings, name) if fixed else None for name, fixed in is_fixed.items()}
        )

    def _known_share(self) -> float:
        if self.known_share is not None:
            return self.known_share
        expects_new = self._group_names() or self.calibration_groups is not None
        return KNOWN_SHARE_WITH_GROUPS if expects_new else 1.0

    def _judged_known_share(self) -> float:
        """Return the share of rows to judge with all levels known; whole groups are unseen."""
        return 1.0 if self.calibration_groups is not None else self._known_share()

    def _split_folds(self, frame: pd.DataFrame) -> list[BoolArray]:
        if self.calibration_order is None:
            return split_clusters(self._cluster_rows(frame), np.random.default_rng(self.seed_))
        try:
            return [hold_out_latest(frame[self.calibration_order], self.calibration_share)]
        except NothingToHoldBackError:  # the rows before those held back are of one moment
            return []

    def _settings(self) -> TrainingSettings:
        given = {name: getattr(self, name) for name in BOOSTER_SETTINGS}
        given = {
            name: value for name, value in given.items() if value is not None or name == "boosters"
        }
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
        if self.leaf_ridge is not None:
            NON_NEGATIVE.refuse_invalid("leaf_ridge", self.leaf_ridge)
        self._settings()
        order = parse_name("calibration_order", self.calibration_order)
        refuse_learning_from_order(order, "monotone", list(parse_signs(self.monotone)))
        if self.known_share is not None:
            KNOWN_SHARE.refuse_invalid("known_share", self.known_share)
        refuse_no_flag("quick", self.quick)


class SellThroughModel(BoostedShareModel):
    """Predict the share of offered units that sell; sample weights are offered units, or 1."""

    _target_name = "sell_through"


class ReturnRiskModel(BoostedShareModel):
    """Predict the share of sold units that come back; sample weights are units sold.

    An interval contains the share that comes back of the units expected to sell, which
    `predict_interval` takes as `units`.
    """

    _target_name = "return_risk"
