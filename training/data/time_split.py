"""Split rows forward in time: train, then calibration, then the latest slice, with embargoes.

A target looks ahead. Slices that only follow each other in `as_of` would share outcomes: the labels
of the last training rows would hold what the features of the first calibration rows know already.
So each slice ends early enough for all its labels to be final when the next slice begins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from features.dataset.days import DaySpan
from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from features.runtime.arrays import BoolArray, IntArray
from training.data.cold_start_rows import has_full_history
from training.data.sample import Sample, final_rows, find_weight_limit, refuse_unlearnable
from training.data.training_set import TrainingSet
from training.errors import TooFewDaysError, TooFewRowsError
from training.settings import TrainingSettings

TRAIN: Final = "train"
CURVE_FIT: Final = "calibration"
RESIDUAL_FIT: Final = "conformal"
LATEST: Final = "latest"

MAX_ORIGINS: Final = 12
"""Most origins of a calibration slice. Each costs a fit, and more hardly change the calibration."""


@dataclass(frozen=True)
class ForwardSplit:
    """The days of the slices' moments, in the order of time."""

    train: DaySpan
    """The days whose outcomes were final at the first origin."""
    origins: tuple[DaySpan, ...]
    """The days that follow each origin of the calibration slice, the earliest first. Days without
    rows are among them."""
    latest: DaySpan

    @property
    def calibration(self) -> DaySpan:
        """Return the days of the calibration slice."""
        return DaySpan(self.origins[0].first, self.origins[-1].last)

    def learned_days(self, horizons: Horizons) -> DaySpan:
        """Return the days of the outcomes that models and their calibration learn from.

        Models learn the rows up to the last one of the calibration slice, whose outcomes end a
        horizon later.
        """
        return DaySpan(self.train.first + 1, self.calibration.last + horizons.horizon_days)


@dataclass(frozen=True)
class ForwardFold:
    """Rows that were final at an origin, and the rows after it that a fit on them predicts."""

    first_day: int
    """The first day that follows the origin."""
    learned: Sample
    predicted: Sample


@dataclass(frozen=True)
class TargetSplit:
    """A target's rows in slices.

    Models are fitted on `known`: all rows that are final when the latest slice begins. How far to
    trust them is learned from folds: at each origin of the calibration slice, a model of what was
    final by then predicts the rows that follow. The calibration slice is halved by product: the
    calibration curve is fitted on `curve_fit`, and its residuals are taken on `residual_fit`, which
    are other products. All slices but `latest` hold cold-start copies (cold_start_rows.py) too.
    """

    target: Target
    days: ForwardSplit
    train: Sample
    """Rows that were final at the first origin."""
    folds: tuple[ForwardFold, ...]
    """The origins that rows follow, the earliest first; at least one."""
    curve_fit: Sample
    residual_fit: Sample
    known: Sample
    latest: Sample
    latest_masked: Sample
    """Cold-start copies of latest rows, which are evaluated separately."""
    weight_limit: float
    """Most that a row weighs in any slice, learned from the training slice alone."""
    rows_limited: int
    """Rows that would weigh more, without copies."""

    @property
    def samples(self) -> Mapping[str, Sample]:
        """Return the slices by their names in reports."""
        return {
            TRAIN: self.train,
            CURVE_FIT: self.curve_fit,
            RESIDUAL_FIT: self.residual_fit,
            LATEST: self.latest,
        }

    def origins_back(self, rows: IntArray) -> IntArray:
        """Return how many origins before the last one rows of the calibration slice follow."""
        back = np.empty(1 + max(fold.predicted.rows.max() for fold in self.folds), np.int64)
        for number, fold in enumerate(reversed(self.folds)):
            back[fold.predicted.rows] = number
        return back[rows]


def forward_split(
    target: Target, as_of_day: IntArray, horizons: Horizons, settings: TrainingSettings
) -> ForwardSplit:
    """Split the moments of rows with a final label into slices.

    Origins of the calibration slice are as far apart as the latest slice is long. There are as many
    as `calibration_days` asks for, but at most `MAX_ORIGINS`, or fewer if the training slice of the
    first would be too short.

    Raises:
        TooFewDaysError: the days don't hold three slices and two embargoes.
    """
    maturity, length = horizons.maturity_days(target), settings.latest_days
    first, last = int(as_of_day.min()), int(as_of_day.max())
    latest = DaySpan(last - length + 1, last)
    end = latest.first - maturity
    spare = end - length + 1 - maturity - (first + settings.min_train_days - 1)
    if spare < 0:
        days = last - first + 1
        raise TooFewDaysError(target, needed=days - spare, days=days)
    asked = max(settings.calibration_days // length, 1)
    count = min(asked, MAX_ORIGINS, 1 + spare // length)
    ends = [end - length * back for back in reversed(range(count))]
    origins = tuple(DaySpan(day - length + 1, day) for day in ends)
    return ForwardSplit(DaySpan(first, origins[0].first - maturity), origins, latest)


def split_target(
    training_set: TrainingSet, target: Target, horizons: Horizons, settings: TrainingSettings
) -> TargetSplit:
    """Split a target's final rows into slices that are large enough for their purpose.

    Raises:
        TrainingError: a slice can't be made; the subclass in training/errors.py says why.
    """
    final = final_rows(training_set, target)
    as_of_day = training_set.as_of_day[final.rows]
    days = forward_split(target, as_of_day, horizons, settings)
    is_train = days.train.contains(as_of_day)
    limit = find_weight_limit(final.weight[is_train])
    is_heavy = (final.weight > limit) & has_full_history(training_set, final.rows)
    final = final.limit_weight(limit)
    calibration = final.select(days.calibration.contains(as_of_day))
    products = training_set.keys["product_id"]
    is_curve_fit = is_first_half(products.names)[products.codes[calibration.rows]]
    latest = final.select(days.latest.contains(as_of_day))
    is_original = has_full_history(training_set, latest.rows)
    split = TargetSplit(
        target,
        days,
        train=final.select(is_train),
        folds=_make_folds(final, as_of_day, days, maturity=horizons.maturity_days(target)),
        curve_fit=calibration.select(is_curve_fit),
        residual_fit=calibration.select(~is_curve_fit),
        known=final.select(as_of_day <= days.calibration.last),
        latest=latest.select(is_original),
        latest_masked=latest.select(~is_original),
        weight_limit=limit,
        rows_limited=int(is_heavy.sum()),
    )
    _refuse_small_slices(split, training_set, settings)
    return split


def _make_folds(
    final: Sample, as_of_day: IntArray, days: ForwardSplit, *, maturity: int
) -> tuple[ForwardFold, ...]:
    """Return the fold of each origin; `as_of_day` is of the rows of `final`.

    Days without rows make no fold: rows a week apart leave some if the latest slice is shorter.
    """
    return tuple(
        ForwardFold(
            span.first,
            final.select(as_of_day <= span.first - maturity),
            final.select(span.contains(as_of_day)),
        )
        for span in days.origins
        if span.contains(as_of_day).any()
    )


def _refuse_small_slices(
    split: TargetSplit, training_set: TrainingSet, settings: TrainingSettings
) -> None:
    """Refuse slices with too few rows or labels; a cold-start copy is no further row.

    Raises:
        TooFewRowsError: a slice has fewer rows than `min_rows`.
        OneClassError: all labels of a slice that is fitted on are the same.
        TooFewPositivesError: too few labels of it are above 0.
    """
    originals = {
        name: sample.select(has_full_history(training_set, sample.rows))
        for name, sample in split.samples.items()
    }
    for name, sample in originals.items():
        if sample.rows.size < settings.min_rows:
            raise TooFewRowsError(
                split.target, name, needed=settings.min_rows, rows=sample.rows.size
            )
    for name, min_positives in ((TRAIN, settings.min_positives), (CURVE_FIT, 1)):
        label = originals[name].label
        refuse_unlearnable(split.target, name, label, min_positives=min_positives)


def is_first_half(names: Iterable[str]) -> BoolArray:
    """Return True for products of the first half: a hash of the name, the same in every run."""
    return np.array([hashlib.sha256(name.encode()).digest()[0] % 2 == 0 for name in names], bool)
