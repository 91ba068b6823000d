"""The base class of the estimators: checks, a slice held back, calibration and intervals."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from features.declarations.targets import Target
from features.runtime.arrays import BoolArray, FloatArray, IntArray
from serving.scoring.selection import Selection, SelectionRequest
from training.data.sample import refuse_unlearnable
from training.data.time_split import TRAIN
from training.encoding.data_frames import ColumnNames, as_frame, read_arrow
from training.encoding.input_table import InputTable, TableReader
from training.encoding.target_encoder import LabelledRows
from training.estimator_errors import (
    NothingToLearnFromError,
    TooFewRowsToFitError,
    TwoHoldoutColumnsError,
)
from training.estimators.holdout import hold_out_groups, hold_out_latest, hold_out_random
from training.estimators.parameters import (
    COVERAGE,
    HOLDOUT_SHARE,
    NON_NEGATIVE,
    RandomState,
    parse_name,
    parse_names,
    refuse_learning_from_order,
    refuse_unknown_columns,
    resolve_seed,
)
from training.estimators.share_calibrator import (
    Forecaster,
    HoldoutRows,
    RawShares,
    ShareCalibrator,
)
from training.estimators.targets import validate_shares, validate_trials, validate_units
from training.settings import TrainingSettings


@contextmanager
def restore_on_error(estimator: object) -> Iterator[None]:
    """Restore all attributes if the block raises, because half of a new fit reads tables wrongly.

    Attributes that were replaced or deleted are restored, by scikit-learn's checks too; changes
    inside an attribute aren't undone.
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


MIN_ROWS: Final = 5
NO_UNSEEN_GROUP: Final = (
    "Intervals don't hold for rows of unseen groups, and selections leave such rows out: no row "
    "held back is in an unseen group. Set calibration_groups to hold back whole groups."
)


class ShareModel(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Predict a share for each row of any table, with an interval; subclasses fit the model.

    A slice of the rows is held back to fit intervals and, if it has at least 2,000 rows (of 10,000
    with the default `calibration_share`), a calibration curve; a smaller slice is too noisy for a
    curve (docs/decisions/smallest-calibration-slice.md). Then the model is fitted again on all rows
    (docs/decisions/refit-on-all-rows.md).

    Attributes:
        notes_: sentences about what was left out or merged because rows are few.
        seed_: the seed of the fit; the same number as `random_state` repeats the fit.
    """

    groups: Sequence[str] | None
    min_positives: int
    calibration_share: float
    calibration_groups: str | None
    calibration_order: str | None
    random_state: RandomState

    @property
    @abstractmethod
    def _target(self) -> Target:
        """Return the target that errors name."""

    def _choose_model(self, frame: pd.DataFrame, table: InputTable, rows: LabelledRows) -> None:
        """Choose what `_fit_forecaster` fits, on rows that aren't held back; add to `notes_`."""

    @abstractmethod
    def _fit_forecaster(self, table: InputTable, rows: LabelledRows) -> Forecaster:
        """Fit the model to rows that have passed all checks."""

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:  # noqa: ANN401, N803 - scikit-learn's signature
        """Fit the shares `y` (0 to 1) of a table's rows; sample weights are numbers of trials.

        A refused fit changes nothing: the results of an earlier fit stay, though numbers drawn from
        a `random_state` are used up. Don't predict in another thread during a fit.

        Raises:
            InputError: the table, labels or weights can't be used; like the others a ValueError.
            ParameterError: a parameter is out of range or names an unknown column.
            UnlearnableTargetError: all labels are the same, or hardly any is above 0.
        """
        with restore_on_error(self):
            return self._fit(X, y, sample_weight)

    def predict(self, X: Any) -> FloatArray:  # noqa: ANN401, N803 - likewise
        """Return the estimated share of each row, shape (rows,), within 0 and 1.

        Columns must have the names and the order of fit; the columns of an array are matched by
        position. A column without any value in fit counts as missing. Values that fit hasn't seen
        are missing, but a column is refused if none of its values is of a kind seen in fit.

        Raises:
            ValueError: a column is missing, extra or out of order, in scikit-learn's words.
            InputError: a column has another name than in fit, or values of another kind.
        """
        raw = self._predict_raw(X)
        return self.calibrator_.estimate(raw)

    def predict_interval(
        self,
        X: Any,  # noqa: ANN401, N803 - likewise
        coverage: float = 0.8,
        *,
        units: ArrayLike | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """Return low and high that contain a new row's share with probability `coverage`.

        Both have shape (rows,) and lie within 0 and 1, with the estimate between them. The share is
        the one that will be *realised* among the row's units, not the probability behind it: of
        three units sold none or one comes back, whatever the risk, so that few units widen an
        interval. `units` is the expected number of units, one number or one a row; less than 1
        counts as 1. Without `units`, intervals are too narrow for rows of few units and too wide
        for rows of many. The coverage holds on average over rows like those held back (split
        conformal prediction): for new groups, set `calibration_groups`.

        Raises:
            ParameterError: `coverage` isn't between 0 and 1.
            InvalidUnitsError: a number of units is missing, infinite or negative.
            UnitsUnknownError: units are given to a model that was fitted on rows of equal weight.
        """
        COVERAGE.refuse_invalid("coverage", coverage)
        raw = self._predict_raw(X)
        if units is None:
            return self.calibrator_.interval(raw, coverage)
        return self.calibrator_.interval(raw, coverage, validate_units(units, raw.share.size))

    def select(
        self,
        X: Any,  # noqa: ANN401, N803 - likewise
        bad_share: float = 0.1,
        *,
        threshold: float | None = None,
    ) -> Selection:
        """Choose rows such that at most `bad_share` of the list is expected to turn out bad.

        A row is bad if its realised sell-through is under `threshold` (0.5 by default), or its
        realised return risk over it (0.2 by default). The best of many estimates are best partly by
        error, so rows are compared with those held back (conformal selection,
        serving/scoring/selection.py). The bound holds on average over lists of rows like those held
        back. Rows of one of `calibration_groups` have similar outcomes and count for less. Rows of
        unseen groups are chosen only if at least 200 such rows were held back: set
        `calibration_groups` to hold them back.

        Raises:
            InvalidSelectionError: a share or threshold is out of range.
        """
        default = TrainingSettings().threshold(self._target)
        request = SelectionRequest(
            target=self._target,
            threshold=default if threshold is None else threshold,
            bad_share=bad_share,
        )
        raw = self._predict_raw(X)
        return self.calibrator_.select(raw, request)

    def _fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None) -> Self:  # noqa: ANN401, N803 - likewise
        X = read_arrow(X)  # noqa: N806 - likewise
        frame = as_frame(X)
        self.columns_ = ColumnNames.infer(X, frame)
        validate_data(self, X, skip_check_array=True)
        trials = validate_trials(sample_weight, len(frame))
        is_used = trials > 0
        if is_used.sum() < MIN_ROWS:
            raise TooFewRowsToFitError(needed=MIN_ROWS, rows=int(is_used.sum()))
        share = validate_shares(y, len(frame))
        self.seed_ = resolve_seed(self.random_state)
        self._check_parameters(list(frame.columns))
        return self._fit_valid_rows(frame[is_used], share[is_used], trials[is_used])

    def _fit_valid_rows(self, frame: pd.DataFrame, share: FloatArray, trials: FloatArray) -> Self:
        refuse_unlearnable(self._target, TRAIN, share, min_positives=self.min_positives)
        inputs = self._model_inputs(frame)
        self.reader_ = TableReader.infer(inputs, self._group_names())
        table = self.reader_.read(inputs)
        rng = np.random.default_rng(self.seed_)
        is_held = self._choose_holdout(frame, rng)
        refuse_unlearnable(self._target, TRAIN, share[~is_held], min_positives=1)
        rows = LabelledRows(table.codes, share, trials)
        self.notes_: tuple[str, ...] = ()
        self._choose_model(frame[~is_held], table.take(~is_held), rows.take(~is_held))
        partial = self._fit_forecaster(table.take(~is_held), rows.take(~is_held))
        raw = partial.predict(table.take(is_held))
        held = HoldoutRows(
            raw=raw,
            share=share[is_held],
            trials=trials[is_held],
            clusters=self._cluster_rows(frame)[is_held],
        )
        self.calibrator_ = ShareCalibrator.fit(held, partial.variances, rng)
        self.notes_ = (*self.notes_, *self.calibrator_.notes)
        if self._group_names() and not raw.is_cold.any():
            self.notes_ = (*self.notes_, NO_UNSEEN_GROUP)
        self.forecaster_ = self._fit_forecaster(table, rows)
        return self

    def _predict_raw(self, X: Any) -> RawShares:  # noqa: ANN401, N803 - likewise
        check_is_fitted(self, "forecaster_")
        X = read_arrow(X)  # noqa: N806 - likewise
        frame = as_frame(X)
        validate_data(self, X, skip_check_array=True, reset=False)
        frame = self.columns_.rename(frame, ColumnNames.infer(X, frame))
        return self.forecaster_.predict(self.reader_.read(frame))

    def _choose_holdout(self, frame: pd.DataFrame, rng: np.random.Generator) -> BoolArray:
        if self.calibration_groups is not None:
            return hold_out_groups(frame[self.calibration_groups], self.calibration_share, rng)
        if self.calibration_order is not None:
            return hold_out_latest(frame[self.calibration_order], self.calibration_share)
        return hold_out_random(len(frame), self.calibration_share, rng)

    def _cluster_rows(self, frame: pd.DataFrame) -> IntArray:
        """Return a number for each group of rows with similar outcomes, shape (rows,)."""
        if self.calibration_groups is None:
            return np.arange(len(frame))
        column = frame[self.calibration_groups].astype(object)
        return np.asarray(pd.factorize(column, use_na_sentinel=False)[0], np.int64)

    def _model_inputs(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the columns to learn from; new rows lie beyond all values of the order column."""
        return frame.drop(columns=[self.calibration_order] if self.calibration_order else [])

    def _path(self) -> tuple[int, ...]:
        """Return the positions of `groups` among the columns of categories."""
        names = list(self.reader_.categories)
        return tuple(names.index(name) for name in self._group_names())

    def _group_names(self) -> tuple[str, ...]:
        return parse_names("groups", self.groups)

    def _check_parameters(self, columns: Sequence[str]) -> None:
        groups = self._group_names()
        holdout_groups = parse_name("calibration_groups", self.calibration_groups)
        order = parse_name("calibration_order", self.calibration_order)
        refuse_unknown_columns("groups", groups, columns)
        refuse_unknown_columns("calibration_groups", holdout_groups, columns)
        refuse_unknown_columns("calibration_order", order, columns)
        refuse_learning_from_order(order, "groups", groups)
        if holdout_groups and order:
            raise TwoHoldoutColumnsError
        if list(order) == list(columns):
            raise NothingToLearnFromError
        HOLDOUT_SHARE.refuse_invalid("calibration_share", self.calibration_share)
        NON_NEGATIVE.refuse_invalid("min_positives", self.min_positives)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags
