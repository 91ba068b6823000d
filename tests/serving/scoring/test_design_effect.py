"""The design effect agrees with plain loops, also in extreme cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.scoring.design_effect import design_effect

decisions = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=1, max_size=40)


def _by_loops(is_bad: list[bool], listings: list[int]) -> float:
    groups: dict[int, list[float]] = {}
    for bad, listing in zip(is_bad, listings, strict=True):
        groups.setdefault(listing, []).append(float(bad))
    rows, mean = len(is_bad), sum(is_bad) / len(is_bad)
    if len(groups) in {1, rows}:
        return 1.0
    of_listings = [sum(group) / len(group) for group in groups.values()]
    pairs = list(zip(groups.values(), of_listings, strict=True))
    between = sum(len(group) * (own - mean) ** 2 for group, own in pairs) / (len(groups) - 1)
    within = sum((value - own) ** 2 for group, own in pairs for value in group) / (
        rows - len(groups)
    )
    usual = (rows - sum(len(group) ** 2 for group in groups.values()) / rows) / (len(groups) - 1)
    spread = between + (usual - 1) * within
    correlation = (between - within) / spread if spread > 0 else 0.0
    return 1 + max(correlation, 0.0) * (rows / len(groups) - 1)


@given(drawn=decisions)
def test_effect_is_that_of_plain_loops(drawn: list[tuple[bool, int]]) -> None:
    is_bad, listings = ([*column] for column in zip(*drawn, strict=True))
    actual = design_effect(np.array(is_bad), np.array(listings))
    assert actual == pytest.approx(_by_loops(is_bad, listings), rel=1e-9)
    assert actual >= 1


def test_decisions_of_a_listing_that_all_come_out_alike_are_worth_one() -> None:
    listings = np.arange(200).repeat(6)
    assert design_effect(listings % 3 == 0, listings) == pytest.approx(6)


def test_decisions_that_do_not_resemble_each_other_stand_alone() -> None:
    rng = np.random.default_rng(0)
    listings = np.arange(500).repeat(6)
    is_bad = rng.random(listings.size) < 0.3
    assert design_effect(is_bad, listings) == pytest.approx(1, abs=0.1)
    assert design_effect(is_bad, np.arange(is_bad.size)) == 1


def test_effect_foretells_how_much_further_means_scatter() -> None:
    """Means of clustered outcomes vary like those of n / design effect independent ones."""
    rng = np.random.default_rng(1)
    listings, means, effects = np.arange(80).repeat(5), [], []
    for _ in range(400):
        chance = rng.beta(1, 2, 80).repeat(5)
        is_bad = rng.random(chance.size) < chance
        means.append(is_bad.mean())
        effects.append(design_effect(is_bad, listings))
    independent = np.mean(means) * (1 - np.mean(means)) / listings.size
    assert np.mean(effects) == pytest.approx(np.var(means) / independent, rel=0.2)
