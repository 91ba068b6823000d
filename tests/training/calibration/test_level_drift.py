"""How far the level of demand may move: found where it moved, and wider with fewer origins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.runtime.arrays import FloatArray, IntArray
from serving.demand.lot_demand import LotDemand
from tests.worlds.conformal import pick
from training.calibration.level_drift import (
    LEVELS,
    PRIOR_DEVIATION,
    PRIOR_ORIGINS,
    LevelDrift,
    find_level,
    learn_drift,
)
from training.data.sample import Sample

ROWS = 4_000

levels = st.lists(st.floats(-2, 2), min_size=1, max_size=12).map(np.array)


def _origin(level: float, *, chance: float, seed: int = 0) -> tuple[LotDemand, Sample, IntArray]:
    """Draw shares of lots whose demand and chance are better or worse than predicted."""
    rng = np.random.default_rng(seed)
    lot = rng.integers(1, 60, ROWS).astype(float)
    demand = LotDemand(np.exp(rng.normal(2, 1, ROWS)), lot, np.ones(ROWS), 1.5, chance)
    share = rng.binomial(lot.astype(int), demand.move(np.full(ROWS, level)).share()) / lot
    rows = np.arange(ROWS)
    return demand, Sample(rows, share, np.ones(ROWS)), rows


def _drift(levels: FloatArray, error: float = 0.0) -> LevelDrift:
    return LevelDrift.from_levels(levels, np.full(levels.shape, error))


@pytest.mark.parametrize("chance", [1.0, 0.3])
@pytest.mark.parametrize("level", [-0.9, 0.0, 0.6])
def test_level_that_moved_the_shares_is_found(level: float, chance: float) -> None:
    found, error = find_level(*_origin(level, chance=chance))
    assert found == pytest.approx(level, abs=4 * error)
    assert 0 < error < 0.05


@given(seen=levels, shift=st.floats(-1, 1))
def test_levels_lie_around_their_mean_whatever_it_is(seen: FloatArray, shift: float) -> None:
    drift, moved = (_drift(levels) for levels in (seen, seen + shift))
    assert drift.seen.mean() == pytest.approx(0, abs=1e-12)
    assert drift.possible == pytest.approx(-drift.possible[::-1])
    assert drift.possible == pytest.approx(moved.possible)
    assert (np.diff(drift.possible) > 0).all()
    assert drift.moves(0).shape == (LEVELS,)


@given(seen=levels, times=st.floats(1.1, 3))
def test_levels_that_moved_further_may_move_further_again(seen: FloatArray, times: float) -> None:
    near, far = (_drift(one).possible[-1] for one in (seen, seen * times))
    assert far >= near


def test_error_of_a_level_is_how_far_it_varies_from_sample_to_sample() -> None:
    """With listings of four rows each, which are all alike."""
    found = []
    for seed in range(40):
        demand, sample, _ = _origin(0.2, chance=0.6, seed=seed)
        first = np.repeat(np.arange(0, ROWS, 4), 4)
        alike = Sample(sample.rows, sample.label[first], sample.weight)
        found.append(find_level(pick(demand, first), alike, first))
    levels, errors = np.array(found).T
    assert errors.mean() == pytest.approx(levels.std(ddof=1), rel=0.3)


def test_chance_among_listings_is_no_move_of_the_level() -> None:
    levels = np.array([-0.2, 0.1, 0.1])
    still = _drift(np.zeros(3)).possible[-1]
    assert _drift(levels, error=1.0).possible[-1] == still
    assert still < _drift(levels, error=0.1).possible[-1] < _drift(levels).possible[-1]


def test_fewer_origins_leave_more_doubt() -> None:
    few, many = (_drift(np.tile([-0.3, 0.3], count)) for count in (1, 20))
    assert few.possible[-1] > many.possible[-1]


def test_next_levels_of_times_like_the_prior_are_possible_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(3_000):
        variance = PRIOR_ORIGINS * PRIOR_DEVIATION**2 / rng.chisquare(PRIOR_ORIGINS)
        *seen, coming = rng.normal(0, np.sqrt(variance), 4)
        drift = _drift(np.array(seen))
        inside.append(abs(coming - np.mean(seen)) <= drift.possible[-1])
    # the middles of the outer two of nine parts leave half of each outside
    assert np.mean(inside) == pytest.approx(8 / 9, abs=0.02)


def test_outcomes_of_a_better_time_count_less_far_out_where_the_level_may_be_better() -> None:
    origins = [_origin(level, chance=1.0, seed=at) for at, level in enumerate((-0.4, 0.4))]
    drift = learn_drift(origins)
    assert drift.seen == pytest.approx([-0.4, 0.4], abs=0.05)
    assert drift.moves(1) - drift.moves(0) == pytest.approx(np.full(LEVELS, 0.8), abs=0.1)
    assert drift.moves(1)[LEVELS // 2] == pytest.approx(0.4, abs=0.05)
