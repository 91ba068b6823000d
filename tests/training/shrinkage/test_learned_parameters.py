"""Which rows teach the parameters: never those that come later than what they serve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.declarations.targets import Target
from tests.worlds.training import HORIZONS
from training.data.cold_start_rows import has_full_history
from training.data.sample import Sample
from training.data.time_split import TargetSplit
from training.data.training_set import TrainingSet
from training.shrinkage import learned_parameters as module
from training.shrinkage.learned_parameters import (
    expectation_sample,
    final_samples,
    learn_parameters,
)


@pytest.mark.parametrize("moment", ["calibration", "latest"])
def test_parameters_are_learned_from_what_is_final_before_any_target_gets_there(
    moment: str, training_set: TrainingSet, splits: dict[Target, TargetSplit]
) -> None:
    known = {target: split.known for target, split in splits.items()}
    first = min(getattr(split.days, moment).first for split in splits.values())
    samples = final_samples(training_set, known, HORIZONS, before=first)
    for target, sample in samples.items():
        ends = training_set.as_of_day[sample.rows] + HORIZONS.maturity_days(target)
        assert ends.max() <= first
        assert has_full_history(training_set, sample.rows).all()
    assert 0 < samples["sell_through"].rows.size < known["sell_through"].rows.size


def test_model_and_origins_have_parameters_of_their_own_moments(
    training_set: TrainingSet, splits: dict[Target, TargetSplit]
) -> None:
    """Labels that nobody knew yet at an origin change nothing there, and all that comes later."""
    learned = learn_parameters(training_set, splits, HORIZONS)
    origins = [fold.first_day for split in splits.values() for fold in split.folds]
    assert sorted(learned.of_origins) == sorted(set(origins))
    origin = int(np.median(origins))
    later = {
        target: replace(split, known=_halve_labels(training_set, split, after=origin))
        for target, split in splits.items()
    }
    changed = learn_parameters(training_set, later, HORIZONS)
    is_same = {day: changed.of_origins[day] == one for day, one in learned.of_origins.items()}
    assert is_same == {day: day <= origin for day in origins}
    assert set(is_same.values()) == {True, False}
    assert changed.known != learned.known


def _halve_labels(training_set: TrainingSet, split: TargetSplit, *, after: int) -> Sample:
    """Return the known rows with half the label where it wasn't final on a day."""
    known = split.known
    final_on = training_set.as_of_day[known.rows] + HORIZONS.maturity_days(split.target)
    return replace(known, label=np.where(final_on <= after, known.label, known.label * 0.5))


def test_expected_rate_learns_from_the_last_rows_and_a_little_of_what_was_before(
    training_set: TrainingSet,
    splits: dict[Target, TargetSplit],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LATE_DAYS", 14)
    monkeypatch.setattr(module, "EARLIER_UNITS", 1_000.0)
    train = splits["return_risk"].train
    sample = expectation_sample(training_set, train)
    assert sorted(sample.rows) == sorted(train.rows)
    days = training_set.as_of_day[sample.rows]
    is_late = days > days.max() - 14
    weights = dict(zip(train.rows.tolist(), train.weight.tolist(), strict=True))
    assert sample.weight[is_late].tolist() == [weights[row] for row in sample.rows[is_late]]
    assert sample.weight[~is_late].sum() == pytest.approx(1_000.0)


def test_rows_beyond_what_two_dozen_numbers_need_are_left_out_evenly(
    training_set: TrainingSet,
    splits: dict[Target, TargetSplit],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train = splits["return_risk"].train
    days = training_set.as_of_day[train.rows]
    whole = train.select(days > days.max() - module.LATE_DAYS)
    monkeypatch.setattr(module, "MAX_ROWS", whole.rows.size - 1)
    rows = expectation_sample(training_set, train).rows
    assert rows[np.isin(rows, whole.rows)].tolist() == whole.rows[::2].tolist()
