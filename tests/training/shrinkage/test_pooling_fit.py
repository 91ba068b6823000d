from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.catalogue.catalogue import CATALOGUE
from features.declarations.levels import LEVEL_KEYS
from features.declarations.return_evidence import PARAMETERS as EXPECTATION
from features.declarations.shrinkage import CHAIN, REPURCHASE_RATE, RETURN_RATE, pooled_rate
from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from tests.worlds.training import HORIZONS
from training.data.sample import NO_ROWS
from training.data.time_split import TargetSplit
from training.data.training_set import TrainingSet
from training.shrinkage.learned_parameters import learn_parameters
from training.shrinkage.pooling_fit import (
    MAX_STRENGTH,
    MIN_SHARE,
    MIN_STRENGTH,
    START_STRENGTH,
    fit_parameters,
    loss_and_gradient,
    smoothed_mean,
    strength_by_moments,
    strengths_by_loss,
    strengths_by_moments,
)

TRUE_STRENGTHS = (40.0, 25.0, 30.0, 60.0, 12.0)
TRUE_MEAN = 0.3

log_strengths = arrays(np.float64, len(CHAIN), elements=st.floats(-2.0, 12.0))


def _beta_binomial_market(seed: int, keys: int = 6000) -> tuple[list[FloatArray], FloatArray]:
    """Draw counts of a chain of levels, each varying around the wider one, and what came next.

    Wide levels have many trials, so that what they pass on is nearly their true rate.
    """
    rng = np.random.default_rng(seed)
    share = np.full(keys, TRUE_MEAN)
    counts: list[FloatArray] = []
    for strength, trials in zip(TRUE_STRENGTHS, (4000, 2000, 1500, 1000, 15), strict=True):
        share = rng.beta(share * strength, (1 - share) * strength).clip(1e-3, 1 - 1e-3)
        drawn = rng.poisson(trials, keys)
        counts += [rng.binomial(drawn, share).astype(float), drawn.astype(float)]
    return counts, rng.binomial(50, share) / 50


def _oracle_loss(
    strengths: FloatArray,
    counts: list[FloatArray],
    label: FloatArray,
    weight: FloatArray,
    mean: float,
) -> float:
    total = 0.0
    for row in range(label.size):
        estimate = mean
        for place, strength in enumerate(strengths):
            successes, trials = counts[2 * place][row], counts[2 * place + 1][row]
            estimate = (successes + strength * estimate) / (trials + strength)
        share = min(max(estimate, MIN_SHARE), 1 - MIN_SHARE)
        entropy = label[row] * math.log(share) + (1 - label[row]) * math.log(1 - share)
        total -= weight[row] * entropy
    return total / sum(weight)


@given(log_strengths=log_strengths, seed=st.integers(0, 99))
def test_pooling_loss_is_that_of_a_loop_over_rows(log_strengths: FloatArray, seed: int) -> None:
    counts, label = _beta_binomial_market(seed, keys=12)
    weight = np.arange(1.0, 13.0)
    found, _ = loss_and_gradient(log_strengths, counts, label, weight, TRUE_MEAN)
    expected = _oracle_loss(np.exp(log_strengths), counts, label, weight, TRUE_MEAN)
    assert found == pytest.approx(expected, rel=1e-9)


@given(log_strengths=log_strengths, seed=st.integers(0, 99))
def test_pooling_gradient_is_that_of_small_steps(log_strengths: FloatArray, seed: int) -> None:
    counts, label = _beta_binomial_market(seed, keys=30)
    weight = np.ones(30)
    _, gradient = loss_and_gradient(log_strengths, counts, label, weight, TRUE_MEAN)
    for place in range(len(CHAIN)):
        step = np.zeros(len(CHAIN))
        step[place] = 1e-5
        above, _ = loss_and_gradient(log_strengths + step, counts, label, weight, TRUE_MEAN)
        below, _ = loss_and_gradient(log_strengths - step, counts, label, weight, TRUE_MEAN)
        assert gradient[place] == pytest.approx((above - below) / 2e-5, rel=1e-4, abs=1e-8)


def test_pooling_gradient_is_flat_where_a_share_is_cut_off() -> None:
    counts = [np.zeros(2), np.full(2, 1e12)] * len(CHAIN)
    _, gradient = loss_and_gradient(
        np.zeros(len(CHAIN)), counts, np.zeros(2), np.ones(2), TRUE_MEAN
    )
    assert gradient.tolist() == [0.0] * len(CHAIN)


def test_strengths_by_loss_recover_those_that_made_the_data() -> None:
    counts, label = _beta_binomial_market(1)
    found = strengths_by_loss(counts, label, np.ones_like(label), mean=TRUE_MEAN)
    assert found[-1] == pytest.approx(TRUE_STRENGTHS[-1], rel=0.1)


def test_strengths_by_loss_are_no_worse_than_the_true_ones() -> None:
    counts, label = _beta_binomial_market(2)
    weight = np.ones_like(label)
    found = strengths_by_loss(counts, label, weight, mean=TRUE_MEAN)
    best, _ = loss_and_gradient(np.log(found), counts, label, weight, TRUE_MEAN)
    true, _ = loss_and_gradient(np.log(TRUE_STRENGTHS), counts, label, weight, TRUE_MEAN)
    assert best <= true


@pytest.mark.parametrize("level", range(len(CHAIN)))
def test_strengths_by_loss_recover_a_level_whose_own_trials_are_few(level: int) -> None:
    rng = np.random.default_rng(level)
    nothing = [np.zeros(8000), np.zeros(8000)]
    share = rng.beta(TRUE_MEAN * 20, (1 - TRUE_MEAN) * 20, 8000)
    own = [rng.binomial(15, share).astype(float), np.full(8000, 15.0)]
    counts = [one for place in range(len(CHAIN)) for one in (own if place == level else nothing)]
    label = rng.binomial(40, share) / 40
    found = strengths_by_loss(counts, label, np.ones(8000), mean=TRUE_MEAN)
    assert found[level] == pytest.approx(20, rel=0.15)
    others = np.delete(found, level)
    assert others == pytest.approx(START_STRENGTH)


def test_strengths_by_loss_leave_out_rows_without_counts() -> None:
    counts, label = _beta_binomial_market(3, keys=500)
    weight = np.ones(500)
    known = [one[::2] for one in counts]
    expected = strengths_by_loss(known, label[::2], weight[::2], mean=TRUE_MEAN)
    counts[4] = np.where(np.arange(500) % 2, np.nan, counts[4])
    assert strengths_by_loss(counts, label, weight, mean=TRUE_MEAN).tolist() == expected.tolist()


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_strengths_by_loss_without_evidence_stay_at_their_start(value: float) -> None:
    counts = [np.full(10, value)] * 2 * len(CHAIN)
    found = strengths_by_loss(counts, np.linspace(0, 1, 10), np.ones(10), mean=0.5)
    assert found == pytest.approx(START_STRENGTH)


def test_strengths_by_loss_stay_within_bounds() -> None:
    trials = np.full(50, 30.0)
    same = [np.zeros(50), np.zeros(50)] * (len(CHAIN) - 1) + [trials * 0.5, trials]
    to_the_past = strengths_by_loss(same, np.full(50, 0.5), np.ones(50), mean=0.1)
    to_the_mean = strengths_by_loss(same, np.full(50, 0.1), np.ones(50), mean=0.1)
    assert to_the_past[-1] == pytest.approx(MIN_STRENGTH)
    assert to_the_mean[-1] == pytest.approx(MAX_STRENGTH)


@pytest.mark.parametrize("strength", [0.5, 5.0, 80.0])
def test_strength_by_moments_recovers_that_of_a_beta_binomial(strength: float) -> None:
    rng = np.random.default_rng(int(strength))
    prior = rng.uniform(0.1, 0.6, 40_000)
    trials = rng.integers(1, 60, 40_000).astype(np.float64)
    share = rng.beta(prior * strength, (1 - prior) * strength)
    found = strength_by_moments(
        rng.binomial(trials.astype(int), share).astype(float), trials, prior
    )
    assert found == pytest.approx(strength, rel=0.1)


@pytest.mark.parametrize(
    ("successes", "trials", "expected"),
    [
        ([0.0, 0.0], [0.0, 0.0], START_STRENGTH),
        ([0.0, 1.0], [1.0, 1.0], START_STRENGTH),
        ([30.0, 30.0], [60.0, 60.0], MAX_STRENGTH),
        ([0.0, 60.0], [60.0, 60.0], MIN_STRENGTH),
    ],
)
def test_strength_by_moments_stays_within_bounds(
    successes: list[float], trials: list[float], expected: float
) -> None:
    found = strength_by_moments(np.array(successes), np.array(trials), np.full(2, 0.5))
    assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("share", "weight", "expected"),
    [([], [], 0.5), ([0.0], [9.0], 0.05), ([1.0, 0.0], [3.0, 1.0], 0.7)],
)
def test_smoothed_mean_adds_half_a_success_in_one_trial(
    share: list[float], weight: list[float], expected: float
) -> None:
    assert smoothed_mean(np.array(share), np.array(weight)) == pytest.approx(expected)


def test_learned_parameters_are_the_catalogues_and_finite(
    training_set: TrainingSet, splits: dict[Target, TargetSplit]
) -> None:
    learned_at = learn_parameters(training_set, splits, HORIZONS)
    for learned in (*learned_at.of_origins.values(), learned_at.known):
        assert set(learned) == set(CATALOGUE.parameters)
        assert all(math.isfinite(value) and value >= 0 for value in learned.values())
        assert all(learned[name] > 0 for name in learned if "strength" in name)


def test_learned_strengths_of_a_rate_foretell_better_than_their_start(
    training_set: TrainingSet, splits: dict[Target, TargetSplit]
) -> None:
    sample = splits["return_risk"].train
    samples = {target: split.train for target, split in splits.items()}
    learned = fit_parameters(training_set, samples, NO_ROWS)
    mean, *strengths = (learned[name] for name in RETURN_RATE.parameters)
    counts = [training_set.columns[name][sample.rows] for name in RETURN_RATE.inputs]
    weighted = (counts, sample.label, sample.weight, mean)
    best, _ = loss_and_gradient(np.log(strengths), *weighted)
    start, _ = loss_and_gradient(np.full(len(CHAIN), math.log(START_STRENGTH)), *weighted)
    assert best < start


def test_repurchase_parameters_are_those_of_a_loop_over_listings(
    training_set: TrainingSet, splits: dict[Target, TargetSplit]
) -> None:
    samples = {target: split.train for target, split in splits.items()}
    rows = samples["sell_through"].rows
    last: dict[int, int] = {}
    for row in rows[np.argsort(training_set.as_of_day[rows], kind="stable")]:
        last[int(training_set.keys["listing_id"].codes[row])] = int(row)
    ordered = np.array([last[code] for code in sorted(last)])
    counts = [training_set.columns[name][ordered] for name in REPURCHASE_RATE.inputs]
    firsts = []
    for level in CHAIN:
        seen: dict[tuple[int, ...], int] = {}
        for position, row in enumerate(ordered):
            key = tuple(int(training_set.keys[one].codes[row]) for one in LEVEL_KEYS[level])
            seen.setdefault(key, position)
        firsts.append(np.array([seen[key] for key in sorted(seen)]))
    successes, trials = (one[firsts[0]].sum() for one in counts[:2])
    mean = (successes + 0.5) / (trials + 1)
    expected = [mean, *strengths_by_moments(counts, firsts, mean=mean)]
    learned = fit_parameters(training_set, samples, NO_ROWS)
    found = [learned[name] for name in REPURCHASE_RATE.parameters]
    assert found == pytest.approx(expected, rel=1e-5)


def test_strengths_by_moments_hand_each_level_the_wider_estimate() -> None:
    counts, _ = _beta_binomial_market(5, keys=300)
    everyone = [np.arange(300)] * len(CHAIN)
    found = strengths_by_moments(counts, everyone, mean=TRUE_MEAN)
    for place in range(len(CHAIN)):
        wider = np.full(300, TRUE_MEAN)
        for own, pooled in zip(
            zip(counts[: 2 * place : 2], counts[1 : 2 * place : 2], strict=True),
            found[:place],
            strict=True,
        ):
            wider = (own[0] + pooled * wider) / (own[1] + pooled)
        again = strength_by_moments(counts[2 * place], counts[2 * place + 1], wider)
        assert found[place] == pytest.approx(again)


def test_parameters_of_an_absent_table_leave_the_pooled_rate_unknown(
    training_set: TrainingSet, splits: dict[Target, TargetSplit]
) -> None:
    absent = {
        name: np.full_like(training_set.columns[name], np.nan) for name in REPURCHASE_RATE.inputs
    }
    without = replace(training_set, columns={**training_set.columns, **absent})
    samples = {target: split.train for target, split in splits.items()}
    learned = fit_parameters(without, samples, NO_ROWS)
    values = [learned[name] for name in REPURCHASE_RATE.parameters]
    assert values == [0.5, *[START_STRENGTH] * len(CHAIN)]
    assert np.isnan(pooled_rate(*absent.values(), *values)).all()


def test_parameters_of_a_target_without_labels_are_finite_and_touch_no_other(
    training_set: TrainingSet, splits: dict[Target, TargetSplit]
) -> None:
    samples = {target: split.train for target, split in splits.items()}
    learned = fit_parameters(training_set, samples, samples["return_risk"])
    alone = fit_parameters(training_set, {"sell_through": samples["sell_through"]}, NO_ROWS)
    at_start = dict(zip(RETURN_RATE.parameters, [0.5, *[START_STRENGTH] * len(CHAIN)], strict=True))
    touched = {name: alone[name] for name in EXPECTATION}
    assert all(math.isfinite(value) for value in touched.values())
    assert any(learned[name] != value for name, value in touched.items())
    assert alone == learned | at_start | touched
