"""Which rows teach the parameters: never those that are judged or give residuals."""

from __future__ import annotations

import numpy as np
import pytest

from features.declarations.targets import Target
from tests.worlds.training import HORIZONS
from training.data.cold_start_rows import has_full_history
from training.data.time_split import TargetSplit
from training.data.training_set import TrainingSet
from training.shrinkage import learned_parameters as module
from training.shrinkage.learned_parameters import EARLIER_UNITS, expectation_sample, pooling_samples


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


def test_expected_rate_learns_from_the_shaping_half_and_a_little_of_what_was_before(
    training_set: TrainingSet, splits: dict[Target, TargetSplit]
) -> None:
    split = splits["return_risk"]
    sample = expectation_sample(training_set, split)
    read = {
        name: one.select(has_full_history(training_set, one.rows))
        for name, one in (("shaping", split.curve_fit), ("train", split.train))
    }
    assert set(sample.rows) == set(read["shaping"].rows) | set(read["train"].rows)
    recent = np.isin(sample.rows, read["shaping"].rows)
    assert sample.weight[recent].tolist() == read["shaping"].weight.tolist()
    assert read["train"].weight.sum() > EARLIER_UNITS
    assert sample.weight[~recent].sum() == pytest.approx(EARLIER_UNITS)
    ends = training_set.as_of_day[sample.rows] + HORIZONS.maturity_days("return_risk")
    assert ends.max() <= split.days.latest.first
    products = training_set.keys["product_id"].codes
    assert not set(products[read["shaping"].rows]) & set(products[split.residual_fit.rows])


def test_rows_beyond_what_two_dozen_numbers_need_are_left_out_evenly(
    training_set: TrainingSet,
    splits: dict[Target, TargetSplit],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    split = splits["return_risk"]
    whole = split.curve_fit.select(has_full_history(training_set, split.curve_fit.rows))
    monkeypatch.setattr(module, "MAX_ROWS", whole.rows.size - 1)
    rows = expectation_sample(training_set, split).rows
    assert rows[np.isin(rows, whole.rows)].tolist() == whole.rows[::2].tolist()
