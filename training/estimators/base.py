"""What the estimators have in common: checks, a slice held back, calibration and intervals."""

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
from training.encoding.data_frames import ColumnNames, as_frame
from training.encoding.input_table import InputTable, TableReader
from training.encoding.target_encoder import LabelledRows
from training.estimator_errors import ParameterError, TooFewRowsToFitError
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
    """Put all attributes back if the block raises: half of a new fit would read tables wrongly.

    Attributes that are replaced or deleted are put back, whoever does it (scikit-learn's checks
    too); what is changed inside one of them isn't.
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
    "Intervals aren't for rows of unseen groups, and lists leave them out: no row held back is of "
    "one. Name calibration_groups to hold back groups in full."
)


class ShareModel(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Predict a share of each row of any table, with an interval; subclasses say how.

    A slice of the rows is held back, on which intervals are sized and, if it has 2,000 rows (of
    10,000 by the default `calibration_share`), predictions calibrated; in a smaller one a curve
    costs more than it mends. Then the model is fitted again, on all rows: on the products of
    Complete Journey that raised R² from 0.277 to 0.283, and intervals covered 80.4 % of new
    products instead of 80.2 %.

    Attributes:
        notes_: what was left out or merged for want of rows, in sentences.
        seed_: the number that the fit drew at random with; as `random_state` it repeats the fit.
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
        """Return what refusals call the labels."""

    @abstractmethod
    def _fit_forecaster(self, table: InputTable, rows: LabelledRows) -> Forecaster:
        """Learn from rows that have passed all checks."""

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:  # noqa: ANN401, N803 - scikit-learn's signature
        """Learn the shares `y` (0 to 1) of a table's rows; weights are numbers of trials.

        A fit that is refused changes nothing: what an earlier one learned stays, though numbers
        drawn from a `random_state` are spent. While a fit is under way, no thread can predict.

        Raises:
            InputError: the table, labels or weights can't be used; a ValueError, as all of these.
            ParameterError: a parameter is out of range or names an unknown column.
            UnlearnableTargetError: all labels are the same, or hardly any is above 0.
        """
        with restore_on_error(self):
            return self._fit(X, y, sample_weight)

    def predict(self, X: Any) -> FloatArray:  # noqa: ANN401, N803 - likewise
        """Return the estimated share of each row, shape (rows,), within 0 and 1.

        Names and order of columns must be those of fit; those of an array have none but their
        places. One that had no value in fit counts as missing, whatever it holds. A column of which
        no value is of a kind seen in fit is refused; of another one, what wasn't seen is missing.

        Raises:
            ValueError: a column is missing, too much or out of order, as scikit-learn says it.
            InputError: a column has another name than in fit, or holds what it can't have held.
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
        """Return low and high that hold a new row's share with probability `coverage`.

        Both of shape (rows,) and within 0 and 1, the estimate between them. The share is the one
        that will be *realised* among the row's units, not the chance behind it: of three units
        sold one or none comes back, whatever the risk, so that few units widen an interval.
        `units` says how many are expected, one number or one a row; less than 1 counts as 1.
        Without it, intervals are for rows of which that isn't known, and are too narrow for those
        of few units and too wide for those of many. The promise is kept on average over rows that
        come as the rows held back came (split conformal prediction): for new groups, name
        `calibration_groups`.

        Raises:
            ParameterError: `coverage` isn't between 0 and 1.
            BadUnitsError: a number of units is missing, infinite or negative.
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

        Bad is a sell-through under `threshold`, by default 0.5, or a return risk over it, by
        default 0.2, as it will be realised. The best of many estimates are best partly by error, so
        rows are compared with those held back (conformal selection, serving/scoring/selection.py).
        The promise is an average over lists, for rows that come as the rows held back came; those
        of one of `calibration_groups` count for less as far as they come out alike. Rows of unseen
        groups are chosen only if 200 such rows were held back, for which `calibration_groups` is.

        Raises:
            UnusableAskError: a share or threshold out of range.
        """
        usual = TrainingSettings().threshold(self._target)
        request = SelectionRequest(
            target=self._target,
            threshold=usual if threshold is None else threshold,
            bad_share=bad_share,
        )
        raw = self._predict_raw(X)
        return self.calibrator_.select(raw, request)

    def _fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None) -> Self:  # noqa: ANN401, N803 - likewise
        frame = as_frame(X)
        self.columns_ = ColumnNames.infer(X, frame)
        validate_data(self, X, skip_check_array=True)
        trials = validate_trials(sample_weight, len(frame))
        is_used = trials > 0
        if is_used.sum() < MIN_ROWS:
            raise TooFewRowsToFitError(needed=MIN_ROWS, found=int(is_used.sum()))
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
        held = self._choose_holdout(frame, rng)
        refuse_unlearnable(self._target, TRAIN, share[~held], min_positives=1)
        rows = LabelledRows(table.codes, share, trials)
        partial = self._fit_forecaster(table.take(~held), rows.take(~held))
        raw, calibrating = partial.predict(table.take(held)), rows.take(held)
        slice_ = HoldoutRows(
            raw=raw,
            share=calibrating.share,
            trials=calibrating.trials,
            clusters=self._cluster_rows(frame)[held],
        )
        self.calibrator_ = ShareCalibrator.fit(slice_, partial.variances, rng)
        self.notes_ = self.calibrator_.notes
        if self._group_names() and not raw.is_cold.any():
            self.notes_ = (*self.notes_, NO_UNSEEN_GROUP)
        self.forecaster_ = self._fit_forecaster(table, rows)
        return self

    def _predict_raw(self, X: Any) -> RawShares:  # noqa: ANN401, N803 - likewise
        check_is_fitted(self, "forecaster_")
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
        """Return a number for each group of rows that may come out alike, shape (rows,)."""
        if self.calibration_groups is None:
            return np.arange(len(frame))
        column = frame[self.calibration_groups].astype(object)
        return np.asarray(pd.factorize(column, use_na_sentinel=False)[0], np.int64)

    def _model_inputs(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return what is learned from; a moment to order by is none: new rows are beyond it."""
        return frame.drop(columns=[self.calibration_order] if self.calibration_order else [])

    def _path(self) -> tuple[int, ...]:
        """Return the places of `groups` among the columns of categories."""
        names = list(self.reader_.categories)
        return tuple(names.index(name) for name in self._group_names())

    def _group_names(self) -> tuple[str, ...]:
        return parse_names("groups", self.groups)

    def _check_parameters(self, columns: Sequence[str]) -> None:
        groups = self._group_names()
        apart = parse_name("calibration_groups", self.calibration_groups)
        order = parse_name("calibration_order", self.calibration_order)
        refuse_unknown_columns("groups", groups, columns)
        refuse_unknown_columns("calibration_groups", apart, columns)
        refuse_unknown_columns("calibration_order", order, columns)
        refuse_learning_from_order(order, "groups", groups)
        _refuse_both(apart, order)
        _refuse_order_alone(order, columns)
        HOLDOUT_SHARE.refuse_invalid("calibration_share", self.calibration_share)
        NON_NEGATIVE.refuse_invalid("min_positives", self.min_positives)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def _refuse_both(apart: Sequence[str], order: Sequence[str]) -> None:
    if apart and order:
        raise ParameterError(
            "calibration_order",
            expected="one of calibration_groups and calibration_order",
            found="both",
        )


def _refuse_order_alone(order: Sequence[str], columns: Sequence[str]) -> None:
    if list(order) == list(columns):
        raise ParameterError(
            "calibration_order",
            expected="columns to learn from beside that of calibration_order",
            found="none",
        )
