"""Split the training slice for tuning: later slices stay unseen."""

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
    """A target's training slice, split into rows to learn from and later rows to judge on."""

    learned: Sample
    judged: Sample


def split_for_tuning(
    training_set: TrainingSet, split: TargetSplit, horizons: Horizons, settings: TrainingSettings
) -> TuningSlices:
    """Judge on the last `latest_days` of the training slice and learn from the days before them.

    An embargo lies between: labels to learn from are final before the first judged moment. Tuning
    sees no row of the latest slice. It sees the calibration slice only through the parameters of
    the expected return rate, which any training learns from `curve_fit`.

    Raises:
        TooFewDaysToTuneError: the training slice is too short to be split.
    """
    days, train = split.days.train, split.train
    as_of_day = training_set.as_of_day[train.rows]
    first_judged = days.last - settings.latest_days + 1
    last_learned = first_judged - horizons.maturity_days(split.target)
    slices = TuningSlices(
        learned=train.select(as_of_day <= last_learned),
        judged=train.select(as_of_day >= first_judged),
    )
    min_rows = min(slices.learned.rows.size, slices.judged.rows.size)
    missing = settings.min_train_days - (last_learned - days.first + 1)
    if missing > 0 or min_rows < settings.min_rows:
        length = days.last - days.first + 1
        raise TooFewDaysToTuneError(split.target, needed=length + max(missing, 1), days=length)
    return slices
