"""Fast paths of the generator, each against a slow and obvious one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.simulator.configuration.arrays import choose, sum_earlier_in_group
from experiments.simulator.configuration.clock import build_clock
from experiments.simulator.configuration.identifiers import format_ids, hash_numbers, take_names
from experiments.simulator.mechanisms.expectations import Lot, Outlook
from experiments.simulator.mechanisms.plan import build_world, draw_chunk, make_plan
from experiments.simulator.mechanisms.prices import price_path
from experiments.simulator.mechanisms.repurchase import draw_buyers, repeat_demand
from experiments.simulator.mechanisms.requirements import binding_days, requirement_rows
from experiments.simulator.mechanisms.videos import decay, growth
from experiments.simulator.outcomes.orders import MAX_BUYERS
from tests.worlds.simulated import TINY, change_sizes

WORLD = build_world(TINY)
CHUNK = draw_chunk(WORLD, 0)
LISTED = np.flatnonzero(CHUNK.candidates.is_listed)
PLAN = make_plan(WORLD, CHUNK, LISTED)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=30))
def test_amounts_before_in_a_group_are_those_of_earlier_rows(rows: list[tuple[int, int]]) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    group = np.array([one for one, _ in rows], dtype=np.int64)
    amount = np.array([one for _, one in rows], dtype=np.int64)
    slow = [sum(a for g, a in rows[:place] if g == rows[place][0]) for place in range(len(rows))]
    assert sum_earlier_in_group(group, amount).tolist() == slow


def test_choice_follows_weights() -> None:
    weights = np.tile([0.0, 1.0, 3.0, 0.0], (40_000, 1))
    picked = choose(np.random.default_rng(0), weights)
    shares = np.bincount(picked, minlength=4) / picked.size
    assert shares == pytest.approx([0, 0.25, 0.75, 0], abs=0.01)


def test_repeats_are_the_sum_over_all_earlier_purchases() -> None:
    rng = np.random.default_rng(0)
    clock = build_clock(TINY)
    first = rng.random((3, clock.total_days))
    rate = rng.random((3, clock.total_days)) * 0.5
    share = 1 - np.exp(-1 / TINY.repurchase.delay_days)
    slow = np.zeros_like(first)
    for day in range(clock.total_days):
        for then in range(day):
            came = rate[:, then] * (first[:, then] + slow[:, then])
            slow[:, day] += came * share * (1 - share) ** (day - then - 1)
    np.testing.assert_allclose(repeat_demand(TINY, clock, first, rate), slow)


def test_faded_sums_keep_a_share_from_day_to_day() -> None:
    values = np.random.default_rng(0).random((2, 12))
    slow = [
        [sum(row[i] * 0.7 ** (day - i) for i in range(day + 1)) for day in range(12)]
        for row in values
    ]
    np.testing.assert_allclose(decay(values, 0.7), slow)


def test_views_grow_for_ever() -> None:
    shares = growth(np.linspace(0, 400, 500), 14)
    assert shares[0] == 0
    assert (np.diff(shares) > 0).all()


def test_price_path_holds_the_last_change() -> None:
    changes, candidates = CHUNK.price_changes, CHUNK.candidates
    path = price_path(changes, candidates, LISTED, WORLD.clock.total_days)
    for row, who in enumerate(LISTED[:40]):
        own = changes.candidate == who
        for day in (0, 100, 200, WORLD.clock.total_days - 1):
            until = np.flatnonzero(own & (changes.day <= day))
            level = changes.log_ratio[until[-1]] if until.size else 0.0
            assert path[row, day] == pytest.approx(np.log(candidates.price[who]) + level)


def test_returning_buyers_return_to_the_same_listing() -> None:
    group = np.repeat(np.arange(50), 40)
    time = np.sort(np.random.default_rng(0).integers(0, 10**13, (50, 40)), axis=1).ravel()
    everyone = np.ones(group.size)
    root = draw_buyers(TINY, np.random.default_rng(1), group=group, time=time, is_repeat=everyone)
    assert (group[root] == group).all()
    assert (root <= np.arange(root.size)).all()
    assert (root[root] == root).all()
    nobody = np.zeros(group.size)
    alone = draw_buyers(TINY, np.random.default_rng(1), group=group, time=time, is_repeat=nobody)
    assert alone.tolist() == list(range(group.size))


@given(st.lists(st.integers(0, 10**7 - 1), min_size=1, max_size=20))
def test_identifiers_are_what_formatting_gives(numbers: list[int]) -> None:
    array = np.array(numbers)
    made = format_ids("X", (array, 7), (array // 10, 6)).to_pylist()
    assert made == [f"X{number:07d}-{number // 10:06d}" for number in numbers]


def test_names_of_negative_places_are_null() -> None:
    assert take_names(["a", "b"], np.array([1, -1, 0])).to_pylist() == ["b", None, "a"]


def test_keyed_hashes_are_distinct_and_depend_on_the_key() -> None:
    numbers = np.arange(100_000) + MAX_BUYERS
    hashes = hash_numbers(numbers, 0).to_pylist()
    assert len(set(hashes)) == len(hashes)
    assert set(hashes).isdisjoint(hash_numbers(numbers, 1).to_pylist())
    assert {len(one) for one in hashes} == {16}


def simulated_share(row: int, day: int, lot: Lot, draws: int) -> float:
    """Return the mean sell-through of a lot by playing its four weeks over and over."""
    rng = np.random.default_rng(0)
    clock, sizes = WORLD.clock, TINY.demand
    days = np.arange(day, day + 28)
    week = clock.to_week(days) - clock.to_week(days[:1])
    shocks = rng.gamma(1 / sizes.shock_variance, sizes.shock_variance, (draws, 6))[:, week]
    theta = sizes.units_theta
    mean = PLAN.units[row, days] * shocks
    wanted = rng.negative_binomial(np.maximum(mean * (1 - theta) / theta, 1e-12), 1 - theta)
    down = rng.exponential(1, draws)[:, None] <= np.cumsum(PLAN.hazard[row, days])
    wanted[down] = 0
    on_hand = np.full(draws, lot.on_hand[0])
    sold = np.zeros(draws)
    for place, today in enumerate(days):
        on_hand += lot.inbound[0] * (today == lot.arrival_day[0])
        served = np.minimum(wanted[:, place], on_hand)
        on_hand -= served
        sold += served
    return float(np.minimum(sold / lot.units[0], 1).mean())


@pytest.mark.parametrize("share", [0.3, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("inbound", [0.0, 0.5])
@pytest.mark.parametrize("row", [3, 11, 40])
def test_expectations_equal_playing_four_weeks_over_and_over(
    row: int, inbound: float, share: float
) -> None:
    live = int(CHUNK.candidates.live_day[LISTED[row]])
    monday = int(WORLD.clock.monday(WORLD.clock.to_week(np.array(live + 20)))) + 7
    units = max(round(share * PLAN.units[row, monday : monday + 28].sum()), 2)
    coming = round(inbound * units)
    lot = Lot(np.array([float(units - coming)]), np.array([float(coming)]), np.array([monday + 14]))
    outlook = Outlook(WORLD, CHUNK.candidates, PLAN)
    expected = outlook.expect(np.array([row]), np.array([monday]), lot)
    played = simulated_share(row, monday, lot, 20_000)
    assert expected.sell_through[0] == pytest.approx(played, abs=0.02)


def test_profit_is_what_a_lot_earns_less_what_it_costs() -> None:
    free = change_sizes(
        TINY,
        "profit",
        fee_share=0,
        return_cost_share=0,
        unsold_worth_share=0,
        returned_worth_share=0,
    )
    world = build_world(free)
    outlook = Outlook(world, CHUNK.candidates, PLAN)
    row, day = np.array([5]), CHUNK.candidates.live_day[LISTED[5:6]]
    lot = Lot(np.array([12.0]), np.zeros(1), np.zeros(1, np.int64))
    found = outlook.expect(row, day, lot)
    who = LISTED[5]
    rate = free.market_places[int(CHUNK.candidates.place[who])].per_dollar
    asked = np.exp(PLAN.log_price[5, day[0] : day[0] + 28])
    weights = PLAN.units[5, day[0] : day[0] + 28]
    kept = 1 - found.return_rate[0]
    earned = 12 * found.sell_through[0] * kept * np.average(asked, weights=weights)
    cost = 12 * CHUNK.candidates.cost[who]
    assert found.profit_minor[0] == pytest.approx(100 * rate * (earned - cost), rel=0.03)


def test_requirements_change_in_time() -> None:
    rows = requirement_rows(TINY.model_copy(update={"markets": ("GB", "DE")})).to_pandas()
    reach = rows[rows.attribute == "certificate:REACH"]
    assert (reach.valid_from > rows.valid_from.min()).all()
    assert set(reach.market) == {"DE"}
    assert rows[rows.attribute == "certificate:UKCA"].valid_to.notna().all()
    assert binding_days("certificate:REACH", 200) == (80, None)
    assert (rows.available_at <= rows.valid_from).all()
