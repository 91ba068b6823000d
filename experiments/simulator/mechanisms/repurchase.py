"""Repurchase: the rate of repeated purchases, their demand and their buyers."""

from __future__ import annotations

import numpy as np

from experiments.simulator.configuration.clock import SECOND_US, Clock
from experiments.simulator.configuration.configuration import Simulation
from experiments.simulator.mechanisms.candidates import Candidates
from features.runtime.arrays import FloatArray, IntArray

MAX_RATE: float = 0.8


def repurchase_rate(
    market: Simulation, candidates: Candidates, rows: IntArray, misfit: FloatArray
) -> FloatArray:
    """Return the expected number of purchases that follow one on each day, shape (rows, days).

    `misfit` is 0 where size chart and plug are right, 1 where they are wrong.
    """
    sizes = market.repurchase
    usual = np.array([leaf.repurchase for leaf in market.categories])[candidates.category[rows]]
    by_quality = usual * np.exp(sizes.quality_pull * candidates.quality[rows])
    rate = sizes.strength * by_quality[:, None] * np.maximum(1 - sizes.fit_pull * misfit, 0)
    return np.minimum(rate, MAX_RATE)


def repeat_demand(
    market: Simulation, clock: Clock, first: FloatArray, rate: FloatArray
) -> FloatArray:
    """Return the expected repeat demand on each day, given first purchases and repurchase rates.

    Delays are exponential: `pool` holds the repeated purchases that are still to come.
    """
    share = 1 - np.exp(-1 / market.repurchase.delay_days)
    repeats = np.zeros_like(first)
    pool = np.zeros(len(first))
    for day in range(clock.total_days):
        repeats[:, day] = share * pool
        pool = pool * (1 - share) + rate[:, day] * (first[:, day] + repeats[:, day])
    return repeats


def draw_buyers(
    market: Simulation,
    rng: np.random.Generator,
    *,
    group: IntArray,
    time: IntArray,
    is_repeat: FloatArray,
) -> IntArray:
    """Return for each order line the index of the first line of its buyer.

    Lines are sorted by `group` (the listing) and time. A repeated line has the buyer of the last
    line before an exponential time ago; any other line has a new buyer and its own index.
    """
    lines = group.size
    span = int(time.max(initial=0)) + 1
    back = rng.exponential(market.repurchase.delay_days * 86_400 * SECOND_US, lines)
    wanted = np.maximum(time - back.astype(np.int64), 0)
    parent = np.searchsorted(group * span + time, group * span + wanted, side="right") - 1
    has_parent = (rng.random(lines) < is_repeat) & (parent >= 0)
    parent = np.where(has_parent, parent, np.arange(lines))
    has_parent = group[parent] == group
    parent = np.where(has_parent, parent, np.arange(lines))
    while True:
        grandparent = parent[parent]
        if np.array_equal(grandparent, parent):
            return np.asarray(parent, dtype=np.int64)
        parent = grandparent
