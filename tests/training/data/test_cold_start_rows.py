from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.dataset.days import to_datetime
from features.declarations.targets import Target
from features.online.snapshot import LookupKeys, OnlineSnapshot
from features.online.writer import write_snapshot
from features.point_in_time.signal_rows import SignalRows, build_stored_rows
from features.point_in_time.snapshot_values import materialise
from features.point_in_time.training_rows import build_training_rows
from tests.worlds.random_markets import HORIZONS, Engine, random_world
from training.data.cold_start_rows import MASKED_LEVELS, Masked, add_cold_start_copies, first_rows
from training.data.time_split import TargetSplit
from training.data.training_set import TrainingSet, read_training_set
from training.evaluation.judge import MASKED_GROUPS, MODEL
from training.fit.train import TrainOutput


def _names(masked: Masked) -> set[str]:
    return {
        feature.name for level in MASKED_LEVELS[masked] for feature in CATALOGUE.at_level(level)
    }


@cache
def _world(absent: tuple[str, ...]) -> tuple[SignalRows, pa.Table]:
    """Return a random world without some of its tables, and its training rows."""
    frames = {name: frame for name, frame in random_world(3).items() if name not in absent}
    signals = build_stored_rows(Engine(frames).dataset, HORIZONS)
    return signals, build_training_rows(signals, CATALOGUE)


def _first_by_loops(rows: pa.Table) -> list[int]:
    listings, ages = (rows[name].to_pylist() for name in ("listing_id", "days_since_listed"))
    seen, found = set(), []
    for place, (listing, age) in enumerate(zip(listings, ages, strict=True)):
        if age <= 1 and listing not in seen:
            seen.add(listing)
            found.append(place)
    return found


def test_first_rows_are_those_of_a_plain_loop() -> None:
    _, table = _world(())
    found = first_rows(read_training_set(table, CATALOGUE))
    assert found.tolist() == _first_by_loops(table)
    assert len(found) > 0


def test_copies_come_after_rows_that_stay_as_they_were(rows: pa.Table) -> None:
    before = read_training_set(rows, CATALOGUE)
    after = add_cold_start_copies(before, CATALOGUE)
    own, first = rows.num_rows, first_rows(before)
    for name, column in before.columns.items():
        assert np.array_equal(after.columns[name][:own], column, equal_nan=True), name
    assert (after.masked[:own] == Masked.NOTHING).all()
    assert after.masked[own:].tolist() == [1] * first.size + [2] * first.size
    for place, masked in enumerate(MASKED_LEVELS):
        copies = slice(own + place * first.size, own + (place + 1) * first.size)
        assert after.as_of_day[copies].tolist() == before.as_of_day[first].tolist()
        for name, key in before.keys.items():
            assert after.keys[name].codes[copies].tolist() == key.codes[first].tolist()
        for target, outcome in before.outcomes.items():
            copied = after.outcomes[target]
            assert np.array_equal(copied.label[copies], outcome.label[first], equal_nan=True)
            assert copied.weight[copies].tolist() == outcome.weight[first].tolist()
        for name in set(before.columns) - _names(masked):
            ours, theirs = after.columns[name][copies], before.columns[name][first]
            assert np.array_equal(ours, theirs, equal_nan=True), name


@pytest.mark.parametrize("absent", [(), ("videos", "returns", "localisation")])
def test_what_is_hidden_is_what_a_look_up_of_an_unknown_key_gives(
    absent: tuple[str, ...], tmp_path: Path
) -> None:
    signals, table = _world(absent)
    whole = add_cold_start_copies(read_training_set(table, CATALOGUE), CATALOGUE)
    day = int(whole.as_of_day.max())
    write_snapshot(materialise(signals, CATALOGUE, to_datetime(day)), tmp_path)
    nobody = LookupKeys([None], ["nobody"], [None], [None], [None], ["US"])
    unknown = OnlineSnapshot.open(tmp_path).look_up(nobody).columns
    for masked in MASKED_LEVELS:
        copies = np.flatnonzero(whole.masked == masked)
        for name in _names(masked):
            expected = np.full(copies.size, unknown[name][0])
            assert np.array_equal(whole.columns[name][copies], expected, equal_nan=True), name


def test_copies_are_cold_starts(training_set: TrainingSet) -> None:
    assert training_set.is_cold[training_set.masked != Masked.NOTHING].all()


def test_copies_are_learned_from_and_judged_apart(
    training_set: TrainingSet, splits: dict[Target, TargetSplit], trained: TrainOutput
) -> None:
    for target, split in splits.items():
        for sample in (split.train, split.curve_fit, split.residual_fit):
            assert set(training_set.masked[sample.rows].tolist()) == {0, 1, 2}
        assert not training_set.masked[split.latest.rows].any()
        kinds = training_set.masked[split.latest_masked.rows]
        judged = trained.evaluations[target]
        assert judged.overall[MODEL].rows == split.latest.rows.size
        for name, masked in MASKED_GROUPS.items():
            assert judged.by_group[name][MODEL].rows == (kinds == masked).sum() > 0


def test_copies_of_a_listing_stay_on_its_side_of_the_calibration_slice(
    training_set: TrainingSet, splits: dict[Target, TargetSplit]
) -> None:
    listing = training_set.keys["listing_id"].codes
    for split in splits.values():
        sides = [set(listing[one.rows]) for one in (split.curve_fit, split.residual_fit)]
        assert not sides[0] & sides[1]
