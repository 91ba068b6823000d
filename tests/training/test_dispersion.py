from __future__ import annotations

import numpy as np
import pytest

from training.dispersion import LEAST_LASTING, learn_lasting


@pytest.mark.parametrize("lasting", [0.05, 0.2, 0.6])
def test_lasting_part_is_found_again_in_beta_binomial_shares(lasting: float) -> None:
    rng = np.random.default_rng(1)
    rows = 60_000
    mean = rng.uniform(0.2, 0.8, rows)
    units = rng.integers(1, 50, rows).astype(np.float64)
    strength = 1 / lasting - 1
    chance = rng.beta(mean * strength, (1 - mean) * strength)
    outcome = rng.binomial(units.astype(int), chance) / units
    assert learn_lasting(mean, outcome, units) == pytest.approx(lasting, rel=0.15)


def test_lasting_part_of_nothing_but_dice_is_the_least() -> None:
    rng = np.random.default_rng(2)
    units = rng.integers(1, 20, 20_000).astype(np.float64)
    share = np.full(20_000, 0.3)
    outcome = rng.binomial(units.astype(int), 0.3) / units
    assert LEAST_LASTING <= learn_lasting(share, outcome, units) < 0.02


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_lasting_part_is_all_where_units_change_nothing(noise: float) -> None:
    rng = np.random.default_rng(3)
    units = rng.integers(1, 20, 20_000).astype(np.float64)
    share = np.full(20_000, 0.5)
    outcome = share + noise * rng.choice([-1.0, 1.0], 20_000)
    assert learn_lasting(share, outcome, units) == pytest.approx(1.0, abs=0.02)
