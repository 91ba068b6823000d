"""Which rows teach the parameters: never those that calibrate or are judged."""

from __future__ import annotations

import numpy as np
import pytest

from features.declarations.targets import Target
from tests.worlds.training import HORIZONS
from training.data.cold_start_rows import has_full_history
from training.data.time_split import TargetSplit
from training.data.training_set import TrainingSet
from training.shrinkage import learned_parameters as module
from training.shrinkage.learned_parameters import (
    expectation_sample,
    pooling_samples,
)


def test_pooling_learns_before_any_target_is_calibrated(
    training_set: TrainingSet, splits: dict[Target, TargetSplit]
) -> None:
    samples = pooling_samples(training_set, splits, HORIZONS)
    first = min(split.days.calibration.first for split in splits.values())
    for target, sample in samples.items():
        ends = training_set.as_of_day[sample.rows] + HORIZONS.maturity_days(target)
        assert ends.max() <= first
    widest, used = splits["sell_through"].train, samples["sell_through"]
    assert 0 < used.rows.size < widest.rows.size


def test_expected_rate_learns_from_the_last_training_rows_and_a_little_of_what_was_before(
    training_set: TrainingSet,
    splits: dict[Target, TargetSplit],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LATE_DAYS", 14)
    monkeypatch.setattr(module, "EARLIER_UNITS", 1_000.0)
    split = splits["return_risk"]
    sample = expectation_sample(training_set, split)
    train = split.train.select(has_full_history(training_set, split.train.rows))
    assert sorted(sample.rows) == sorted(train.rows)
    is_late = training_set.as_of_day[sample.rows] > split.days.train.last - 14
    weights = dict(zip(train.rows.tolist(), train.weight.tolist(), strict=True))
    assert sample.weight[is_late].tolist() == [weights[row] for row in sample.rows[is_late]]
    assert sample.weight[~is_late].sum() == pytest.approx(1_000.0)
    ends = training_set.as_of_day[sample.rows] + HORIZONS.maturity_days("return_risk")
    assert ends.max() <= split.days.calibration.first


def test_rows_beyond_what_two_dozen_numbers_need_are_left_out_evenly(
    training_set: TrainingSet,
    splits: dict[Target, TargetSplit],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train = splits["return_risk"].train
    last = splits["return_risk"].days.train.last
    is_late = training_set.as_of_day[train.rows] > last - module.LATE_DAYS
    whole = train.select(is_late & has_full_history(training_set, train.rows))
    monkeypatch.setattr(module, "MAX_ROWS", whole.rows.size - 1)
    rows = expectation_sample(training_set, splits["return_risk"]).rows
    assert rows[np.isin(rows, whole.rows)].tolist() == whole.rows[::2].tolist()
