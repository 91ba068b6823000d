"""How far the level of demand may move: found where it moved, and wider with fewer origins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.runtime.arrays import FloatArray, IntArray
from serving.demand.lot_demand import LotDemand
from tests.worlds.conformal import pick
from training.calibration.demand_drift import (
    DRIFTS,
    PRIOR_DEVIATION,
    PRIOR_ORIGINS,
    DemandDrift,
    find_drift,
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
    share = rng.binomial(lot.astype(int), demand.drift(np.full(ROWS, level)).share()) / lot
    rows = np.arange(ROWS)
    return demand, Sample(rows, share, np.ones(ROWS)), rows


def _learn(levels: FloatArray, error: float = 0.0) -> DemandDrift:
    return DemandDrift.from_origins(levels, np.full(levels.shape, error))


@pytest.mark.parametrize("chance", [1.0, 0.3])
@pytest.mark.parametrize("level", [-0.9, 0.0, 0.6])
def test_level_that_moved_the_shares_is_found(level: float, chance: float) -> None:
    found, error = find_drift(*_origin(level, chance=chance))
    assert found == pytest.approx(level, abs=4 * error)
    assert 0 < error < 0.05


@given(seen=levels, shift=st.floats(-1, 1))
def test_levels_lie_around_their_mean_whatever_it_is(seen: FloatArray, shift: float) -> None:
    drift, moved = (_learn(levels) for levels in (seen, seen + shift))
    assert drift.seen.mean() == pytest.approx(0, abs=1e-12)
    assert drift.possible == pytest.approx(-drift.possible[::-1])
    assert drift.possible == pytest.approx(moved.possible)
    assert (np.diff(drift.possible) > 0).all()
    assert drift.differences(0).shape == (DRIFTS,)


@given(seen=levels, times=st.floats(1.1, 3))
def test_levels_that_moved_further_may_move_further_again(seen: FloatArray, times: float) -> None:
    near, far = (_learn(one).possible[-1] for one in (seen, seen * times))
    assert far >= near


def test_error_of_a_level_is_how_far_it_varies_from_sample_to_sample() -> None:
    """With listings of four rows each, which are all alike."""
    found = []
    for seed in range(40):
        demand, sample, _ = _origin(0.2, chance=0.6, seed=seed)
        first = np.repeat(np.arange(0, ROWS, 4), 4)
        alike = Sample(sample.rows, sample.label[first], sample.weight)
        found.append(find_drift(pick(demand, first), alike, first))
    levels, errors = np.array(found).T
    assert errors.mean() == pytest.approx(levels.std(ddof=1), rel=0.3)


def test_chance_among_listings_is_no_move_of_the_level() -> None:
    levels = np.array([-0.2, 0.1, 0.1])
    still = _learn(np.zeros(3)).possible[-1]
    assert _learn(levels, error=1.0).possible[-1] == still
    assert still < _learn(levels, error=0.1).possible[-1] < _learn(levels).possible[-1]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_origin_of_which_all_or_nothing_sold_shows_no_drift(share: float) -> None:
    """One with eight rows must not move the others."""
    demand, _, listings = _origin(0.0, chance=1.0)
    few = np.arange(8)
    extreme = Sample(few, np.full(8, share), np.ones(8))
    drift, error = find_drift(pick(demand, few), extreme, listings[few])
    assert (drift, error) == (0.0, np.inf)
    usual = [_origin(by, chance=1.0, seed=at) for at, by in enumerate((0.0, 0.1, -0.1))]
    alone = learn_drift(usual)
    beside = learn_drift([*usual, (pick(demand, few), extreme, listings[few])])
    assert beside.seen == pytest.approx([*alone.seen, 0.0])
    assert beside.possible == pytest.approx(alone.possible)


def test_origin_known_badly_changes_little() -> None:
    drifts, errors = np.array([0.0, 0.6, -0.6]), np.full(3, 0.02)
    alone = DemandDrift.from_origins(drifts, errors)
    beside = DemandDrift.from_origins(np.append(drifts, 0.1), np.append(errors, 0.9))
    assert beside.seen[:3] == pytest.approx(alone.seen, abs=0.02)
    assert beside.possible[-1] == pytest.approx(alone.possible[-1], rel=0.25)


def test_fewer_origins_leave_more_doubt() -> None:
    few, many = (_learn(np.tile([-0.3, 0.3], count)) for count in (1, 20))
    assert few.possible[-1] > many.possible[-1]


def test_next_levels_of_times_like_the_prior_are_possible_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(3_000):
        variance = PRIOR_ORIGINS * PRIOR_DEVIATION**2 / rng.chisquare(PRIOR_ORIGINS)
        *seen, coming = rng.normal(0, np.sqrt(variance), 4)
        drift = _learn(np.array(seen))
        inside.append(abs(coming - np.mean(seen)) <= drift.possible[-1])
    # the middles of the outer two of nine parts leave half of each outside
    assert np.mean(inside) == pytest.approx(8 / 9, abs=0.02)


def test_outcomes_of_a_better_time_count_less_far_out_where_the_level_may_be_better() -> None:
    origins = [_origin(level, chance=1.0, seed=at) for at, level in enumerate((-0.4, 0.4))]
    drift = learn_drift(origins)
    assert drift.seen == pytest.approx([-0.4, 0.4], abs=0.05)
    assert drift.differences(1) - drift.differences(0) == pytest.approx(
        np.full(DRIFTS, 0.8), abs=0.1
    )
    assert drift.differences(1)[DRIFTS // 2] == pytest.approx(0.4, abs=0.05)
