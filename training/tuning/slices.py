"""The rows that tuning learns from and judges on: all of them before any later slice begins."""

from __future__ import annotations

from dataclasses import dataclass

from features.dataset.horizons import Horizons
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_set import TrainingSet
from training.errors import TooFewDaysToTuneError
from training.settings import TrainingSettings


@dataclass(frozen=True)
class TuningSlices:
    """A target's training slice, divided once more: learn, then an embargo, then judge."""

    learned: Sample
    judged: Sample


def split_for_tuning(
    training_set: TrainingSet, split: TargetSplit, horizons: Horizons, settings: TrainingSettings
) -> TuningSlices:
    """Judge on the last `latest_days` of the training slice what the days before them taught.

    Labels learned from are final before the first moment that is judged. Nothing of the
    latest slice is seen, and of the calibration slice only what the two dozen numbers of the
    expected return rate know of its shaping half, tuned or not.

    Raises:
        TooFewDaysToTuneError: the training slice is too short to be divided.
    """
    days, train = split.days.train, split.train
    as_of_day = training_set.as_of_day[train.rows]
    first_judged = days.last - settings.latest_days + 1
    last_learned = first_judged - horizons.maturity_days(split.target)
    slices = TuningSlices(
        learned=train.select(as_of_day <= last_learned),
        judged=train.select(as_of_day >= first_judged),
    )
    least = min(slices.learned.rows.size, slices.judged.rows.size)
    missing = settings.min_train_days - (last_learned - days.first + 1)
    if missing > 0 or least < settings.min_rows:
        found = days.last - days.first + 1
        raise TooFewDaysToTuneError(split.target, needed=found + max(missing, 1), found=found)
    return slices
