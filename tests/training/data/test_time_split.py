from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.dataset.horizons import Horizons
from features.declarations.targets import TARGETS, Target
from tests.worlds.training import HORIZONS, QUICK
from training.data.cold_start_rows import Masked
from training.data.time_split import (
    MAX_ORIGINS,
    TargetSplit,
    forward_split,
    is_first_half,
    split_target,
)
from training.data.training_set import TargetOutcome, TrainingSet
from training.errors import OneClassError, TooFewDaysError, TooFewRowsError
from training.settings import TrainingSettings

days = st.integers(1, 60)
horizons_drawn = st.builds(
    Horizons,
    horizon_days=days,
    return_window_days=days,
    assumed_delivery_days=days,
    reporting_lag_days=st.integers(0, 9),
)
settings_drawn = st.builds(
    TrainingSettings,
    latest_days=days,
    calibration_days=st.integers(1, 200),
    min_train_days=days,
)
moments = st.lists(st.integers(19_000, 20_200), min_size=1, max_size=80)


@given(
    target=st.sampled_from(TARGETS),
    horizons=horizons_drawn,
    settings=settings_drawn,
    as_of_days=moments,
)
def test_split_no_label_reaches_the_first_moment_of_a_later_slice(
    target: Target, horizons: Horizons, settings: TrainingSettings, as_of_days: list[int]
) -> None:
    as_of_day = np.array(as_of_days)
    try:
        split = forward_split(target, as_of_day, horizons, settings)
    except TooFewDaysError:
        return
    slices = (split.train, split.calibration, split.latest)
    for earlier, later in pairwise(slices):
        inside = as_of_day[earlier.contains(as_of_day)]
        assert (inside + horizons.maturity_days(target) <= later.first).all()
    for earlier, later in pairwise(split.origins):
        assert earlier.last + 1 == later.first
    assert {span.last - span.first + 1 for span in split.origins} == {settings.latest_days}
    assert split.latest.contains(as_of_day)[as_of_day.argmax()]
    assert np.sum([one.contains(as_of_day) for one in slices], axis=0).max() <= 1


@given(
    target=st.sampled_from(TARGETS),
    horizons=horizons_drawn,
    settings=settings_drawn,
    span=st.integers(1, 900),
)
def test_split_fits_exactly_when_the_days_it_needs_are_there(
    target: Target, horizons: Horizons, settings: TrainingSettings, span: int
) -> None:
    embargo = horizons.maturity_days(target) - 1
    length = settings.latest_days
    needed = settings.min_train_days + embargo + length + embargo + length
    as_of_day = np.array([19_000, 19_000 + span - 1])
    if span >= needed:
        split = forward_split(target, as_of_day, horizons, settings)
        origins = 1
        while origins < MAX_ORIGINS and (origins + 1) * length <= min(
            settings.calibration_days, length + span - needed
        ):  # as many as are asked for and have room
            origins += 1
        assert len(split.origins) == origins
        days_left = span - needed - (origins - 1) * length
        assert split.train.last - split.train.first + 1 == days_left + settings.min_train_days
    else:
        with pytest.raises(TooFewDaysError, match=f"{needed:,} days .* have {span}[.]"):
            forward_split(target, as_of_day, horizons, settings)


def test_first_half_is_the_parity_of_the_names_digest() -> None:
    names = [f"P{i}" for i in range(400)]
    halves = is_first_half(names)
    assert halves.tolist() == [
        int(hashlib.sha256(name.encode()).hexdigest()[:2], 16) % 2 == 0 for name in names
    ]
    assert 150 < halves.sum() < 250


@pytest.mark.parametrize("target", TARGETS)
def test_divide_parts_final_rows_by_moment_and_product(
    target: Target, training_set: TrainingSet, splits: dict[Target, TargetSplit]
) -> None:
    split = splits[target]
    outcome = training_set.outcomes[target]
    product = training_set.keys["product_id"].codes
    spans = (split.days.train, split.days.calibration, split.days.latest)
    expected: list[list[int]] = [[], [], []]
    for row, day in enumerate(training_set.as_of_day):
        if outcome.is_mature[row] and outcome.weight[row] > 0:
            for place, span in enumerate(spans):
                if span.first <= day <= span.last:
                    expected[place].append(row)
    assert split.known.rows.tolist() == [
        row
        for row, day in enumerate(training_set.as_of_day)
        if outcome.is_mature[row]
        and outcome.weight[row] > 0
        and day + HORIZONS.maturity_days(target) <= split.days.latest.first
    ]
    halves = np.concatenate([split.curve_fit.rows, split.residual_fit.rows])
    assert split.train.rows.tolist() == expected[0]
    assert sorted(halves.tolist()) == expected[1]
    judged = np.concatenate([split.latest.rows, split.latest_masked.rows])
    assert judged.tolist() == expected[2]
    assert not set(product[split.curve_fit.rows]) & set(product[split.residual_fit.rows])


@pytest.mark.parametrize("target", TARGETS)
def test_folds_learn_what_was_final_at_their_origin_and_predict_what_follows(
    target: Target, training_set: TrainingSet, splits: dict[Target, TargetSplit]
) -> None:
    split = splits[target]
    assert len(split.folds) == QUICK.calibration_days // QUICK.latest_days > 1
    for fold, span in zip(split.folds, split.days.origins, strict=True):
        expected = []
        for row in split.known.rows:
            final_on = training_set.as_of_day[row] + HORIZONS.maturity_days(target)
            if final_on <= span.first:
                expected.append(row)
        assert fold.learned.rows.tolist() == expected
        days = training_set.as_of_day[fold.predicted.rows]
        assert span.contains(days).all()
    predicted = np.concatenate([fold.predicted.rows for fold in split.folds])
    halves = np.concatenate([split.curve_fit.rows, split.residual_fit.rows])
    assert sorted(predicted.tolist()) == sorted(halves.tolist())
    assert split.folds[0].learned.rows.tolist() == split.train.rows.tolist()


def test_short_latest_slices_make_few_origins(training_set: TrainingSet) -> None:
    settings = TrainingSettings(latest_days=1, calibration_days=84)
    as_of_day = training_set.as_of_day
    origins = forward_split("sell_through", as_of_day, HORIZONS, settings).origins
    assert len(origins) == MAX_ORIGINS


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("latest_days", [1, 3])
def test_days_without_rows_make_no_fold(
    target: Target, latest_days: int, training_set: TrainingSet
) -> None:
    settings = QUICK.model_copy(update={"latest_days": latest_days, "min_rows": 20})
    split = split_target(training_set, target, HORIZONS, settings)
    predicted = [fold.predicted.rows for fold in split.folds]
    assert 0 < len(predicted) < len(split.days.origins)
    assert all(rows.size for rows in predicted)
    calibration = np.concatenate([split.curve_fit.rows, split.residual_fit.rows])
    assert sorted(np.concatenate(predicted).tolist()) == sorted(calibration.tolist())


def test_a_calibration_slice_without_rows_is_refused(training_set: TrainingSet) -> None:
    # The one day of the one origin is no Monday, and all rows are of Mondays.
    settings = QUICK.model_copy(update={"latest_days": 1, "calibration_days": 1})
    horizons = HORIZONS.model_copy(update={"horizon_days": 12})
    with pytest.raises(TooFewRowsError, match=r"calibration slice needs 100 rows .* has 0"):
        split_target(training_set, "sell_through", horizons, settings)


def test_divide_with_too_few_rows_names_the_slice(training_set: TrainingSet) -> None:
    settings = QUICK.model_copy(update={"min_rows": 1500})
    with pytest.raises(TooFewRowsError, match="train slice needs 1,500 rows"):
        split_target(training_set, "sell_through", HORIZONS, settings)


def test_divide_refuses_a_calibration_slice_of_one_class(
    training_set: TrainingSet, splits: dict[Target, TargetSplit]
) -> None:
    outcome = training_set.outcomes["return_risk"]
    label = outcome.label.copy()
    label[splits["return_risk"].curve_fit.rows] = 0.0
    changed = TargetOutcome(label, outcome.weight, outcome.is_mature)
    outcomes = {**training_set.outcomes, "return_risk": changed}
    with pytest.raises(OneClassError, match="calibration slice"):
        split_target(
            replace(training_set, outcomes=outcomes),
            "return_risk",
            HORIZONS,
            QUICK,
        )


def test_mistyped_units_are_limited_in_every_slice_by_the_training_slice(
    training_set: TrainingSet, splits: dict[Target, TargetSplit]
) -> None:
    clean, outcome = splits["return_risk"], training_set.outcomes["return_risk"]
    slices = (clean.train, clean.curve_fit, clean.residual_fit, clean.latest)
    assert clean.rows_limited == 0
    for sample in slices:
        assert sample.weight.tolist() == outcome.weight[sample.rows].tolist()
    weight = outcome.weight.copy()
    originals = (
        sample.select(training_set.masked[sample.rows] == Masked.NOTHING) for sample in slices
    )
    # Of each slice the heaviest row, so that the others keep their ranks.
    mistyped = [int(sample.rows[sample.weight.argmax()]) for sample in originals]
    weight[mistyped] = 1e6
    outcomes = {**training_set.outcomes, "return_risk": replace(outcome, weight=weight)}
    spoilt = split_target(replace(training_set, outcomes=outcomes), "return_risk", HORIZONS, QUICK)
    assert (spoilt.rows_limited, spoilt.weight_limit) == (4, clean.weight_limit)
    for sample in (spoilt.train, spoilt.curve_fit, spoilt.residual_fit, spoilt.latest):
        assert sample.weight.max() == clean.weight_limit
