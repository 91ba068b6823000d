"""Stylised facts: what the market is aimed at is what its data show."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.simulator.configuration.configuration import configure
from experiments.simulator.pictures.facts import FACTS, measure
from experiments.simulator.tables.simulate import simulate

SMALL_LEEWAY = 2.0
"""A thirteenth of the medium market's rows: tolerances count double."""


def test_small_market_shows_the_facts_it_is_aimed_at(tmp_path: Path) -> None:
    simulate(configure("small"), tmp_path / "market")
    found = measure(tmp_path / "market")
    off = {
        fact.name: (fact.aim, found[fact.name])
        for fact in FACTS
        if abs(found[fact.name] - fact.aim) > SMALL_LEEWAY * fact.tolerance
    }
    assert off == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_medium_market_shows_the_facts_it_is_aimed_at(tmp_path: Path, seed: int) -> None:
    rows = simulate(configure("medium", seed=seed), tmp_path / "market")
    found = measure(tmp_path / "market")
    off = {
        fact.name: (fact.aim, found[fact.name])
        for fact in FACTS
        if abs(found[fact.name] - fact.aim) > fact.tolerance
    }
    assert off == {}
    assert rows["orders"] == pytest.approx(2_000_000, rel=0.1)
