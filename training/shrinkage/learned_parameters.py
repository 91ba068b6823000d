"""Learn the parameters of derived features, for the origins and for the model.

As the boosters, they are learned anew at each origin, from the rows that were final by then, so
that calibration sees what a later outcome did to them. Those of the model are learned from all
known rows.

Parameters of pooling are learned on all of these rows. Those of the expected return rate are
learned on the last ones: the first rows of a young market look back on nothing. All earlier rows
together weigh no more than some units, a power prior (Ibrahim and Chen 2000, "Power prior
distributions for regression models"). The comparison with other rows:
docs/decisions/rows-for-return-expectation.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from training.data.cold_start_rows import has_full_history
from training.data.sample import NO_ROWS, Sample
from training.data.time_split import TargetSplit
from training.data.training_input import LearnedParameters
from training.data.training_set import TrainingSet
from training.shrinkage.pooling_fit import fit_parameters

EARLIER_UNITS: Final = 10_000.0
"""Most that all earlier rows weigh together. With few late rows, the numbers stay near theirs."""
LATE_DAYS: Final = 84
"""The last days whose rows count in full."""
MAX_ROWS: Final = 40_000
"""Most rows of each part, enough for two dozen numbers; evenly spaced ones of more."""


def learn_parameters(
    training_set: TrainingSet, splits: Mapping[Target, TargetSplit], horizons: Horizons
) -> LearnedParameters:
    """Return the parameters that the models of both targets read."""
    known = {target: split.known for target, split in splits.items()}
    learn = partial(_learn, training_set, known, horizons)
    origins = {fold.first_day for split in splits.values() for fold in split.folds}
    judged = min(split.days.latest.first for split in splits.values())
    return LearnedParameters({day: learn(day) for day in sorted(origins)}, learn(judged))


def _learn(
    training_set: TrainingSet, known: Mapping[Target, Sample], horizons: Horizons, before: int
) -> dict[str, float]:
    samples = final_samples(training_set, known, horizons, before=before)
    returned = samples.get("return_risk")
    expectation = NO_ROWS if returned is None else expectation_sample(training_set, returned)
    return fit_parameters(training_set, samples, expectation)


def final_samples(
    training_set: TrainingSet,
    samples: Mapping[Target, Sample],
    horizons: Horizons,
    *,
    before: int,
) -> dict[Target, Sample]:
    """Return each target's rows that are final when a day begins.

    Cold-start copies are left out: their masked history would make the priors too strong.
    """
    final = {}
    for target, sample in samples.items():
        final_on = training_set.as_of_day[sample.rows] + horizons.maturity_days(target)
        final[target] = sample.select(
            (final_on <= before) & has_full_history(training_set, sample.rows)
        )
    return final


def expectation_sample(training_set: TrainingSet, sample: Sample) -> Sample:
    """Return the last of some rows, then earlier ones that weigh little."""
    as_of_day = training_set.as_of_day[sample.rows]
    is_late = as_of_day > as_of_day.max(initial=0) - LATE_DAYS
    late, earlier = (_thin_sample(sample.select(part)) for part in (is_late, ~is_late))
    share = EARLIER_UNITS / max(earlier.weight.sum(), EARLIER_UNITS)
    return late.concat(Sample(earlier.rows, earlier.label, earlier.weight * share))


def _thin_sample(sample: Sample) -> Sample:
    step = max(-(-sample.rows.size // MAX_ROWS), 1)
    return Sample(sample.rows[::step], sample.label[::step], sample.weight[::step])
