"""Learn the parameters of derived features, each on the rows that suit it.

All are learned on the training slice, so that calibration sees what a later outcome did to them.
Those of the expected return rate are learned on its last rows: the first rows of a young market
look back on nothing. All earlier rows together weigh no more than some units, a power prior
(Ibrahim and Chen 2000, "Power prior distributions for regression models"). The comparison with
other rows: docs/decisions/rows-for-return-expectation.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from training.data.cold_start_rows import has_full_history
from training.data.sample import NO_ROWS, Sample
from training.data.time_split import TargetSplit
from training.data.training_set import TrainingSet
from training.shrinkage.pooling_fit import fit_parameters

EARLIER_UNITS: Final = 10_000.0
"""Most that all earlier rows weigh together. With few late rows, the numbers stay near theirs."""
LATE_DAYS: Final = 84
"""The last days of the training slice whose rows count in full."""
MAX_ROWS: Final = 40_000
"""Most rows of each part, enough for two dozen numbers; evenly spaced ones of more."""


def learn_parameters(
    training_set: TrainingSet, splits: Mapping[Target, TargetSplit], horizons: Horizons
) -> dict[str, float]:
    """Return all parameters of derived features by name.

    The models of both targets read them, and so they are learned without the later slices of
    either target.
    """
    returned = splits.get("return_risk")
    expectation = NO_ROWS if returned is None else expectation_sample(training_set, returned)
    samples = pooling_samples(training_set, splits, horizons)
    return fit_parameters(training_set, samples, expectation)


def pooling_samples(
    training_set: TrainingSet, splits: Mapping[Target, TargetSplit], horizons: Horizons
) -> dict[Target, Sample]:
    """Return each target's training rows that are final before any target is calibrated.

    Cold-start copies are left out: their masked history would make the priors too strong.
    """
    end = min(split.days.calibration.first for split in splits.values())
    samples = {}
    for target, split in splits.items():
        rows = split.train.rows
        is_final = training_set.as_of_day[rows] + horizons.maturity_days(target) <= end
        samples[target] = split.train.select(is_final & has_full_history(training_set, rows))
    return samples


def expectation_sample(training_set: TrainingSet, split: TargetSplit) -> Sample:
    """Return the last training rows, then earlier ones that weigh little; no copies."""
    as_of_day = training_set.as_of_day[split.train.rows]
    is_late = as_of_day > split.days.train.last - LATE_DAYS
    late = _thin_sample(training_set, split.train.select(is_late))
    earlier = _thin_sample(training_set, split.train.select(~is_late))
    share = EARLIER_UNITS / max(earlier.weight.sum(), EARLIER_UNITS)
    return late.concat(Sample(earlier.rows, earlier.label, earlier.weight * share))


def _thin_sample(training_set: TrainingSet, sample: Sample) -> Sample:
    originals = sample.select(has_full_history(training_set, sample.rows))
    step = max(-(-originals.rows.size // MAX_ROWS), 1)
    return Sample(originals.rows[::step], originals.label[::step], originals.weight[::step])
