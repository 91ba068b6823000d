from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.runtime.arrays import FloatArray
from training.portfolio.greedy_selection import MAX_PICKS, MIN_GAIN, MIN_SHARE, select_members

Rows = tuple[FloatArray, FloatArray, FloatArray]


@st.composite
def predicted_rows(draw: st.DrawFn) -> Rows:
    """Draw predictions of some members that are more or less right, labels and weights."""
    members, rows = draw(st.integers(1, 6)), draw(st.integers(2, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    truth = rng.uniform(0.05, 0.95, rows)
    noise = rng.normal(0, rng.uniform(0, 0.5, members)[:, np.newaxis], (members, rows))
    label = rng.binomial(1, truth) if draw(st.booleans()) else truth
    return np.clip(truth + noise, 0, 1), label.astype(float), rng.uniform(0.1, 5, rows)


def _loss(share: FloatArray, label: FloatArray, weight: FloatArray) -> float:
    clipped = np.clip(share, MIN_SHARE, 1 - MIN_SHARE)
    terms = [
        one * (y * np.log(p) + (1 - y) * np.log(1 - p))
        for p, y, one in zip(clipped, label, weight, strict=True)
    ]
    return float(-sum(terms) / sum(weight))


def _select_slowly(shares: FloatArray, label: FloatArray, weight: FloatArray) -> FloatArray:
    """Try each member as the next pick by averaging all picks anew."""
    clipped = np.clip(shares, MIN_SHARE, 1 - MIN_SHARE)
    picks: list[int] = []
    while len(picks) < MAX_PICKS:
        losses = [
            _loss(clipped[[*picks, one]].mean(axis=0), label, weight) for one in range(len(shares))
        ]
        before = _loss(clipped[picks].mean(axis=0), label, weight) if picks else np.inf
        if min(losses) >= before - MIN_GAIN:
            break
        equals = [one for one, loss in enumerate(losses) if loss <= min(losses) + MIN_GAIN / 2]
        picks.append(next((one for one in equals if one in picks), equals[0]))
    return np.bincount(picks, minlength=len(shares)) / len(picks)


@settings(max_examples=50, deadline=None)
@given(predicted_rows())
def test_average_is_as_the_slow_loop_has_it(rows: Rows) -> None:
    assert select_members(*rows).tolist() == pytest.approx(_select_slowly(*rows).tolist())


@settings(max_examples=50, deadline=None)
@given(predicted_rows())
def test_weights_sum_to_one_and_the_average_is_no_worse_than_the_best_member(rows: Rows) -> None:
    shares, label, weight = rows
    weights = select_members(*rows)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    clipped = np.clip(shares, MIN_SHARE, 1 - MIN_SHARE)
    best = min(_loss(one, label, weight) for one in clipped)
    assert _loss(weights @ clipped, label, weight) <= best + 1e-9


@settings(max_examples=50, deadline=None)
@given(predicted_rows(), st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(rows: Rows, random: object) -> None:
    shares, label, weight = rows
    order = np.arange(label.size)
    random.shuffle(order)  # type: ignore[attr-defined]  # hypothesis draws a Random
    again = select_members(shares[:, order], label[order], weight[order])
    assert again.tolist() == select_members(*rows).tolist()


@settings(max_examples=50, deadline=None)
@given(predicted_rows(), st.integers(0, 5))
def test_copy_of_a_member_is_never_picked(rows: Rows, number: int) -> None:
    shares, label, weight = rows
    copied = np.vstack([shares, shares[number % len(shares)]])
    expected = [*select_members(*rows), 0.0]
    assert select_members(copied, label, weight).tolist() == expected


def test_members_that_err_in_opposite_ways_are_averaged() -> None:
    label = np.full(100, 0.4)
    shares = np.stack([label + 0.1, label - 0.1, np.full(100, 0.9)])
    assert select_members(shares, label, np.ones(100)).tolist() == [0.5, 0.5, 0.0]


def test_certain_member_that_was_wrong_once_is_not_infinitely_bad() -> None:
    label = np.array([1.0] * 99 + [0.0])
    shares = np.stack([np.ones(100), np.full(100, 0.5)])
    weights = select_members(shares, label, np.ones(100))
    assert np.isfinite(weights).all()
    assert weights[0] > 0.5
