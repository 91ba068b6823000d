"""The forward split: train, calibrate and judge on ever later moments, with an embargo between.

A target looks ahead, so slices that only follow each other in `as_of` would share outcomes: the
last training rows' labels would hold what the first calibration rows' features already know.
Every slice therefore ends early enough for all its labels to be final at the first moment of
the next.
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
from training.data.sample import Sample, final_rows, refuse_unlearnable
from training.data.training_set import TrainingSet
from training.errors import TooFewDaysError, TooFewRowsError
from training.settings import TrainingSettings

TRAIN: Final = "train"
CURVE_FIT: Final = "calibration"
RESIDUAL_FIT: Final = "conformal"
LATEST: Final = "latest"


@dataclass(frozen=True)
class ForwardSplit:
    """The moments of the three slices, in their order in time."""

    train: DaySpan
    calibration: DaySpan
    latest: DaySpan

    def learned(self, horizons: Horizons) -> DaySpan:
        """Return the days of the outcomes that models and their calibration learn from.

        Those that an embargo leaves out count as learned: the reporting lag of sell-through, and
        delivery and return window besides of return risk, for which nothing is flagged.
        """
        return DaySpan(self.train.first + 1, self.calibration.last + horizons.horizon_days)


@dataclass(frozen=True)
class TargetSplit:
    """A target's rows, divided; no row is in two slices, none of the embargo in any.

    The calibration slice is halved by product: `curve_fit` shapes the calibration curve,
    `residual_fit` gives the residuals around it, which must come from products it hasn't seen.
    All slices but the latest hold copies of first rows, from which a history is hidden.
    """

    target: Target
    days: ForwardSplit
    train: Sample
    curve_fit: Sample
    residual_fit: Sample
    latest: Sample
    latest_masked: Sample
    """Copies of latest rows that know less (cold_start_rows.py): to be judged apart."""

    @property
    def samples(self) -> Mapping[str, Sample]:
        """Return the slices by the names that reports use."""
        return {
            TRAIN: self.train,
            CURVE_FIT: self.curve_fit,
            RESIDUAL_FIT: self.residual_fit,
            LATEST: self.latest,
        }


def forward_split(
    target: Target, as_of_day: IntArray, horizons: Horizons, settings: TrainingSettings
) -> ForwardSplit:
    """Split the moments at which a target is known to be final.

    Raises:
        TooFewDaysError: training, calibration, latest slice and two embargoes don't fit.
    """
    maturity = horizons.maturity_days(target)
    first, last = int(as_of_day.min()), int(as_of_day.max())
    latest = DaySpan(last - settings.latest_days + 1, last)
    calibration_end = latest.first - maturity
    calibration = DaySpan(calibration_end - settings.calibration_days + 1, calibration_end)
    train = DaySpan(first, calibration.first - maturity)
    missing = settings.min_train_days - (train.last - train.first + 1)
    if missing > 0:
        found = last - first + 1
        raise TooFewDaysError(target, needed=found + missing, found=found)
    return ForwardSplit(train, calibration, latest)


def split_target(
    training_set: TrainingSet, target: Target, horizons: Horizons, settings: TrainingSettings
) -> TargetSplit:
    """Divide a target's final rows into slices that can carry their purpose.

    Raises:
        TrainingError: one of its subclasses in training/errors.py says why not.
    """
    final = final_rows(training_set, target)
    as_of_day = training_set.as_of_day[final.rows]
    days = forward_split(target, as_of_day, horizons, settings)
    calibration = final.select(days.calibration.contains(as_of_day))
    products = training_set.keys["product_id"]
    is_curve_fit = is_first_half(products.names)[products.codes[calibration.rows]]
    latest = final.select(days.latest.contains(as_of_day))
    is_judged = has_full_history(training_set, latest.rows)
    split = TargetSplit(
        target,
        days,
        train=final.select(days.train.contains(as_of_day)),
        curve_fit=calibration.select(is_curve_fit),
        residual_fit=calibration.select(~is_curve_fit),
        latest=latest.select(is_judged),
        latest_masked=latest.select(~is_judged),
    )
    for name, sample in split.samples.items():
        found = int(has_full_history(training_set, sample.rows).sum())
        if found < settings.min_rows:
            raise TooFewRowsError(target, name, needed=settings.min_rows, found=found)
    for name, least in ((TRAIN, settings.min_positives), (CURVE_FIT, 1)):
        sample = split.samples[name]
        read = sample.select(
            has_full_history(training_set, sample.rows)
        )  # a copy is no further positive
        refuse_unlearnable(target, name, read.label, min_positives=least)
    return split


def is_first_half(names: Iterable[str]) -> BoolArray:
    """Tell for each product whether it is in the first half, the same in every run."""
    return np.array([hashlib.sha256(name.encode()).digest()[0] % 2 == 0 for name in names], bool)
